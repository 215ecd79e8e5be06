/** What a run of `npm run bench:scale` found, as `measured.json` has it: all that docs/CAPACITY.md computes with. */
export interface Figures {
  readonly occasion: string;
  readonly command: string;
  /** Orders a second that each shop was asked for, one after the other in rounds. */
  readonly perSecond: number;
  readonly shops: readonly ShopFigures[];
  /** The first shop with so many connections, each of which orders again as soon as it was answered. */
  readonly fullLoad: { readonly connections: number; readonly perSecond: number; readonly cpuMicros: Micros };
  readonly walls: Walls;
}

/** Processor time in microseconds, by what took it: `redis`, the servers of PostgreSQL (`postgres…`), the services. */
export type Micros = Readonly<Record<string, number>>;

export interface ShopFigures {
  readonly name: string;
  /** Of each service. */
  readonly replicas: number;
  readonly rounds: readonly Round[];
  /** While nobody asks for anything: microseconds of processor time in a second. */
  readonly idleMicros: Micros;
  /** Rows inserted, changed or deleted, and transactions that were committed, for an order; without what goes on idle. */
  readonly rowsPerOrder: number;
  readonly commitsPerOrder: number;
  /** What an order leaves in the database's files, indexes and dead rows too. */
  readonly bytesKeptPerOrder: number;
  /** How many events are handled in one transaction: numbered in the log of orders, reserved by products, confirmed by orders. */
  readonly groups: { readonly numbered: number; readonly reserved: number; readonly confirmed: number };
  /** What connections were at that had a transaction or a statement under way, as shares of all such looks: `running`, `Lock`, `IO`… */
  readonly waits: Readonly<Record<string, number>>;
  /** Connections of the shop to all its servers, the most that were seen. */
  readonly connections: number;
  /** Bytes that Redis has for an event of the log, and for how long, in seconds, it keeps one. */
  readonly redis: { readonly bytesPerEvent: number; readonly secondsKept: number };
  /** The most memory that a process of each service had, in bytes. */
  readonly memoryBytes: Readonly<Record<string, number>>;
}

export interface Round {
  readonly orders: number;
  readonly perSecond: number;
  /** For an order, until all of them were confirmed. */
  readonly cpuMicros: Micros;
  readonly walBytes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** How fast what goes one after the other goes when nothing else does. */
export interface Walls {
  /** Events of one log that get their numbers in a second, and the server's microseconds for each. */
  readonly numbering: Wall;
  /** Orders that products reserves in a second, of many products and of a single one. */
  readonly reserving: Wall;
  readonly reservingOne: Wall;
  /** Orders that are written in a second by one process over so many connections, and commits that share a sync. */
  readonly writing: readonly (Wall & { readonly connections: number; readonly commitsPerSync: number })[];
}

export interface Wall {
  readonly perSecond: number;
  readonly serverMicros: number;
  /** Of the process that asks the server. */
  readonly clientMicros: number;
}

export function sum(figures: Iterable<number>): number {
  let total = 0;
  for (const figure of figures) total += figure;
  return total;
}

/** Of the servers of PostgreSQL. */
export function ofDatabase(micros: Micros): number {
  return sum(Object.entries(micros).flatMap(([name, each]) => (isDatabase(name) ? [each] : [])));
}

/** Of the services. */
export function ofApplication(micros: Micros): number {
  return sum(Object.entries(micros).flatMap(([name, each]) => (isDatabase(name) || name === "redis" ? [] : [each])));
}

export function isDatabase(name: string): boolean {
  return name.startsWith("postgres");
}
