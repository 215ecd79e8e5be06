import type { ProblemTypes } from "../base/problem-types.ts";
import { type CallContext, remainingMs } from "../contract/context.ts";
import type { Operation } from "../contract/contract.ts";
import { tooLate } from "../contract/in-time.ts";
import type { Outcome } from "../contract/progress.ts";

/** At most this many flights to one address hold a slot; whoever comes meanwhile goes in the next. */
export const SLOTS = 2;

/** A flight that takes longer gives its slot up: one slow call must not hold up the others. */
const SLOT_MS = 5;

/** How long after the deadline an answer may still arrive: the callee keeps the deadline, the way back takes time. */
const GRACE_MS = 100;

/** How far a call has come, as its sender knows. */
export interface Journey {
  sent: boolean;
  /** Whether the callee was told when its caller stops waiting: what has not begun by then never does. */
  bounded: boolean;
  /** Whether the callee has said that it may be about to begin. */
  begun: boolean;
}

/** An operation of a neighbour, as its caller knows it. */
export interface RemoteOperation {
  readonly name: string;
  readonly operation: Operation;
  /** What its problems can be. */
  readonly types: ProblemTypes;
  /** Whether it changes nothing, so that it cannot have happened. */
  readonly isRead: boolean;
}

/** A call on its way, in a flight with others or alone. */
export interface QueuedCall {
  readonly callee: RemoteOperation;
  readonly input: Readonly<Record<string, unknown>>;
  readonly ctx: CallContext;
  /** What its sender knows of it. */
  readonly journey: Journey;
  readonly settled: boolean;
  resolve(output: Record<string, unknown>): void;
  reject(error: unknown): void;
}

/**
 * Sends calls together and settles each of them. The signal fires when nobody waits for the flight any more.
 * What it leaves unsettled when it fails is rejected with its error.
 */
export type SendFlight = (calls: readonly QueuedCall[], signal: AbortSignal) => Promise<void>;

export interface CallQueue {
  /**
   * @param patient the call waits by its nature (a long poll): it goes at once, with others of this turn that do, and holds no slot
   * @throws Problem upstream-timeout when no answer comes in time; what the flight rejects with
   */
  call(
    call: Pick<QueuedCall, "callee" | "input" | "ctx" | "journey">,
    patient: boolean,
  ): Promise<Record<string, unknown>>;
}

/**
 * "Batch what waits", per neighbour: calls of one turn of the event loop go together, at once while a slot is free,
 * else when one becomes free. Idle, nobody waits; under load the cost of a request is shared. Where the last that left went alone,
 * the next are not expected to have company either, and leave as soon as whoever makes them has made all of his.
 * @param limit the most calls of a flight
 * @param slots how many flights may hold one now
 */
export function createCallQueue(send: SendFlight, limit: number, slots: () => number): CallQueue {
  let waiting: QueuedCall[] = [];
  let patients: QueuedCall[] = [];
  let scheduled = false;
  let hadCompany = false;
  let looksAgain = false;
  /** Flights that hold a slot, in the order in which they left. */
  const flights = new Set<{ readonly leftAtMs: number }>();

  function pump(): void {
    scheduled = false;
    while (waiting.length > 0 && isSlotFree()) {
      const flight = waiting.slice(0, limit);
      waiting = waiting.slice(limit);
      hadCompany = flight.length > 1;
      leave(flight);
    }
    if (waiting.length === 0 || looksAgain) return; // no timer while nobody waits
    looksAgain = true;
    setTimeout(lookAgain, untilSlotMs());
  }

  function lookAgain(): void {
    looksAgain = false;
    pump();
  }

  function isSlotFree(): boolean {
    for (const flight of flights) if (performance.now() - flight.leftAtMs >= SLOT_MS) flights.delete(flight);
    return flights.size < slots();
  }

  function untilSlotMs(): number {
    const [oldest] = flights;
    return oldest === undefined ? 0 : Math.max(0, oldest.leftAtMs + SLOT_MS - performance.now());
  }

  function leave(calls: readonly QueuedCall[]): void {
    const flight = { leftAtMs: performance.now() };
    flights.add(flight);
    fly(calls, send).finally(() => {
      flights.delete(flight);
      if (waiting.length > 0) schedule();
    });
  }

  /** Very many may begin to wait in one turn, when what they wait for has moved. */
  function leavePatiently(): void {
    for (; patients.length > 0; patients = patients.slice(limit)) fly(patients.slice(0, limit), send);
  }

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    if (hadCompany || flights.size > 0) setImmediate(pump);
    else queueMicrotask(pump);
  }

  return {
    call(call, patient) {
      return new Promise((resolve, reject) => {
        const queued = { ...call, settled: false, resolve, reject };
        if (patient) {
          if (patients.push(queued) === 1) queueMicrotask(leavePatiently);
          return;
        }
        waiting.push(queued);
        schedule();
      });
    },
  };
}

/** Runs one flight to its end; never rejects. */
async function fly(calls: readonly QueuedCall[], send: SendFlight): Promise<void> {
  const abort = new AbortController();
  const flying = calls.map((call) => withDeadline(call, () => flying.every(({ settled }) => settled) && abort.abort()));
  try {
    await send(flying, abort.signal);
  } catch (error) {
    for (const call of flying) call.reject(error);
  }
}

/** The call, settled at most once and at the latest some grace after its deadline. */
function withDeadline(call: QueuedCall, onTimeout: () => void): QueuedCall {
  let settled = false;
  const settle =
    <T>(with_: (value: T) => void) =>
    (value: T) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      with_(value);
    };
  const reject = settle(call.reject);
  const giveUp = () => {
    reject(tooLate(outcomeOf(call)));
    onTimeout();
  };
  // What has arrived meanwhile is looked at first: it may be this process that stood still.
  const timer = setTimeout(() => setImmediate(() => setImmediate(giveUp)), remainingMs(call.ctx) + GRACE_MS);
  return {
    ...call,
    get settled() {
      return settled;
    },
    resolve: settle(call.resolve),
    reject,
  };
}

/** What can be said of a call that nobody has answered. */
function outcomeOf({ callee, journey: { sent, bounded, begun } }: QueuedCall): Outcome {
  return callee.isRead || !sent || (bounded && !begun) ? "not-begun" : "unknown";
}
