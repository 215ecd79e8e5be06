import { modules, type ServiceName, serviceNames } from "../../src/runtime/modules.ts";
import { type Figures, isDatabase, type Micros, ofDatabase, type ShopFigures, sum } from "./figures.ts";

/** How busy a processor may be on average, so that there is room for an hour that is busier than others. */
export const BUSY = 0.6;

/** The connections that a process has at most to the database of its module. */
export const CONNECTIONS = 10;

/** What a large machine for a primary has. */
export const PRIMARY_CORES = 64;

const SECONDS_A_DAY = 86_400;

/** An order makes one event in the log of orders, and one in that of products. */
const EVENTS = 2;

/** What an order takes of each, in microseconds of processor time, without what is done when nobody orders. */
export function microsPerOrder({ rounds, idleMicros }: Pick<ShopFigures, "rounds" | "idleMicros">): Micros {
  const names = Object.keys(idleMicros);
  return Object.fromEntries(
    names.map((name) => {
      const each = rounds.map(
        ({ cpuMicros, perSecond }) => (cpuMicros[name] ?? 0) - (idleMicros[name] ?? 0) / perSecond,
      );
      return [name, sum(each) / rounds.length];
    }),
  );
}

/** What so many orders an hour take. */
export interface Plan {
  readonly ordersPerSecond: number;
  /** So many of each service, each on one processor. */
  readonly processes: Readonly<Record<ServiceName, number>>;
  /** Processors for the application, for PostgreSQL and for Redis. */
  readonly applicationCores: number;
  readonly databaseCores: number;
  readonly redisCores: number;
  readonly connections: number;
  readonly walBytesPerSecond: number;
  readonly rowsPerSecond: number;
  readonly keptBytesPerDay: number;
  readonly redisBytes: number;
}

export function planFor(ordersPerHour: number, shop: ShopFigures): Plan {
  const ordersPerSecond = ordersPerHour / 3_600;
  const micros = microsPerOrder(shop);
  const coresFor = (perOrder: number) => (perOrder * ordersPerSecond) / 1e6 / BUSY;
  const idleCores = (service: ServiceName) => (shop.idleMicros[service] ?? 0) / shop.replicas / 1e6 / BUSY;
  const processes = Object.fromEntries(
    serviceNames.map((service) => [service, Math.max(2, Math.ceil(coresFor(micros[service] ?? 0)))]),
  ) as Record<ServiceName, number>;
  const walBytes = sum(shop.rounds.map((round) => round.walBytes)) / shop.rounds.length;
  return {
    ordersPerSecond,
    processes,
    applicationCores: sum(
      serviceNames.map((service) => coresFor(micros[service] ?? 0) + processes[service] * idleCores(service)),
    ),
    databaseCores: coresFor(ofDatabase(micros)),
    redisCores: coresFor(micros.redis ?? 0),
    connections: CONNECTIONS * sum(Object.keys(modules).map((name) => processes[name as ServiceName])),
    walBytesPerSecond: walBytes * ordersPerSecond,
    rowsPerSecond: shop.rowsPerOrder * ordersPerSecond,
    keptBytesPerDay: shop.bytesKeptPerOrder * ordersPerSecond * SECONDS_A_DAY,
    redisBytes: EVENTS * shop.redis.bytesPerEvent * shop.redis.secondsKept * ordersPerSecond,
  };
}

/** What goes no faster, however many replicas there are. */
export interface Limit {
  readonly what: string;
  readonly ordersPerSecond: number;
}

/** The lowest first. @param apart a shop in which each module has a server of its own */
export function limitsOf({ walls }: Figures, together: ShopFigures, apart: ShopFigures): readonly Limit[] {
  const primary = (micros: number) => (PRIMARY_CORES * BUSY * 1e6) / micros;
  const shares = Object.entries(microsPerOrder(apart)).filter(([name]) => isDatabase(name));
  const [busiest = "", most = Number.NaN] = shares.toSorted(([, one], [, other]) => other - one)[0] ?? [];
  return [
    { what: "reserving", ordersPerSecond: walls.reserving.perSecond },
    { what: "reserving one product", ordersPerSecond: walls.reservingOne.perSecond },
    { what: "numbering", ordersPerSecond: walls.numbering.perSecond },
    { what: "one primary", ordersPerSecond: primary(ofDatabase(microsPerOrder(together))) },
    { what: `a primary per module, of which the busiest is ${busiest}`, ordersPerSecond: primary(most) },
    { what: "one Redis", ordersPerSecond: (BUSY * 1e6) / (microsPerOrder(together).redis ?? Number.NaN) },
  ].toSorted((one, other) => one.ordersPerSecond - other.ordersPerSecond);
}
