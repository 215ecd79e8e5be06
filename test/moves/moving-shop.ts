import type { ModuleName } from "../../src/runtime/modules.ts";
import { askForMove } from "../../src/runtime/move/ask-for-move.ts";
import { HOME } from "../../src/runtime/move/placement.ts";
import { readPlacement } from "../../src/runtime/move/placement-file.ts";
import type { ShopProcess } from "../support/process.ts";
import { type RedisServer, startRedisServer } from "../support/redis.ts";
import { type ExtraProcess, oneProcess, type ProcessShop, type Settings } from "../support/topology.ts";
import { Owners } from "./owners.ts";

/** Where a module is, or is to be. */
export type Where = "home" | "standby";

/** How long the gate of a module was closed at a process, for one move of it. */
export interface GateTime {
  readonly module: string;
  readonly generation: number;
  readonly waitedMs: number;
}

/** A shop in one process, and standbys beside it to which its modules can move; as `npm run dev` has it. */
export class MovingShop {
  readonly shop: ProcessShop;
  readonly redis: RedisServer;
  readonly owners: Owners;
  readonly #settings: Settings;
  readonly #standbys = new Map<ModuleName, ExtraProcess>();
  /** All that have been started, also those that have ended. */
  readonly #processes: ShopProcess[];

  /**
   * @param movable the modules for which there is a standby
   * @param settings the same for all its processes
   * @param isTold whether its home knows the Redis from the start, and not only by the first move
   */
  static async start(movable: readonly ModuleName[], settings: Settings, isTold: boolean): Promise<MovingShop> {
    const redis = await startRedisServer();
    const shop = await oneProcess.start({
      LOG_LEVEL: "info",
      ...settings,
      ...(isTold && { REDIS_URL: redis.url }),
    });
    const moving = new MovingShop(shop, redis, settings);
    try {
      await Promise.all(movable.map((name) => moving.startStandby(name)));
    } catch (error) {
      await moving.stop();
      throw error;
    }
    return moving;
  }

  constructor(shop: ProcessShop, redis: RedisServer, settings: Settings) {
    this.shop = shop;
    this.redis = redis;
    this.#settings = settings;
    this.#processes = [shop.process("gateway")];
    this.owners = new Owners(shop.dataDir, () => this.#processes.map(({ pid }) => pid));
  }

  where(name: ModuleName): Where {
    return readPlacement(this.shop.dataDir, name).owner === HOME ? "home" : "standby";
  }

  process(name: ModuleName, where: Where): ShopProcess {
    return where === "home" ? this.shop.process("gateway") : this.#standbyOf(name);
  }

  /** Starts one, or again at the same address. */
  async startStandby(name: ModuleName): Promise<void> {
    const before = this.#standbys.get(name);
    const port = before === undefined ? {} : { [`${name.toUpperCase()}_PORT`]: new URL(before.url).port };
    const standby = await this.shop.startBeside(name, { STANDBY: "on", ...this.#settings, ...port });
    this.#standbys.set(name, standby);
    this.#processes.push(standby);
  }

  /** Starts its home again; resolves when the whole shop is ready. */
  async startHome(): Promise<void> {
    const started = this.shop.restart("gateway");
    this.#processes.push(this.shop.process("gateway"));
    await started;
  }

  /**
   * @param ask how, where a refusal is not to be taken for an answer
   * @throws Problem why it could not be
   */
  async move(name: ModuleName, to: Where, ask = askForMove): Promise<void> {
    const destination = to === "home" ? "here" : { url: this.#standbyOf(name).url };
    await ask(this.shop.dataDir, name, destination, this.redis.url);
  }

  /** The longest that each gate was closed, move by move, as the processes tell it. */
  gateTimes(): GateTime[] {
    const found = this.#processes.flatMap((each) => [...each.output().matchAll(TOLD)]);
    const times = found.map(([, module = "", generation, waitedMs]) => {
      return { module, generation: Number(generation), waitedMs: Number(waitedMs) };
    });
    const moves = Map.groupBy(times, ({ module, generation }) => `${module} ${generation}`);
    return [...moves.values()].flatMap((some) => some.toSorted((a, b) => b.waitedMs - a.waitedMs).slice(0, 1));
  }

  /** What its processes have warned of, oldest first. */
  warnings(): string[] {
    return this.#processes.flatMap((each) =>
      each
        .output()
        .split("\n")
        .filter((line) => WARNING.test(line)),
    );
  }

  /** All that each process has printed. */
  outputs(): string[] {
    return this.#processes.map((each) => `process ${each.pid}, which ${each.state}\n${each.output()}`);
  }

  async stop(): Promise<void> {
    this.owners.stop();
    await Promise.all(Array.from(this.#standbys.values(), (each) => each.kill()));
    await this.shop.stop();
    await this.redis.stop();
  }

  #standbyOf(name: ModuleName): ExtraProcess {
    const standby = this.#standbys.get(name);
    if (standby === undefined) throw new Error(`there is no standby for ${name}`);
    return standby;
  }
}

/** What a process tells when a module is somewhere else than before. */
const TOLD = /(\w+) is \S.* from now on \(generation (\d+)\); calls waited for (\d+) ms/g;

const WARNING = /WARN|ERROR|FATAL|"level":(40|50|60)/;
