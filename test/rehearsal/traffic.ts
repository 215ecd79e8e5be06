import { setTimeout as sleep } from "node:timers/promises";
import { createRandom, type Random } from "../bus/simulation/random.ts";
import {
  type Answer,
  accountOf,
  addProduct,
  type Calls,
  type OrderBody,
  register,
  type Session,
} from "../support/api.ts";

const BUYERS = 10;
const PRODUCTS = 5;
const STOCK = 1_000_000;

/** Longer than an order is pending, and less than who stops gives to what it has. */
const WAIT_S = 5;

/** A request that was answered, or not. */
export interface Outcome {
  readonly kind: Kind;
  readonly tookMs: number;
  /** What was wrong with it. */
  readonly failure?: string;
}

/** What customers ask for, and how often of a hundred times. An order is two requests: it is placed, and then waited for. */
const MIX = { "sign in": 2, register: 0, product: 35, products: 20, order: 20, orders: 13, me: 10 };
type Mix = Readonly<typeof MIX>;
export type Kind = keyof Mix | "decision";

export interface TrafficOptions {
  /** Requests a second. */
  readonly rate: number;
  /** How many customers there can be at once: who comes then waits outside. */
  readonly atOnce: number;
  readonly seed: number;
  /** What else they ask for, of a hundred times, than those of a shop that is rolled out. */
  readonly mix?: Mix;
}

/** Customers of a shop, who come at a rate of their own, however fast they are answered. */
export interface Traffic {
  /** What has been answered so far, in the order of answers; take what is new by its index. */
  readonly outcomes: readonly Outcome[];
  /** The stock of each product at the beginning. */
  readonly opening: ReadonlyMap<string, number>;
  /** The ids of the orders that were acknowledged. */
  readonly placed: ReadonlySet<string>;
  /** Nobody comes any more; resolves when all have been answered. */
  stop(): Promise<void>;
}

export async function startTraffic(
  api: Calls,
  admin: Session,
  { rate, atOnce, seed, mix = MIX }: TrafficOptions,
): Promise<Traffic> {
  const random = createRandom(seed);
  const opening = new Map<string, number>();
  for (let n = 0; n < PRODUCTS; n++) opening.set(await addProduct(api, admin, STOCK, `Thing ${n}`), STOCK);
  const buyers: Session[] = [];
  for (let n = 0; n < BUYERS; n++) buyers.push(await register(api, nameOf(n)));
  const customers = new Customers(api, buyers, [...opening.keys()], random);
  let stopped = false;
  const running = (async () => {
    const going = new Set<Promise<void>>();
    const startedAt = performance.now();
    for (let requests = 0; !stopped; ) {
      await sleep(Math.max(0, startedAt + (requests * 1_000) / rate - performance.now()));
      if (going.size >= atOnce) await Promise.race(going);
      const kind = pick(random, mix);
      requests += kind === "order" ? 2 : 1;
      const one = customers.ask(kind).finally(() => going.delete(one));
      going.add(one);
    }
    await Promise.all(going);
  })();
  return {
    outcomes: customers.outcomes,
    placed: customers.placed,
    opening,
    async stop() {
      stopped = true;
      await running;
    },
  };
}

function pick(random: Random, mix: Mix): keyof Mix {
  let left = random.integer(1, 100);
  for (const [kind, share] of Object.entries(mix)) {
    left -= share;
    if (left <= 0) return kind as keyof Mix;
  }
  return "product";
}

function nameOf(buyer: number): string {
  return `buyer-${buyer}`;
}

class Customers {
  readonly outcomes: Outcome[] = [];
  readonly placed = new Set<string>();
  readonly #api: Calls;
  readonly #buyers: readonly Session[];
  readonly #products: readonly string[];
  readonly #random: Random;
  #orders = 0;
  #newcomers = 0;

  constructor(api: Calls, buyers: readonly Session[], products: readonly string[], random: Random) {
    this.#api = api;
    this.#buyers = buyers;
    this.#products = products;
    this.#random = random;
  }

  /** Asks once for something, and never again. */
  async ask(kind: keyof Mix): Promise<void> {
    const { token } = this.#random.pick(this.#buyers);
    switch (kind) {
      case "sign in": {
        const { email, password } = accountOf(nameOf(this.#random.integer(0, BUYERS - 1)));
        return void (await this.#measure(kind, () => this.#api.post("/users/login", { email, password })));
      }
      case "register": {
        const body = accountOf(`newcomer-${this.#newcomers++}`);
        return void (await this.#measure(kind, () => this.#api.post("/users/register", body)));
      }
      case "product":
        return this.#get(kind, `/products/${this.#random.pick(this.#products)}`);
      case "products":
        return this.#get(kind, "/products?limit=20&q=thing");
      case "orders":
        return this.#get(kind, "/orders?limit=20", token);
      case "me":
        return this.#get(kind, "/users/me", token);
      case "order":
        return this.#order(token);
    }
  }

  async #get(kind: Kind, path: string, token?: string): Promise<void> {
    await this.#measure(kind, () => this.#api.get(path, token));
  }

  /** Every other order has an idempotency key. */
  async #order(token: string): Promise<void> {
    const key = this.#orders++ % 2 === 0 ? {} : { "idempotency-key": `order-${this.#orders}` };
    const body = { product_id: this.#random.pick(this.#products), quantity: 1 };
    const answer = await this.#measure("order", () => this.#api.post("/orders", body, token, key));
    if (answer === undefined) return;
    const { id } = answer.body as OrderBody;
    this.placed.add(id);
    const look = () => this.#api.get(`/orders/${id}`, token, { prefer: `wait=${WAIT_S}` });
    for (let status = "pending"; status === "pending"; ) {
      const found = await this.#measure("decision", look); // one that stops says what it knows
      status = (found?.body as OrderBody | undefined)?.status ?? "not told";
    }
  }

  /** Resolves what was answered, if it was as expected. */
  async #measure(kind: Kind, ask: () => Promise<Answer>): Promise<Answer | undefined> {
    const startedAt = performance.now();
    const tookMs = () => performance.now() - startedAt;
    try {
      const answer = await ask();
      if (answer.status < 300) {
        this.outcomes.push({ kind, tookMs: tookMs() });
        return answer;
      }
      const failure = `${answer.status} ${JSON.stringify(answer.body).slice(0, 400)}`;
      this.outcomes.push({ kind, tookMs: tookMs(), failure });
    } catch (error) {
      this.outcomes.push({ kind, tookMs: tookMs(), failure: String(error) });
    }
    return undefined;
  }
}
