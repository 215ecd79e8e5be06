import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "../../base/problem.ts";
import type { System } from "../compose.ts";
import type { ModuleName } from "../modules.ts";
import type { ModuleHost } from "../serving/module-host.ts";
import { requestStop } from "../stop-request.ts";
import type { Followed } from "./followed.ts";
import type { Hands } from "./mover.ts";
import {
  ask,
  findSeat,
  HEARD,
  OFFERED,
  REDIS,
  redisOfEvents,
  SURROUNDINGS,
  type Surroundings,
  surroundings,
  TOLD,
  tellAll,
} from "./others.ts";
import { HOME, type Placement, type PlaceName } from "./placement.ts";
import { readPlacement, readRedis, writePlacement } from "./placement-file.ts";
import type { Task } from "./protocol.ts";
import type { Surround } from "./surround.ts";

const OFFER_WITHIN_MS = 8_000;
const TELL_WITHIN_MS = 10_000;
const SURROUNDINGS_WITHIN_MS = 6_000;
const LEAVE_BUS_MS = 500;
const KNOW_DEPLOYMENT_MS = 3_000;

export interface HandsOptions {
  readonly system: System;
  readonly host: ModuleHost;
  /** This process as a place of the module. */
  readonly place: PlaceName;
  readonly surround: Surround;
  readonly followed: Followed;
}

/** Does what a hand-over of a module comes to in this process: the lock, the database, the bus, the callers, the other process. */
export function createHands({ system, host, place: own, surround, followed }: HandsOptions): Hands {
  const { config, logger, places, bus, deployment } = system;
  const { name } = host;
  const place = places.of(name);
  /** Where the home of the module is reached, as that has told. */
  let homeUrl: string | undefined;
  let closedAtMs: number | undefined;
  let toldGeneration = 0;
  let isLearning = false;

  /** Learns where the neighbours are, and goes by the same Redis. */
  async function settleIn(): Promise<void> {
    const { socket } = await findSeat(config.DATA_DIR, name, HOME);
    const told = surroundings.parse(await ask(socket, SURROUNDINGS, { module: name }, SURROUNDINGS_WITHIN_MS));
    for (const [neighbour, url] of Object.entries(told.urls)) {
      if (neighbour === name) homeUrl = url;
      else await lead(neighbour as ModuleName, url);
    }
    await surround.goByRedis(told.redis);
    if (name === "users") return; // it is known as soon as they are open here
    for (const endMs = performance.now() + KNOW_DEPLOYMENT_MS; deployment() === undefined; await sleep(20)) {
      if (performance.now() > endMs) break; // events wait for it
    }
  }

  /**
   * After a restart with the settings from before a move: who has the module knows by which Redis events go since then. Where that was
   * restarted like this one, it is what was written with the move.
   */
  async function learnRedis(owner: PlaceName): Promise<void> {
    if (isLearning) return; // one that is away takes longer than it is until the next look
    isLearning = true;
    try {
      const redis = (await askForRedis(owner).catch(() => null)) ?? readRedis(config.DATA_DIR, name);
      if (redis !== null) await surround.goByRedis(redis);
    } catch (error) {
      logger.debug({ err: error }, `${name}: it is not known yet by which Redis events go`); // it is looked again soon
    } finally {
      isLearning = false;
    }
  }

  async function askForRedis(owner: PlaceName): Promise<Surroundings["redis"] | null> {
    const { socket } = await findSeat(config.DATA_DIR, name, owner);
    return redisOfEvents.parse(await ask(socket, REDIS, {}, SURROUNDINGS_WITHIN_MS));
  }

  async function lead(neighbour: ModuleName, url: string): Promise<void> {
    if (await followed.home(neighbour, [url])) return;
    const there = places.of(neighbour);
    if (there.here === undefined) there.goThere(await places.connect(neighbour, [url]));
  }

  async function askOther(to: PlaceName, operation: string, generation: number, withinMs: number): Promise<void> {
    const { socket, url } = await findSeat(config.DATA_DIR, name, to);
    await ask(socket, operation, { module: name, generation }, withinMs);
    if (url !== null) await places.connect(name, [url]); // while nobody waits for it
  }

  async function open(): Promise<void> {
    if (own !== HOME && homeUrl === undefined) await settleIn();
    await host.begin();
  }

  async function warmUp(): Promise<void> {
    if (own === HOME) await surround.openFor(name);
    else await settleIn();
    await host.warmUp();
  }

  async function work(task: Task): Promise<Placement | undefined> {
    switch (task.do) {
      case "offer":
        if (host.served === undefined) throw new Error(`${name} was killed on purpose: start it again first`);
        if (own !== HOME && task.to === HOME) await settleIn();
        return void (await askOther(task.to, OFFERED, task.generation, OFFER_WITHIN_MS));
      case "checkpoint":
        return void (await host.checkpoint());
      case "leave-bus":
        return void (await bus.leave(name, LEAVE_BUS_MS));
      case "hand-on-waits":
        return host.drain() as undefined;
      case "finish-calls":
        if (!(await host.finish(task.withinMs))) throw new Error("calls that have begun do not end");
        return undefined;
      case "close-store":
        place.leave();
        return void (await host.close());
      case "write-record":
        return writePlacement(config.DATA_DIR, name, task.placement, surround.redis) as undefined;
      case "free-lock":
        return host.freeLock() as undefined;
      case "tell":
        return void (await askOther(task.to, TOLD, task.generation, TELL_WITHIN_MS));
      case "prepare":
        return void (await warmUp());
      case "take-lock":
        if (!host.tryLock()) throw new Error("another process has the lock of its file");
        return undefined;
      case "read-record":
        return readPlacement(config.DATA_DIR, name);
      case "open-store":
        return void (await open());
      case "join-bus":
        return void (await host.join());
    }
  }

  return {
    work,
    closeGate() {
      closedAtMs ??= performance.now();
      place.close();
    },
    async turn({ owner, url, generation }, here) {
      const to = url ?? (owner === HOME ? homeUrl : undefined);
      if (here && host.served !== undefined) place.goHere(host.served);
      else if (to === undefined) place.goNowhere();
      else place.goThere(await places.connect(name, [to]));
      if (!here && owner !== own && to !== undefined && surround.redis === undefined) void learnRedis(owner);
      const waitedMs = closedAtMs === undefined ? 0 : performance.now() - closedAtMs;
      closedAtMs = undefined;
      if (generation === toldGeneration) return;
      toldGeneration = generation;
      const where = here ? "here" : `at ${to ?? owner}`;
      logger.info(
        `${name} is ${where} from now on (generation ${generation}); calls waited for ${Math.round(waitedMs)} ms`,
      );
    },
    warmUp,
    announce(placement) {
      void tellAll(config.DATA_DIR, HEARD, { module: name, placement });
    },
    end: (reason) => requestStop(`${name}: ${reason}`),
  };
}

/** @throws Problem where its data are not in a file: then there is nothing to hand over */
export function requireFile(host: ModuleHost): void {
  if (host.isInFile) return;
  const detail = `${host.name} is in PostgreSQL, where nothing has to be handed over: start another process that serves it, and stop this one`;
  throw new Problem("dependency-unavailable", detail);
}
