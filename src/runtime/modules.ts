import { deadLetters } from "../call/dead-letters.ts";
import type { Contract } from "../contract/contract.ts";
import { orders } from "../modules/orders/contract.ts";
import { products } from "../modules/products/contract.ts";
import { users } from "../modules/users/contract.ts";
import type { UsersSettings } from "../modules/users/index.ts";
import type { InPostgres } from "../store/move/move.ts";

interface ModuleEntry {
  readonly contract: Contract;
  /** Whom it may call. */
  readonly calls: readonly string[];
  /** Whose events it applies. */
  readonly hears: readonly string[];
  /** What it is set to by the configuration; nothing if left out. */
  settings?(config: ModuleConfig): object;
  /** Its factory, loaded only where it is served. */
  load(): Promise<unknown>;
  /** What PostgreSQL keeps of it beside what SQLite does; nothing if left out. */
  inPostgres?(): Promise<InPostgres>;
}

/** What modules are given of the configuration. */
interface ModuleConfig {
  readonly production: boolean;
  readonly admin: UsersSettings["admin"];
  readonly BCRYPT_COST: number;
  readonly TOKEN_TTL: number;
  readonly REFRESH_TTL: number;
  readonly LOGIN_FAILURES: number;
  readonly JWT_ISSUER: string;
  readonly JWT_AUDIENCE: string;
  readonly JWT_KEY_FILE: string | undefined;
}

/** The whole system. */
export const modules = {
  users: {
    contract: users,
    calls: [],
    hears: [],
    settings: (config): UsersSettings => ({
      bcryptCost: config.BCRYPT_COST,
      tokenTtlSeconds: config.TOKEN_TTL,
      refreshTtlSeconds: config.REFRESH_TTL,
      freeFailures: config.LOGIN_FAILURES,
      jwtIssuer: config.JWT_ISSUER,
      jwtAudience: config.JWT_AUDIENCE,
      jwtKeyFile: config.JWT_KEY_FILE,
      admin: config.admin,
      refusesDemoUsers: config.production,
    }),
    load: async () => (await import("../modules/users/index.ts")).createUsers,
  },
  products: {
    contract: products,
    calls: [],
    hears: ["orders"],
    load: async () => (await import("../modules/products/index.ts")).createProducts,
    inPostgres: async () => (await import("../modules/products/index.ts")).inPostgres,
  },
  orders: {
    contract: orders,
    calls: ["users", "products"],
    hears: ["products"],
    load: async () => (await import("../modules/orders/index.ts")).createOrders,
  },
} as const satisfies Readonly<Record<string, ModuleEntry>>;

export type ModuleName = keyof typeof modules;

/** What a process can serve: the modules, and the gateway before them. */
export type ServiceName = ModuleName | "gateway";

export const moduleNames = Object.keys(modules) as ModuleName[];
export const serviceNames: readonly ServiceName[] = ["gateway", ...moduleNames];

/** All that the gateway serves to the public, each operation once. */
export const publicContracts: readonly Contract[] = [...moduleNames.map((name) => modules[name].contract), deadLetters];

/** What the configuration sets a module to. */
export function settingsOf(name: ModuleName, config: ModuleConfig): object {
  const entry: ModuleEntry = modules[name];
  return entry.settings?.(config) ?? {};
}

/** What is made anew of a module's data where they are moved to PostgreSQL. */
export async function inPostgresOf(name: ModuleName): Promise<InPostgres> {
  const entry: ModuleEntry = modules[name];
  return (await entry.inPostgres?.()) ?? { columns: {}, fills: [] };
}

/** True when a process that serves these needs no other process. */
export function servesAll(serve: readonly ServiceName[]): boolean {
  return serviceNames.every((name) => serve.includes(name));
}

/** The services that a process listens for; one that serves all listens for the gateway alone. */
export function listeningServices(serve: readonly ServiceName[]): readonly ServiceName[] {
  return servesAll(serve) ? ["gateway"] : serve;
}

/** The modules that a process must reach elsewhere: whom its own may call, users for its keys, and all for the gateway. */
export function remoteNeighbours(serve: readonly ServiceName[]): ModuleName[] {
  const needed = serve.flatMap((name) => (name === "gateway" ? moduleNames : ["users", ...modules[name].calls]));
  return moduleNames.filter((name) => needed.includes(name) && !serve.includes(name));
}

/** The names of the modules that apply this module's events, wherever they run. */
export function subscribersOf(publisher: ModuleName): ModuleName[] {
  return moduleNames.filter((name) => modules[name].hears.some((heard) => heard === publisher));
}
