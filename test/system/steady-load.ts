import { setTimeout as sleep } from "node:timers/promises";
import type { Answer, Calls, OrderBody, Session } from "../support/api.ts";
import { until } from "../support/process.ts";

/** Clients that order without pause. */
export interface Load {
  /** Ids of the orders that were answered with 201, by key. */
  readonly acknowledged: ReadonlyMap<string, string>;
  /** Answers that a client could not count on: no answer, or 5xx. Each was asked again with its key. */
  readonly unanswered: readonly string[];
  /** Resolves when so many more orders than now have been acknowledged. */
  more(orders: number): Promise<void>;
  /** Ends it; resolves when each client has the answer it waited for. */
  stop(): Promise<void>;
  /** Ends it, whoever waits for an answer. */
  abandon(): void;
}

/**
 * Orders one unit after the other, as so many clients at once, each with a key of its own for each order. A client that
 * gets no answer, or none it can count on, asks again with the same key until it does.
 */
export function startLoad(api: Calls, buyer: Session, products: readonly string[], clients = 8): Load {
  const acknowledged = new Map<string, string>();
  const unanswered: string[] = [];
  const going = { stopped: false, abandoned: false };

  async function order(key: string, product: string | undefined): Promise<void> {
    const body = { product_id: product, quantity: 1 };
    while (!going.abandoned) {
      const answer = await api.post("/orders", body, buyer.token, { "idempotency-key": key }).catch(failed);
      if ("status" in answer && answer.status === 201) {
        acknowledged.set(key, (answer.body as OrderBody).id);
        return;
      }
      const { reason } = "reason" in answer ? answer : { reason: String(answer.status) };
      // The first asking may still run when the second comes.
      if ("status" in answer && answer.status < 500 && answer.status !== 409)
        throw new Error(`${key}: ${show(answer)}`);
      unanswered.push(reason);
      await sleep(20);
    }
  }

  async function client(name: string): Promise<void> {
    for (let n = 0; !going.stopped; n++) await order(`${name} ${n}`, products[n % products.length]);
  }

  const running = Array.from({ length: clients }, (_, n) => client(`client ${n} order`));
  return { acknowledged, unanswered, ...inCharge(going, running, acknowledged) };
}

/** What clients look at between two requests, and while they have no answer to count on. */
export interface Going {
  stopped: boolean;
  abandoned: boolean;
}

/** How whoever began clients waits for their work and ends it. @param running each of them, until it has ended */
export function inCharge(
  going: Going,
  running: readonly Promise<void>[],
  acknowledged: Load["acknowledged"],
): Pick<Load, "more" | "stop" | "abandon"> {
  const ended = Promise.all(running);
  ended.catch(() => undefined);
  return {
    async more(orders) {
      const goal = acknowledged.size + orders;
      const progress = until(`${goal} orders are acknowledged`, () => acknowledged.size >= goal, 60_000);
      await Promise.race([progress, ended]);
    },
    async stop() {
      going.stopped = true;
      await ended;
    },
    abandon() {
      going.stopped = true;
      going.abandoned = true;
    },
  };
}

function failed(error: unknown): { reason: string } {
  return { reason: error instanceof Error ? error.message : String(error) };
}

function show({ status, body }: Answer): string {
  return `answered ${status} ${JSON.stringify(body)}`;
}
