import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Balancer, startBalancer } from "./balancer.ts";
import { areEventsApplied, type Databases } from "./databases.ts";
import { type PostgresServer, startPostgresServer } from "./postgres.ts";
import { databasesInPostgres } from "./postgres-databases.ts";
import { type PostgresPair, startPostgresPair } from "./postgres-pair.ts";
import { freePorts, type ShopProcess, startShopProcess, until, untilReady } from "./process.ts";
import { type RedisServer, startRedisServer } from "./redis.ts";
import {
  portSettingOf,
  SERVICES,
  type Service,
  type Settings,
  type Shop,
  type Split,
  TEST_SETTINGS,
  type Topology,
} from "./topology.ts";

/** One of the processes that serve the same services. */
export interface Replica {
  readonly services: readonly Service[];
  /** Of the first of its services. */
  readonly url: string;
  process: ShopProcess;
}

/** A shop of which several of each process run, behind a balancer, on one PostgreSQL. */
export interface ReplicatedShop extends Shop {
  /** The one that can be written to. */
  readonly postgres: PostgresServer;
  /** That one and its standby, if it has one. */
  readonly pair: PostgresPair | undefined;
  readonly redis: RedisServer | undefined;
  /** Of the superuser, by the one that can be written to now. */
  readonly database: string;
  /** The settings that say where its data are. */
  readonly data: Settings;
  readonly replicas: readonly Replica[];
  /** Those of a service, in the order of their addresses. */
  replicasOf(service: Service): readonly Replica[];
  /** Starts the process of a replica again, once it has ended; resolves when it is ready. */
  restart(replica: Replica): Promise<void>;
}

export interface ReplicatedTopology extends Topology {
  start(settings?: Settings): Promise<ReplicatedShop>;
}

interface Options {
  /** Which services share a process; each has one of its own if left out. */
  readonly split?: Split;
  readonly redis?: boolean;
  /** Whether its PostgreSQL has a synchronous standby that can take its place. */
  readonly standby?: boolean;
}

/** What so many processes need. */
const CONNECTIONS = ["max_connections=400"];

/** So many replicas of each process. */
export function replicated(name: string, count: number, options: Options = {}): ReplicatedTopology {
  const { split = SERVICES.map((service) => [service]), redis: withRedis = true, standby = false } = options;
  return {
    name,
    usesPostgres: true,
    async start(settings = {}) {
      const folder = await mkdtemp(join(tmpdir(), "quartet-replicas-"));
      const redis = withRedis ? await startRedisServer() : undefined;
      const postgres = await (standby
        ? startPostgresPair("synchronous", CONNECTIONS)
        : startPostgresServer(CONNECTIONS));
      const database = await postgres.createDatabase();
      const ports = await portsOf(split, count);
      const env = {
        ...TEST_SETTINGS,
        ...urlsOf(ports),
        DATA_DIR: folder,
        DATABASE_URL: database,
        ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
        ...settings,
      };
      const shop = new Replicas({ split, ports, env, folder, redis, postgres, database });
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

/** Two of each of four services. */
export const twoOfEach: ReplicatedTopology = replicated("two of each on PostgreSQL", 2);

/** Two processes that serve all, without Redis. */
export const twoOfOne: ReplicatedTopology = replicated("two of one process on PostgreSQL", 2, {
  split: [SERVICES],
  redis: false,
});

/** Four processes that serve all, and a Redis. */
export const fourOfOne: ReplicatedTopology = replicated("four of one process on PostgreSQL", 4, { split: [SERVICES] });

/** The ports of the replicas of each service. */
type Ports = ReadonlyMap<Service, readonly number[]>;

async function portsOf(split: Split, count: number): Promise<Ports> {
  const listening = split.flatMap((services) =>
    services.length === SERVICES.length ? ["gateway" as const] : services,
  );
  const ports = await freePorts(listening.length * count);
  return new Map(listening.map((service, at) => [service, ports.slice(at * count, (at + 1) * count)]));
}

function urlsOf(ports: Ports): Settings {
  const urls = [...ports].filter(([service]) => service !== "gateway");
  return Object.fromEntries(
    urls.map(([service, own]) => [`${service.toUpperCase()}_URL`, own.map(originOf).join(",")]),
  );
}

function originOf(port: number): string {
  return `http://127.0.0.1:${port}`;
}

interface Parts {
  readonly split: Split;
  readonly ports: Ports;
  readonly env: Settings;
  readonly folder: string;
  readonly redis: RedisServer | undefined;
  readonly postgres: PostgresServer | PostgresPair;
  /** As its processes are told of it. */
  readonly database: string;
}

class Replicas implements ReplicatedShop {
  readonly redis: RedisServer | undefined;
  readonly replicas: Replica[] = [];
  readonly #parts: Parts;
  #balancer: Balancer | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.redis = parts.redis;
  }

  get pair(): PostgresPair | undefined {
    const { postgres } = this.#parts;
    return "primary" in postgres ? postgres : undefined;
  }

  get postgres(): PostgresServer {
    const { postgres } = this.#parts;
    return "primary" in postgres ? postgres.primary : postgres;
  }

  get database(): string {
    const { database } = this.#parts;
    return this.pair?.atPrimary(database) ?? database;
  }

  get data(): Settings {
    return { DATABASE_URL: this.#parts.database };
  }

  /** Of the balancer. */
  get url(): string {
    return this.#balancer?.url ?? "";
  }

  async begin(): Promise<void> {
    const { split, ports } = this.#parts;
    const gateways = ports.get("gateway")?.map(originOf) ?? [];
    for (const services of split) {
      const own = ports.get(services[0] ?? "gateway") ?? [];
      own.forEach((port, at) => {
        this.replicas.push({ services, url: originOf(port), process: this.#spawn(services, at) });
      });
    }
    await Promise.all(this.replicas.map(({ url, process }) => untilReady(url, [process])));
    this.#balancer = await startBalancer(gateways);
    await untilReady(this.url, []);
  }

  replicasOf(service: Service): readonly Replica[] {
    return this.replicas.filter(({ services }) => services.includes(service));
  }

  async restart(replica: Replica): Promise<void> {
    const at = this.replicas.filter(({ services }) => services === replica.services).indexOf(replica);
    replica.process = this.#spawn(replica.services, at);
    await untilReady(replica.url, [replica.process]);
  }

  async databases(): Promise<never> {
    throw new Error("there are no files");
  }

  async look(): Promise<Databases> {
    return databasesInPostgres(this.database);
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

  async stop(): Promise<void> {
    await Promise.all(this.replicas.map(({ process }) => process.terminate()));
    await this.#balancer?.stop();
    await this.redis?.stop();
    await this.#parts.postgres.stop();
    await rm(this.#parts.folder, { recursive: true, force: true });
  }

  #spawn(services: readonly Service[], at: number): ShopProcess {
    const { ports, env, folder } = this.#parts;
    const own = services.flatMap((service) => {
      const port = ports.get(service)?.[at];
      return port === undefined ? [] : [[portSettingOf(service), `${port}`]];
    });
    return startShopProcess({ env: { ...env, ...Object.fromEntries(own), SERVE: services.join(",") }, cwd: folder });
  }
}
