import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ServiceName, serviceNames } from "../../src/runtime/modules.ts";
import { ADMIN } from "./api.ts";
import { areEventsApplied, type Databases, databasesIn, MODULES, type ModuleName } from "./databases.ts";
import { databasesInPostgres } from "./postgres-databases.ts";
import { type Exit, freePorts, type ShopProcess, startShopProcess, until, untilReady } from "./process.ts";
import { type RedisServer, startRedisServer } from "./redis.ts";
import { type DatabaseWays, type ShopDatabase, startShopDatabase } from "./shop-database.ts";

export const SERVICES = serviceNames;
export type Service = ServiceName;

/** Which services share a process. */
export type Split = readonly (readonly Service[])[];

export type Settings = Readonly<Record<string, string>>;

/** A way to run the shop. */
export interface Topology {
  readonly name: string;
  /** Whether any of its modules are in PostgreSQL, and not all in files. */
  readonly usesPostgres?: boolean;
  /** Whether its databases are opened more than once. */
  readonly opensAgain?: boolean;
  /** Starts it, empty but for what seeding writes; resolves when it is ready. @param settings the same for all its processes */
  start(settings?: Settings): Promise<Shop>;
}

/** A shop that runs, whatever it is made of. */
export interface Shop {
  /** Of the gateway. */
  readonly url: string;
  /** Fetches the modules' databases where they can be read; a file per module. Again for a later look. */
  databases(): Promise<(module: ModuleName) => string>;
  /** Looks at them, wherever they are. Again for a later look. */
  look(): Promise<Databases>;
  /** Resolves when no event is on its way. */
  settled(): Promise<void>;
  /** Takes its Redis away from one moment to the next; nothing happens where there is none. */
  loseRedis(): Promise<void>;
  returnRedis(): Promise<void>;
  /** Does what nobody is to notice, where there is something; called between the steps of what is played. @param scenario what that is */
  betweenSteps?(scenario: string): Promise<void>;
  /** How often a module has moved to another process. */
  readonly moves?: number;
  stop(): Promise<void>;
}

/** A shop of processes of this machine, which can be harmed one by one. */
export interface ProcessShop extends Shop {
  readonly redis: RedisServer | undefined;
  readonly database: ShopDatabase | undefined;
  /** Of all its processes. */
  readonly dataDir: string;
  /** The settings that say where its data are. */
  readonly data: Settings;
  /** The process that serves this, as it is now. */
  process(service: Service): ShopProcess;
  kill(service: Service): Promise<Exit>;
  /**
   * Starts the process that serves this again; resolves when the whole shop is ready.
   * @param preload a module that Node loads before the product
   */
  restart(service: Service, preload?: URL): Promise<void>;
  /**
   * Starts one more process that serves a module, at a port that the others do not know; resolves when it is ready.
   * @param settings what it is told beside; with STANDBY it resolves when it stands by
   */
  startBeside(module: ModuleName, settings?: Settings): Promise<ExtraProcess>;
  /** Ends all its processes as an operator does; its Redis stays. */
  halt(): Promise<void>;
  /** Starts them again; resolves when the whole shop is ready. */
  begin(): Promise<void>;
}

/** A process that serves a module beside another. */
export interface ExtraProcess extends ShopProcess {
  readonly url: string;
}

export interface ProcessTopology extends Topology {
  start(settings?: Settings): Promise<ProcessShop>;
}

export const oneProcess: ProcessTopology = processes("one process", [SERVICES], { redis: false });
export const oneProcessWithRedis: ProcessTopology = processes("one process with Redis", [SERVICES]);
export const fourProcesses: ProcessTopology = processes("four processes", apart());
export const fourProcessesNodeFetch: ProcessTopology = processes("four processes, node-fetch", apart(), {
  settings: { HTTP_CLIENT: "node-fetch" },
});
/** Where the gateway serves no module, and knows them by what it is told. */
export const threeBehindGateway: ProcessTopology = processes("gateway | users+products+orders", [["gateway"], MODULES]);

export const oneOnPostgres: ProcessTopology = oneOn({});
export const fourOnPostgres: ProcessTopology = fourOn({});
export const fourThroughPooler: ProcessTopology = fourOn({ pooled: true });
/** Its users keep their file, the others have moved. */
export const fourOnBoth: ProcessTopology = processes("four processes, users on SQLite, others on PostgreSQL", apart(), {
  inPostgres: MODULES.filter((name) => name !== "users"),
});

/** The other ways to split the services over processes: of 15 for four services (52 for five) all but one process and all apart. */
export const otherSplits: readonly ProcessTopology[] = partitions(SERVICES)
  .filter((split) => split.length > 1 && split.length < SERVICES.length)
  .map((split) => processes(split.map((services) => services.join("+")).join(" | "), split));

/** One process with all its data in a PostgreSQL. @param ways what is other than usual about that */
export function oneOn(ways: DatabaseWays): ProcessTopology {
  return processes(`one process ${describeWays(ways)}`, [SERVICES], { redis: false, inPostgres: MODULES, ways });
}

/** Four processes on the same. */
export function fourOn(ways: DatabaseWays): ProcessTopology {
  return processes(`four processes ${describeWays(ways)}`, apart(), { inPostgres: MODULES, ways });
}

function describeWays({ pooled = false, serializable = false }: DatabaseWays): string {
  return `on PostgreSQL${pooled ? " through PgBouncer" : ""}${serializable ? ", SERIALIZABLE" : ""}`;
}

interface ProcessTopologyOptions {
  readonly redis?: boolean;
  readonly settings?: Settings;
  /** The modules whose data are in PostgreSQL; none if left out. */
  readonly inPostgres?: readonly ModuleName[];
  readonly ways?: DatabaseWays;
}

/** Quick and quiet. Limits are for those tests that ask for them, also that of the time a call may take on a machine that stands still. */
export const TEST_SETTINGS: Settings = {
  NODE_ENV: "test",
  CALL_TIMEOUT: "10000",
  ADMIN_EMAIL: ADMIN.email,
  ADMIN_PASSWORD: ADMIN.password,
  LOG_LEVEL: "warn",
  BCRYPT_COST: "4",
  RATE_LIMIT: "off",
  AUTH_RATE_LIMIT: "off",
  REFRESH_RATE_LIMIT: "off",
};

function processes(
  name: string,
  split: Split,
  { redis: withRedis = true, settings: own = {}, inPostgres = [], ways = {} }: ProcessTopologyOptions = {},
): ProcessTopology {
  return {
    name,
    usesPostgres: inPostgres.length > 0,
    async start(settings = {}) {
      const folder = await mkdtemp(join(tmpdir(), "quartet-"));
      const redis = withRedis ? await startRedisServer() : undefined;
      const database = inPostgres.length > 0 ? await startShopDatabase(inPostgres, ways) : undefined;
      const places = await placesIn(folder, redis, database);
      const env = { ...TEST_SETTINGS, ...places, ...own, ...settings };
      const shop = new Processes(split, env, folder, redis, database);
      try {
        await shop.begin();
      } catch (error) {
        await shop.stop();
        throw error;
      }
      return shop;
    },
  };
}

/** Where everything is: each service has a port, used only where it has a process of its own. */
async function placesIn(
  folder: string,
  redis: RedisServer | undefined,
  database: ShopDatabase | undefined,
): Promise<Settings> {
  const ports = await freePorts(SERVICES.length);
  return {
    ...placesOf(SERVICES.map((service, at) => [service, ports[at] ?? 0])),
    DATA_DIR: folder,
    ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
    ...database?.settings,
  };
}

/** The settings that say where services are on this machine. */
export function placesOf(ports: Iterable<readonly [Service, number]>): Settings {
  const settings = [...ports].flatMap(([service, port]) => {
    const own = [portSettingOf(service), `${port}`];
    return service === "gateway" ? [own] : [own, [`${service.toUpperCase()}_URL`, `http://127.0.0.1:${port}`]];
  });
  return Object.fromEntries(settings);
}

/** The name of the setting that says on which port a service listens. */
export function portSettingOf(service: Service): string {
  return service === "gateway" ? "PORT" : `${service.toUpperCase()}_PORT`;
}

class Processes implements ProcessShop {
  readonly url: string;
  readonly redis: RedisServer | undefined;
  readonly database: ShopDatabase | undefined;
  readonly #split: Split;
  readonly #env: Settings;
  readonly dataDir: string;
  readonly data: Settings;
  readonly #running = new Map<readonly Service[], ShopProcess>();

  constructor(
    split: Split,
    env: Settings,
    folder: string,
    redis: RedisServer | undefined,
    database: ShopDatabase | undefined,
  ) {
    this.#split = split;
    this.#env = env;
    this.dataDir = folder;
    this.data = Object.fromEntries(
      Object.entries(env).filter(([name]) => /^DATA_DIR$|DATABASE_(URL|POOLED)$/.test(name)),
    );
    this.redis = redis;
    this.database = database;
    this.url = `http://127.0.0.1:${env.PORT}`;
  }

  async begin(): Promise<void> {
    for (const services of this.#split) this.#spawn(services);
    await untilReady(this.url, [...this.#running.values()]);
  }

  process(service: Service): ShopProcess {
    const found = this.#running.get(this.#group(service));
    if (found === undefined) throw new Error(`${service} was not started`);
    return found;
  }

  kill(service: Service): Promise<Exit> {
    return this.process(service).kill();
  }

  async restart(service: Service, preload?: URL): Promise<void> {
    this.#spawn(this.#group(service), preload);
    // The gateway looks at its neighbours once a second: for a while it may still tell how they were before.
    if (service !== "gateway" && this.#split.length > 1) {
      const port = this.#env[portSettingOf(service)];
      await untilReady(`http://127.0.0.1:${port}`, [this.process(service)]);
    }
    await this.#allReady();
  }

  async startBeside(module: ModuleName, settings: Settings = {}): Promise<ExtraProcess> {
    const port = settings[portSettingOf(module)] ?? `${(await freePorts(1))[0]}`;
    const env = { ...this.#env, SERVE: module, ...settings, [portSettingOf(module)]: port };
    const started = startShopProcess({ env, cwd: this.dataDir });
    const url = `http://127.0.0.1:${port}`;
    await untilReady(url, [started], settings.STANDBY === "on" ? "/livez" : "/readyz");
    return Object.assign(started, { url });
  }

  async databases(): Promise<(module: ModuleName) => string> {
    return this.#fileOf;
  }

  async look(): Promise<Databases> {
    const inFiles = databasesIn(this.#fileOf);
    const inPostgres = this.database && databasesInPostgres(this.database.url);
    const placeOf = (module: ModuleName) => {
      const isInPostgres = `${module.toUpperCase()}_DATABASE_URL` in this.#env || "DATABASE_URL" in this.#env;
      return isInPostgres && inPostgres !== undefined ? inPostgres : inFiles;
    };
    return {
      tables: (module) => placeOf(module).tables(module),
      standing: (module) => placeOf(module).standing(module),
    };
  }

  settled(): Promise<void> {
    return until("all events are applied", () => areEventsApplied(() => this.look()), 60_000);
  }

  async loseRedis(): Promise<void> {
    await this.redis?.kill();
  }

  async returnRedis(): Promise<void> {
    await this.redis?.start();
  }

  async halt(): Promise<void> {
    await Promise.all([...this.#running.values()].map((each) => each.terminate()));
  }

  async stop(): Promise<void> {
    await this.halt();
    await this.redis?.stop();
    await this.database?.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  readonly #fileOf = (module: ModuleName): string => join(this.dataDir, `${module}.db`);

  #group(service: Service): readonly Service[] {
    const group = this.#split.find((services) => services.includes(service));
    if (group === undefined) throw new Error(`nobody serves ${service}`);
    return group;
  }

  #spawn(services: readonly Service[], preload?: URL): void {
    const env = { ...this.#env, SERVE: services.join(",") };
    const options = { env, cwd: this.dataDir };
    this.#running.set(services, startShopProcess(preload === undefined ? options : { ...options, preload }));
  }

  /** The gateway's readiness tells of all modules. */
  #allReady(): Promise<void> {
    return untilReady(
      this.url,
      [...this.#running.values()].filter(({ running }) => running),
    );
  }
}

function apart(): Split {
  return SERVICES.map((service) => [service]);
}

/** All ways to part a list into groups: the first element joins each group of each way to part the rest, or none. */
function partitions<T>([first, ...rest]: readonly T[]): T[][][] {
  if (first === undefined) return [[]];
  return partitions(rest).flatMap((groups) => [
    [[first], ...groups],
    ...groups.map((_, at) => groups.map((group, index) => (index === at ? [first, ...group] : group))),
  ]);
}
