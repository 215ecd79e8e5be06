import { setTimeout as sleep } from "node:timers/promises";
import { serviceNames } from "../../src/runtime/modules.ts";
import type { Pace } from "../load.ts";
import { openShop, type Shop } from "../shop.ts";
import { latency } from "../table.ts";
import { type Micros, type Round, type ShopFigures, sum } from "./figures.ts";
import { type Replicated, type ReplicatedOptions, startReplicas } from "./replicas.ts";
import { type Seen, watch } from "./watch.ts";

/** In which all backends of a server tell what they have done. */
const TELLS_WITHIN_MS = 11_000;

/** A shop that is measured, and what was seen of it so far. */
export interface Subject {
  readonly name: string;
  readonly replicas: number;
  readonly topology: Replicated;
  readonly shop: Shop;
  readonly rounds: Round[];
  readonly seen: Seen[];
}

/** @throws Error when it does not come up */
export async function openSubject(name: string, options: ReplicatedOptions): Promise<Subject> {
  const topology = await startReplicas(options);
  try {
    const shop = await openShop(name, topology);
    return { name, replicas: options.replicas, topology, shop, rounds: [], seen: [] };
  } catch (error) {
    await topology.stop();
    throw error;
  }
}

/** One stretch of load on one of them. */
export async function measureRound(
  { topology, shop, rounds, seen }: Subject,
  pace: Pace,
  durationMs: number,
): Promise<Round> {
  const stopWatching = watch(topology);
  const walBefore = sum((await written(topology)).map(({ walBytes }) => walBytes));
  const measured = await shop.measure("orders", pace, durationMs);
  const walAfter = sum((await written(topology)).map(({ walBytes }) => walBytes));
  seen.push(await stopWatching());
  const round = {
    orders: measured.answers,
    perSecond: measured.perSecond,
    cpuMicros: Object.fromEntries(measured.cpuMicros),
    walBytes: (walAfter - walBefore) / measured.answers,
    p50Ms: latency(measured.latenciesMs, 0.5),
    p99Ms: latency(measured.latenciesMs, 0.99),
  };
  rounds.push(round);
  return round;
}

/** What is told of by counters, of which each has to be looked at twice: after a rest, when all is told. */
export interface Counted {
  readonly atMs: number;
  readonly rows: number;
  readonly commits: number;
  readonly bytes: number;
  readonly cpuMicros: Micros;
}

export async function count({ topology }: Subject): Promise<Counted> {
  const all = await written(topology);
  const sizes = await Promise.all(topology.servers.map(({ ask }) => ask<{ bytes: string }>(SIZE)));
  const cpuMicros: Record<string, number> = {};
  for (const each of topology.processes) cpuMicros[each.name] = (cpuMicros[each.name] ?? 0) + each.cpuMicros();
  return {
    atMs: performance.now(),
    rows: sum(all.map(({ rows }) => rows)),
    commits: sum(all.map(({ commits }) => commits)),
    bytes: sum(sizes.flat().map(({ bytes }) => Number(bytes))),
    cpuMicros,
  };
}

const SIZE = "SELECT pg_database_size(current_database()) AS bytes";

/** Counts while nobody asks for anything. */
export async function countIdle(
  subjects: readonly Subject[],
  idleMs: number,
): Promise<readonly (readonly Counted[])[]> {
  await sleep(TELLS_WITHIN_MS);
  const before = await Promise.all(subjects.map(count));
  await sleep(idleMs);
  const after = await Promise.all(subjects.map(count));
  return subjects.map((_, at) => [before[at], after[at]].flatMap((each) => each ?? []));
}

/** All that was found, once its rounds are over. @param idle two looks while nobody asked, before the rounds */
export async function figuresOf(
  subject: Subject,
  idle: readonly Counted[],
  before: Counted,
  after: Counted,
): Promise<ShopFigures> {
  const { name, replicas, topology, rounds, seen } = subject;
  const [idleFrom = before, idleTo = before] = idle;
  const idleSeconds = (idleTo.atMs - idleFrom.atMs) / 1_000;
  const seconds = (after.atMs - before.atMs) / 1_000;
  const orders = sum(rounds.map((round) => round.orders));
  const perOrder = (of: "rows" | "commits") =>
    (after[of] - before[of] - ((idleTo[of] - idleFrom[of]) / idleSeconds) * seconds) / orders;
  const memory = topology.processes.map((process) => [process.name, process.memoryBytes()] as const);
  const mostOf = (service: string) => Math.max(...memory.flatMap(([of, bytes]) => (of === service ? [bytes] : [])));
  return {
    name,
    replicas,
    rounds: [...rounds],
    idleMicros: Object.fromEntries(
      Object.entries(idleTo.cpuMicros).map(([of, to]) => [of, (to - (idleFrom.cpuMicros[of] ?? 0)) / idleSeconds]),
    ),
    rowsPerOrder: perOrder("rows"),
    commitsPerOrder: perOrder("commits"),
    bytesKeptPerOrder: (after.bytes - before.bytes) / orders,
    groups: await groupsOf(topology),
    waits: sharesOf(seen),
    connections: Math.max(...seen.map(({ connections }) => connections)),
    redis: redisOf(seen, rounds),
    memoryBytes: Object.fromEntries(serviceNames.map((service) => [service, mostOf(service)])),
  };
}

function sharesOf(seen: readonly Seen[]): Record<string, number> {
  const shares: Record<string, number> = {};
  const all = sum(seen.flatMap(({ at }) => [...at.values()]));
  for (const { at } of seen) for (const [where, times] of at) shares[where] = (shares[where] ?? 0) + times / all;
  return shares;
}

/** An order is two events: that it was created, and what became of it. */
function redisOf(seen: readonly Seen[], rounds: readonly Round[]): ShopFigures["redis"] {
  const events = sum(seen.map(({ redis }) => redis.events));
  const bytes = sum(seen.map(({ redis }) => redis.bytes));
  const ordersPerSecond = sum(rounds.map(({ perSecond }) => perSecond)) / rounds.length;
  if (events === 0) throw new Error("Redis was never seen with an event: the stretches are too short");
  return { bytesPerEvent: bytes / events, secondsKept: events / seen.length / (2 * ordersPerSecond) };
}

/** The transaction that a row was last written by is in the row. */
async function groupsOf({ servers }: Replicated): Promise<ShopFigures["groups"]> {
  const size = async (table: string) => {
    for (const { ask } of servers) {
      const [{ size } = { size: null }] = await ask<{ size: number | null }>(
        `SELECT count(*)::float8 / nullif(count(DISTINCT xmin::text), 0) AS size FROM ${table}`,
      ).catch(() => []); // it is in another server
      if (size !== null) return size;
    }
    return Number.NaN;
  };
  return {
    numbered: await size("orders.outbox"),
    reserved: await size("products.stock_ledger"),
    confirmed: await size("orders.orders"),
  };
}

function written({ servers }: Replicated) {
  return Promise.all(servers.map((server) => server.written()));
}
