import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { z } from "zod";
import { reachableUrl } from "../../base/origin.ts";
import { Problem } from "../../base/problem.ts";
import type { Control } from "../../control/controls.ts";
import { type ControlOperations, taking } from "../../control/operation.ts";
import { listen } from "../../http/server.ts";
import { type Config, environmentWith, portFlag } from "../../runtime/config.ts";
import { type ModuleName, moduleNames } from "../../runtime/modules.ts";
import type { provided } from "../../runtime/move/ask-for-move.ts";
import { findSeats, PROVIDE } from "../../runtime/move/others.ts";
import { HOME, type PlaceName } from "../../runtime/move/placement.ts";
import { readPlacement } from "../../runtime/move/placement-file.ts";
import { isReadyMessage } from "../greeting.ts";
import { hangRedis, killProducts, moveOrders, REDIS_ELSEWHERE } from "../supervising/controls.ts";
import { type OwnRedis, startRedis } from "./own-redis.ts";
import { Supervised } from "./supervised.ts";

/** Time for the processes to stop before the Redis that they use, and for that. */
const STOP_STANDBYS_MS = 8_500;
const STOP_REDIS_MS = 800;

interface Standby {
  readonly supervised: Supervised;
  readonly place: PlaceName;
  readonly url: string;
}

/**
 * What `dev` runs beside the process that serves, once a module is to be served apart: a standby for that, and a Redis where REDIS_URL names
 * none. Both are kept running until `dev` ends.
 */
export class Apart {
  readonly #config: Config;
  readonly #args: readonly string[];
  readonly #tell: (line: string) => void;
  readonly #standbys = new Map<ModuleName, Promise<Standby>>();
  #redis: Promise<OwnRedis | undefined> | undefined;
  readonly #running = new Map<ModuleName, Standby>();
  /** The Redis that was started here, once there is one. */
  #ownRedis: OwnRedis | undefined;

  /** @param args the settings that were given as flags; every process gets them */
  constructor(config: Config, args: readonly string[], tell: (line: string) => void) {
    this.#config = config;
    this.#args = args;
    this.#tell = tell;
  }

  /** What can be asked of it by the control socket. */
  readonly operations: ControlOperations = {
    [PROVIDE]: taking(z.strictObject({ module: z.enum(moduleNames) }), ({ module }) => this.#provide(module, 0)),
  };

  /** What can be done on purpose now: where products is out, to its process. */
  controls(): Control[] {
    const { DATA_DIR, REDIS_URL } = this.#config;
    const noRedis =
      REDIS_URL === undefined ? "There is no Redis yet: move orders out, and one is started." : REDIS_ELSEWHERE;
    const all = [moveOrders(this.#config), hangRedis(this.#ownRedis, noRedis)];
    const products = this.#running.get("products");
    const isThere = () => products?.place === readPlacement(DATA_DIR, "products").owner;
    if (products !== undefined && isThere()) all.push(killProducts([products.supervised], () => !isThere()));
    return all;
  }

  /** What it keeps running, as it prints it. */
  get names(): string[] {
    return [...this.#standbys.keys(), ...(this.#redis === undefined ? [] : ["Redis"])];
  }

  /** The settings of a process that is to go by the same Redis. */
  async environment(): Promise<NodeJS.ProcessEnv> {
    const redis = await this.#redis?.catch(() => undefined);
    return environmentWith(redis === undefined ? {} : { REDIS_URL: redis.url });
  }

  /** Starts those again to which modules had been moved when `dev` ended, where nobody else has. One that cannot be started is told of. */
  async restore(): Promise<void> {
    for (const name of moduleNames) {
      const { owner, url } = readPlacement(this.#config.DATA_DIR, name);
      if (owner === HOME || url === null) continue;
      const isThere = (await findSeats(this.#config.DATA_DIR, name)).some(({ place }) => place === owner);
      if (isThere) continue;
      await this.#provide(name, Number(new URL(url).port)).catch((error: Error) => this.#tell(error.message));
    }
  }

  /** Starts the standbys again, which have older code. */
  async startAgain(): Promise<void> {
    for (const standby of this.#standbys.values()) (await standby).supervised.child?.kill("SIGTERM");
  }

  /** Ends the standbys, whose modules go home first, where that is there. */
  async stopStandbys(): Promise<void> {
    const standbys = await Promise.allSettled(this.#standbys.values());
    const running = standbys.flatMap((each) => (each.status === "fulfilled" ? [each.value.supervised] : []));
    await Promise.all(running.map((each) => each.stop(STOP_STANDBYS_MS)));
  }

  /** Ends all. */
  async stop(): Promise<void> {
    await this.stopStandbys();
    await (await this.#redis?.catch(() => undefined))?.process.stop(STOP_REDIS_MS);
  }

  async #provide(name: ModuleName, port: number): Promise<z.input<typeof provided>> {
    if (this.#config.REDIS_URL === undefined) this.#redis ??= startRedis(this.#config.DATA_DIR, this.#tell);
    this.#ownRedis = await this.#redis;
    const redisUrl = this.#config.REDIS_URL ?? this.#ownRedis?.url;
    if (redisUrl === undefined) throw new Problem("draining", "There is no Redis, since this is about to stop.");
    const standby = this.#standbys.get(name) ?? this.#start(name, port, redisUrl);
    this.#standbys.set(name, standby);
    try {
      return { url: (await standby).url, redis_url: redisUrl };
    } catch (error) {
      this.#standbys.delete(name);
      throw error;
    }
  }

  async #start(name: ModuleName, port: number, redisUrl: string): Promise<Standby> {
    const url = reachableUrl(this.#config.HOST, port === 0 ? await freePort(this.#config.HOST) : port);
    const flags = ["--serve", name, "--standby", "on", portFlag(name), new URL(url).port];
    const supervised = new Supervised({
      name,
      start: () => this.#spawn(name, [...this.#args, ...flags], environmentWith({ REDIS_URL: redisUrl })),
      whenReady: (child) =>
        new Promise<void>((ready) => {
          child.on("message", (message) => {
            if (isReadyMessage(message)) ready();
          });
        }),
      end: (child) => child.kill("SIGTERM"),
      tell: this.#tell,
    });
    const fault = await Promise.race([supervised.ready, supervised.failed]);
    if (typeof fault !== "string") {
      const standby = { supervised, place: new URL(url).host, url };
      this.#running.set(name, standby);
      return standby;
    }
    await supervised.stop(0);
    throw new Problem("dependency-unavailable", `No process for ${name} could be started: ${fault}`);
  }

  #spawn(name: ModuleName, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
    const program = [...process.execArgv, process.argv[1] ?? "", ...args];
    const child = spawn(process.execPath, program, { env, stdio: ["ignore", "pipe", "pipe", "ipc"] });
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => this.#tell(`${name.padEnd(8)} │ ${line}`));
    }
    return child;
  }
}

async function freePort(host: string): Promise<number> {
  const probe = await listen(() => {}, host, 0);
  await probe.stop({ idleMs: 0, timeoutMs: 0 });
  return Number(new URL(probe.url).port);
}
