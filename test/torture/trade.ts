import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, accountOf, type Calls, type OrderBody, type Request, type Session } from "../support/api.ts";
import { inCharge, type Load } from "../system/steady-load.ts";

/** Of every so many orders a client gives one up again, and asks for one of what is scarce. */
const CANCEL_EVERY = 5;
const SCARCE_EVERY = 3;

/** A client is somebody new after so many orders. */
const REGISTER_EVERY = 40;

/** One client also adds to what is scarce, so much after every so many orders. */
const RESTOCK_EVERY = 4;
const RESTOCK_UNITS = 6;

const PAUSE_MS = 20;

/** Clients who register, order, cancel and restock, without pause, and what they were told. */
export interface Trade extends Load {
  /** Ids of the orders of which the shop said that they are cancelled. */
  readonly cancelled: ReadonlySet<string>;
  /** How many units it said that it has added, by product. */
  readonly restocked: ReadonlyMap<string, number>;
  /** Ids of the users whom it said that it knows. */
  readonly registered: ReadonlySet<string>;
  /** How many orders it refused, since there was not enough. */
  readonly refused: number;
  /** What came of each asking, by the key with which it was asked. */
  readonly askings: ReadonlyMap<string, readonly string[]>;
}

interface Client {
  readonly number: number;
  /** Which gateway it asks. */
  turn: number;
}

export interface Goods {
  readonly plenty: readonly string[];
  readonly scarce: readonly string[];
}

/**
 * Trades, as so many clients at once. Who gets no answer, or none to count on, asks the next gateway for the same, with the same key, until
 * there is one.
 * @param gateways each of them
 */
export function startTrade(gateways: readonly Calls[], admin: Session, { plenty, scarce }: Goods, clients = 8): Trade {
  const acknowledged = new Map<string, string>();
  const unanswered: string[] = [];
  const cancelled = new Set<string>();
  const restocked = new Map<string, number>();
  const registered = new Set<string>();
  const askings = new Map<string, string[]>();
  let refused = 0;
  const going = { stopped: false, abandoned: false };

  /** A client stays with a gateway that answers. @returns undefined when all is over */
  async function ask(request: Request, client: Client): Promise<Answer | undefined> {
    while (!going.abandoned) {
      const began = new Date().toISOString();
      const answer = await at(gateways, client.turn).call(request).catch(failed);
      note(
        request,
        `${began} at gateway ${client.turn % gateways.length}, ${new Date().toISOString()} ${outcomeOf(answer)}`,
      );
      if ("status" in answer && isFinal(answer)) return answer;
      unanswered.push(outcomeOf(answer));
      client.turn += 1;
      await sleep(PAUSE_MS);
    }
    return undefined;
  }

  function note({ headers }: Request, what: string): void {
    const key = headers?.["idempotency-key"];
    if (key !== undefined) askings.set(key, [...(askings.get(key) ?? []), what]);
  }

  function post(path: string, body: object | undefined, who: Session | undefined, key: string, client: Client) {
    const headers = { "idempotency-key": key };
    return ask({ method: "POST", path, body, token: who?.token, headers }, client);
  }

  async function newcomer(name: string, client: Client): Promise<Session | undefined> {
    const answer = await post("/users/register", accountOf(name), undefined, name, client);
    if (answer === undefined) return undefined;
    const { token, user } = expectStatus(answer, 201) as { token: string; user: { id: string } };
    registered.add(user.id);
    return { token, id: user.id };
  }

  /** @returns the order's id, undefined when there was not enough */
  async function order(key: string, who: Session, products: readonly string[], client: Client) {
    const items = products.map((product_id) => ({ product_id, quantity: 1 }));
    const answer = await post("/orders", { items }, who, key, client);
    if (answer === undefined) return undefined;
    if (codeOf(answer) === "insufficient-stock") {
      refused += 1;
      return undefined;
    }
    const { id } = expectStatus(answer, 201) as OrderBody;
    acknowledged.set(key, id);
    return id;
  }

  async function cancel(id: string, who: Session, client: Client): Promise<void> {
    const answer = await ask({ method: "POST", path: `/orders/${id}/cancel`, token: who.token }, client);
    if (answer === undefined || codeOf(answer) === "order-not-cancellable") return;
    expectStatus(answer, 200);
    cancelled.add(id);
  }

  async function restock(key: string, product: string, client: Client): Promise<void> {
    const answer = await post(`/products/${product}/restock`, { quantity: RESTOCK_UNITS }, admin, key, client);
    if (answer === undefined) return;
    expectStatus(answer, 200);
    restocked.set(product, (restocked.get(product) ?? 0) + RESTOCK_UNITS);
  }

  /** One client's next order, and what comes with it. */
  async function trade(client: Client, n: number, who: Session): Promise<void> {
    const name = `client ${client.number} ${n}`;
    const products = n % SCARCE_EVERY === 0 ? [at(plenty, n), at(scarce, n)] : [at(plenty, n)];
    const id = await order(name, who, products, client);
    if (id !== undefined && n % CANCEL_EVERY === 0) await cancel(id, who, client);
    if (client.number === 0 && n % RESTOCK_EVERY === 0) {
      await restock(`${name} restock`, at(scarce, n / RESTOCK_EVERY), client);
    }
  }

  async function run(client: Client): Promise<void> {
    for (let n = 0; !going.stopped; ) {
      const who = await newcomer(`client ${client.number} ${n}`, client);
      if (who === undefined) return;
      for (let orders = 0; orders < REGISTER_EVERY && !going.stopped; orders++) await trade(client, n++, who);
    }
  }

  const running = Array.from({ length: clients }, (_, number) => run({ number, turn: number }));
  return {
    acknowledged,
    unanswered,
    cancelled,
    restocked,
    registered,
    askings,
    get refused() {
      return refused;
    },
    ...inCharge(going, running, acknowledged),
  };
}

/** What is told of the environment is not; that something is not as it should be is: 500 too. The first asking may still run when the second comes. */
function isFinal(answer: Answer): boolean {
  return !(answer.status > 500 || codeOf(answer) === "request-in-progress");
}

/** The name of the problem, undefined where all went well. */
function codeOf({ body }: Answer): string | undefined {
  return (body as { readonly type?: string } | undefined)?.type?.replace("/problems/", "");
}

function expectStatus(answer: Answer, status: number): unknown {
  if (answer.status === status) return answer.body;
  throw new Error(`expected ${status}, was answered ${answer.status} ${JSON.stringify(answer.body)}`);
}

function outcomeOf(answer: Answer | { reason: string }): string {
  return "status" in answer ? `${answer.status} ${codeOf(answer)}` : answer.reason;
}

function failed(error: unknown): { reason: string } {
  const { code, message } = error as { readonly code?: string; readonly message?: string };
  return { reason: code ?? message ?? String(error) };
}

function at<T>(items: readonly T[], index: number): T {
  return items[index % items.length] as T;
}
