import { isRecord } from "./json.ts";

/** What the shop did in one second, as the gateway measured it. */
export interface Pulse {
  /** When the second ended, in milliseconds since 1970 by the clock of the gateway. */
  readonly atMs: number;
  readonly answered: number;
  readonly failed: number;
  /** Null where nothing was asked. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Subscriber → events that wait for it. */
  readonly backlog: Readonly<Record<string, number>>;
  /** Module → `here`, or where it listens. */
  readonly placement: Readonly<Record<string, string>>;
  /** The modules that did not answer. */
  readonly down: readonly string[];
  /** How many orders waited in this page when it came. */
  readonly held: number;
}

/** How many seconds are shown. */
export const SHOWN_SECONDS = 60;

/** @param held how many orders wait in this page. @returns undefined for what is no pulse */
export function readPulse(data: unknown, held: number): Pulse | undefined {
  if (!isRecord(data) || typeof data.at !== "string") return undefined;
  const atMs = Date.parse(data.at);
  if (Number.isNaN(atMs)) return undefined;
  return {
    atMs,
    answered: Number(data.answered),
    failed: Number(data.failed),
    p50Ms: typeof data.p50_ms === "number" ? data.p50_ms : null,
    p99Ms: typeof data.p99_ms === "number" ? data.p99_ms : null,
    backlog: readEntries(data.backlog, Number),
    placement: readEntries(data.placement, String),
    down: Array.isArray(data.down) ? data.down.map(String) : [],
    held,
  };
}

function readEntries<T>(data: unknown, read: (value: unknown) => T): Readonly<Record<string, T>> {
  if (!isRecord(data)) return {};
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, read(value)]));
}

/** Adds pulses to those of the last minute, each once and in their order; what is older is left out. */
export function addPulses(known: readonly Pulse[], more: readonly Pulse[]): readonly Pulse[] {
  const times = new Set(known.map(({ atMs }) => atMs));
  const all = [...known, ...more.filter(({ atMs }) => !times.has(atMs))].sort((one, other) => one.atMs - other.atMs);
  const newest = all.at(-1)?.atMs ?? 0;
  return all.filter(({ atMs }) => newest - atMs < (SHOWN_SECONDS - 0.5) * 1_000);
}

/** All that waits: events for their subscribers, and orders in this page. */
export function waitingOf(pulse: Pulse): number {
  return eventsOf(pulse) + pulse.held;
}

/** The events that wait for their subscribers. */
export function eventsOf({ backlog }: Pulse): number {
  return Object.values(backlog).reduce((sum, count) => sum + count, 0);
}

/** How many seconds something has to last before it is spoken of: what is over at once is no news. */
const LASTING = 3;

/** The state of things in a sentence that changes only when they do, for those who hear the page. */
export function describePulses(pulses: readonly Pulse[]): string {
  const last = pulses.slice(-LASTING);
  const latest = last.at(-1);
  if (latest === undefined) return "";
  const failing = last.some(({ failed }) => failed > 0) ? "Requests fail." : "No request fails.";
  const isLasting = (waits: (pulse: Pulse) => number): boolean => last.every((pulse) => waits(pulse) > 0);
  const behind = Object.keys(latest.backlog).filter((module) => isLasting(({ backlog }) => backlog[module] ?? 0));
  const down = latest.down.filter((module) => last.every((pulse) => pulse.down.includes(module)));
  const waiting = [
    ...down.map((module) => ` ${module} does not answer.`),
    ...behind.map((module) => ` Events wait for ${module}.`),
    ...(isLasting(({ held }) => held) ? [" Orders wait in this page."] : []),
  ];
  return failing + waiting.join("");
}
