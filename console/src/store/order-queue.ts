import { type Cell, createCell } from "../model/cell.ts";
import { isRecord, parseJson } from "../model/json.ts";
import { readProblem, type SeenProblem } from "../model/problem.ts";
import { newTrace } from "../model/traceparent.ts";
import type { Requests } from "./requests.ts";
import type { Session } from "./session.ts";

/** What an order of this page came to. */
export type OrderAnswer =
  | { readonly kind: "taken"; readonly id: string }
  /** The shop has said no, and means it. */
  | { readonly kind: "refused"; readonly status: number; readonly problem: SeenProblem | undefined };

export interface NewOrder {
  readonly productId: string;
  readonly as: Session;
  /** Before those that wait already. */
  readonly first?: boolean;
  /** It waits, for an attempt came to nothing: its own or another's. @param failed how many of its own did @param why in words */
  onWait?(failed: number, why: string): void;
  onAnswer(answer: OrderAnswer): void;
}

/** Orders on their way to the shop. One that nobody takes now waits here, and is sent again with the same key: it is placed once. */
export interface OrderQueue {
  /** Orders that cannot be sent yet, or were in vain. */
  readonly waiting: number;
  readonly state: Cell<QueueState>;
  add(order: NewOrder): void;
  /** Gives up all that wait. @returns how many */
  clear(): number;
}

export interface QueueState {
  readonly waiting: number;
  /** Why they wait, as the last attempt that failed was told; undefined while none does. */
  readonly trouble: string | undefined;
  /** Attempts that failed since the page was opened. */
  readonly failures: number;
}

/** What the gateway does not count against the limit of requests where one click is enough to try things out. */
export const TRICKLE_HEADER = { "console-trickle": "on" };

/** A browser opens six connections to a host: the stream has one, and whoever presses a button needs one at once. */
const MOST_UNDER_WAY = 3;
const PUMP_MS = 50;
const ANSWER_WITHIN_MS = 10_000;
const RETRY_MS = 1_000;

/** How often what is shown may change: more often nobody reads. */
const TELL_MS = 500;

interface Waiting extends NewOrder {
  readonly key: string;
  failed: number;
}

export function createOrderQueue({ sendQuietly }: Pick<Requests, "sendQuietly">): OrderQueue {
  const state = createCell<QueueState>({ waiting: 0, trouble: undefined, failures: 0 });
  let orders: Waiting[] = [];
  let underWay = 0;
  let failures = 0;
  let trouble: string | undefined;
  let pausedUntilMs = 0;
  let toldAtMs = 0;
  let timer: ReturnType<typeof setInterval> | undefined;

  const waiting = (): number => orders.length + (trouble === undefined ? 0 : underWay);

  function tell(): void {
    const last = state.get();
    toldAtMs = performance.now();
    if (last.waiting === waiting() && last.trouble === trouble && last.failures === failures) return;
    state.set({ waiting: waiting(), trouble, failures });
  }

  function pump(): void {
    // Who has just failed is tried with one: it is not hit by all who wait as soon as it is back.
    const most = performance.now() < pausedUntilMs ? 0 : trouble === undefined ? MOST_UNDER_WAY : 1;
    while (underWay < most && orders.length > 0) void send(orders.shift() as Waiting);
    const isIdle = orders.length === 0 && underWay === 0;
    if (isIdle || performance.now() - toldAtMs >= TELL_MS) tell();
    if (!isIdle) return;
    clearInterval(timer);
    timer = undefined;
  }

  async function send(order: Waiting): Promise<void> {
    underWay += 1;
    const outcome = await attempt(sendQuietly, order);
    underWay -= 1;
    if (outcome.kind !== "failed") {
      trouble = undefined;
      order.onAnswer(outcome);
      return pump();
    }
    failures += 1;
    order.failed += 1;
    trouble = outcome.why;
    pausedUntilMs = performance.now() + outcome.pauseMs;
    putBack(order);
    for (const each of orders) each.onWait?.(each.failed, outcome.why);
  }

  /** Before all others, but for those that go first. */
  function putBack(order: Waiting): void {
    const firsts = order.first === true ? 0 : orders.findIndex(({ first }) => first !== true);
    orders.splice(firsts === -1 ? orders.length : firsts, 0, order);
  }

  return {
    get waiting() {
      return waiting();
    },
    state,
    add(order) {
      const queued = { ...order, key: newTrace().traceId, failed: 0 };
      if (order.first === true) orders.unshift(queued);
      else orders.push(queued);
      if (trouble !== undefined) order.onWait?.(0, trouble);
      timer ??= setInterval(pump, PUMP_MS);
    },
    clear() {
      const { length } = orders;
      orders = [];
      trouble = undefined;
      pausedUntilMs = 0;
      tell();
      return length;
    },
  };
}

/** A refusal in words. */
export function tellRefusal({ status, problem }: OrderAnswer & { readonly kind: "refused" }): string {
  return `${status}: ${problem?.detail ?? "refused"}`;
}

type Failed = { readonly kind: "failed"; readonly why: string; readonly pauseMs: number };

async function attempt(sendQuietly: Requests["sendQuietly"], order: Waiting): Promise<OrderAnswer | Failed> {
  try {
    const response = await sendQuietly("/orders/create", requestOf(order), order.as);
    const { status } = response;
    const body = parseJson(await response.text());
    const problem = readProblem(body);
    if (isPassing(status, problem)) {
      return { kind: "failed", why: `${status}: ${problem?.detail ?? ""}`, pauseMs: pauseOf(response) };
    }
    return response.ok && isRecord(body)
      ? { kind: "taken", id: String(body.id) }
      : { kind: "refused", status, problem };
  } catch {
    return { kind: "failed", why: "The gateway does not answer.", pauseMs: RETRY_MS };
  }
}

/** Whether an answer says nothing about the order itself: an attempt that came to nothing, or may have, is safe to repeat. */
function isPassing(status: number, problem: SeenProblem | undefined): boolean {
  return status >= 500 || status === 429 || problem?.name === "request-in-progress";
}

function requestOf({ productId, key }: Waiting): RequestInit {
  return {
    method: "POST",
    headers: { ...TRICKLE_HEADER, "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify({ product_id: productId, quantity: 1 }),
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  };
}

function pauseOf({ headers }: Response): number {
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return seconds > 0 ? seconds * 1_000 : RETRY_MS;
}
