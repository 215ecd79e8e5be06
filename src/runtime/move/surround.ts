import { setTimeout as sleep } from "node:timers/promises";
import { reasonOf } from "../../base/fault-reason.ts";
import { Problem } from "../../base/problem.ts";
import { createTurns } from "../../base/turns.ts";
import { createBus, type System } from "../compose.ts";
import { type ModuleName, remoteNeighbours } from "../modules.ts";
import type { Surroundings } from "./others.ts";

/** How long a Redis may take to answer that events are to go by. */
const REDIS_WITHIN_MS = 5_000;
const LOOK_MS = 20;

/** Opens the door of a module, which leads to wherever it is. @param isOwn it has its port elsewhere @returns its URL */
export type OpenDoor = (name: ModuleName, isOwn: boolean) => Promise<string>;

/** What connects this process with modules that have left it, or that it is asked to have. */
export class Surround {
  readonly #system: System;
  readonly #openDoor: OpenDoor;
  readonly #inTurn = createTurns();
  #redis: Surroundings["redis"] | undefined;

  constructor(system: System, openDoor: OpenDoor) {
    const { REDIS_URL: url, REDIS_PREFIX: prefix } = system.config;
    this.#system = system;
    this.#openDoor = openDoor;
    this.#redis = url === undefined ? undefined : { url, prefix };
  }

  /** By which events go; undefined while they stay in the memory of this process. */
  get redis(): Surroundings["redis"] | undefined {
    return this.#redis;
  }

  /**
   * Opens the doors that a module needs which is elsewhere, and its own, for those who look for it here when it has come back.
   * @throws Problem where somebody else listens at one
   */
  async openFor(name: ModuleName): Promise<Record<string, string>> {
    const urls: [string, string][] = [];
    for (const neighbour of remoteNeighbours([name])) urls.push([neighbour, await this.#open(neighbour, false)]);
    urls.push([name, await this.#open(name, true)]);
    return Object.fromEntries(urls);
  }

  async #open(name: ModuleName, isOwn: boolean): Promise<string> {
    try {
      return await this.#openDoor(name, isOwn);
    } catch (error) {
      throw new Problem("dependency-unavailable", `the door of ${name} does not open: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }

  /** What a module needs of this process, which it has left. @throws Problem while events stay in the memory of this process */
  async surroundingsOf(name: ModuleName): Promise<Surroundings> {
    if (this.#redis === undefined) {
      throw new Problem("dependency-unavailable", "events stay in the memory of this process: say --redis-url URL");
    }
    return { urls: await this.openFor(name), redis: this.#redis };
  }

  /** Has events go by a Redis from now on. @throws Problem when that does not answer, or they go by another */
  goByRedis(redis: Surroundings["redis"]): Promise<void> {
    return this.#inTurn("bus", () => this.#change(redis));
  }

  async #change(redis: Surroundings["redis"]): Promise<void> {
    if (this.#redis?.url === redis.url) return;
    if (this.#redis !== undefined) throw new Problem("dependency-unavailable", "events go by another Redis already");
    const { config, logger, deployment, bus } = this.#system;
    const next = await createBus({ ...config, REDIS_URL: redis.url, REDIS_PREFIX: redis.prefix }, logger, deployment);
    await next.start();
    for (const endMs = performance.now() + REDIS_WITHIN_MS; next.status().status !== "running"; await sleep(LOOK_MS)) {
      if (performance.now() < endMs) continue;
      const { detail = "it does not answer" } = next.status();
      await next.stop(0);
      throw new Problem("dependency-unavailable", `events cannot go by that Redis: ${detail}`);
    }
    await bus.change(next, 0); // what has not been applied is in the logs
    this.#redis = redis;
    logger.info("events go through Redis from now on");
  }
}
