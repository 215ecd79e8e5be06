import { countBacklog, type EventPositions, mergePositions } from "../../health/event-status.ts";
import type { AnsweredRequest } from "../../http/request-stats.ts";

const EVERY_MS = 1_000;

/** For how many seconds pulses are kept, and still taken when the last watcher has left: who comes back has missed none. */
const KEPT = 60;

/** What the shop did in one second. */
export interface Pulse {
  /** When the second ended, by the clock of the gateway. */
  readonly at: string;
  /** Requests of the API that got an answer, a refusal included. */
  readonly answered: number;
  /** Those that the shop failed (5xx), and those that were cut off. */
  readonly failed: number;
  /** How long these took, in milliseconds; null where there were none. */
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
  /** Subscriber → events that wait for it. Of a module that does not answer it is counted from where it was. */
  readonly backlog: Readonly<Record<string, number>>;
  /** Module → `here`, or where it listens. */
  readonly placement: Readonly<Record<string, string>>;
  /** The modules that do not answer. */
  readonly down: readonly string[];
}

/** Where the modules are, and how far with their events, as far as they answer. */
export interface Look {
  readonly events: EventPositions;
  readonly placement: Pulse["placement"];
  readonly down: Pulse["down"];
}

export interface PulsesDeps {
  /** May take its time: a pulse tells of the last look that has come back. */
  readonly look: () => Promise<Look>;
  /** Whether a route is the shop's: what the page and probes ask for all the time says nothing about it. */
  readonly isOfShop: (route: string) => boolean;
  readonly onPulse: (pulse: Pulse) => void;
  readonly everyMs?: number;
}

/** Measures the shop second by second while somebody watches, and does nothing otherwise. */
export interface Pulses {
  /** Told of every request. */
  count(answered: AnsweredRequest): void;
  /** Somebody watches. Returns the way to say that they have left. */
  watch(): () => void;
  /** Of the last minute, oldest first. */
  recent(): readonly Pulse[];
  close(): void;
}

export function createPulses({ look, isOfShop, onPulse, everyMs = EVERY_MS }: PulsesDeps): Pulses {
  let watchers = 0;
  let ticksLeft = 0;
  let timer: NodeJS.Timeout | undefined;
  let looking = false;
  let events: EventPositions = { published: {}, applied: {} };
  let placement: Pulse["placement"] = {};
  let down: Pulse["down"] = [];
  let durations: number[] = [];
  let failed = 0;
  const kept: Pulse[] = [];

  /** A module that is gone has applied nothing since: what was known of it still counts. */
  async function lookAgain(): Promise<void> {
    if (looking) return;
    looking = true;
    const seen = await look().finally(() => {
      looking = false;
    });
    events = mergePositions([events, seen.events]);
    ({ placement, down } = seen);
  }

  function tick(): void {
    const sorted = durations.sort((one, other) => one - other);
    const pulse: Pulse = {
      at: new Date().toISOString(),
      answered: sorted.length - failed,
      failed,
      p50_ms: quantile(sorted, 0.5),
      p99_ms: quantile(sorted, 0.99),
      backlog: totals(events),
      placement,
      down,
    };
    durations = [];
    failed = 0;
    kept.push(pulse);
    if (kept.length > KEPT) kept.shift();
    onPulse(pulse);
    ticksLeft = watchers > 0 ? KEPT : ticksLeft - 1;
    if (ticksLeft === 0) stop();
    else void lookAgain();
  }

  function start(): void {
    kept.length = 0;
    timer = setInterval(tick, everyMs).unref();
    void lookAgain();
  }

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
  }

  return {
    count({ route, status, durationMs, cutOff }) {
      if (timer === undefined || !isOfShop(route)) return;
      durations.push(durationMs);
      if (cutOff || status >= 500) failed += 1;
    },
    watch() {
      watchers += 1;
      ticksLeft = KEPT;
      if (timer === undefined) start();
      return () => {
        watchers -= 1;
      };
    },
    recent: () => kept,
    close: stop,
  };
}

/** The value that a share of them does not exceed. @param sorted ascending */
function quantile(sorted: readonly number[], share: number): number | null {
  const value = sorted[Math.ceil(sorted.length * share) - 1];
  return value === undefined ? null : Math.round(value * 100) / 100;
}

function totals(events: EventPositions): Pulse["backlog"] {
  return Object.fromEntries(
    Object.entries(countBacklog(events)).map(([subscriber, waiting]) => [
      subscriber,
      Object.values(waiting).reduce((sum, count) => sum + count, 0),
    ]),
  );
}
