import fc from "fast-check";
import { type Answer, addProduct, type OrderBody, type Request, register, type Session } from "../support/api.ts";
import type { Stage } from "./scenario.ts";

const ABSENT = "018f0000-0000-7000-8000-000000000000";

type Who = "ann" | "bob" | "admin" | "nobody";

/** One call; orders and products are told by their number, so that a program means the same in every shop. */
export type Call =
  | {
      do: "place";
      who: Who;
      product: number;
      quantity: number;
      lines: number;
      alias: boolean;
      key: string;
      cancel: boolean;
    }
  | { do: "again" }
  | { do: "cancel" | "read"; who: Who; order: number }
  | { do: "list"; who: Who; status: string; limit: number }
  | { do: "product"; who: Who; product: number; seen: boolean }
  | { do: "patch"; who: Who; product: number; price: number; active: boolean; seen: boolean }
  | { do: "restock"; who: Who; product: number; quantity: number; key: string };

const who = fc.constantFrom<Who>("ann", "ann", "bob", "admin", "nobody");
const product = fc.nat({ max: 3 });
const order = fc.nat({ max: 12 });
const key = fc.constantFrom("", "", "one", "two", "three");

const call: fc.Arbitrary<Call> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("place"),
      who,
      product,
      quantity: fc.integer({ min: 0, max: 5 }),
      lines: fc.nat({ max: 2 }),
      alias: fc.boolean(),
      key,
      cancel: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.constant<Call>({ do: "again" }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("cancel", "read"), who, order }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("list"),
      who,
      status: fc.constantFrom("", "confirmed", "cancelled"),
      limit: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("product"), who, product, seen: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("patch"),
      who: fc.constantFrom<Who>("admin", "admin", "ann"),
      product,
      price: fc.integer({ min: -1, max: 900 }),
      active: fc.boolean(),
      seen: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("restock"),
      who: fc.constantFrom<Who>("admin", "admin", "bob"),
      product,
      quantity: fc.nat({ max: 9 }),
      key,
    }),
  },
);

/** A program of 20 to 60 calls. A call may shrink to none, so that one that fails becomes as short as it can be. */
export const program: fc.Arbitrary<Call[]> = fc
  .array(fc.option(call, { freq: 1_000_000 }), { minLength: 20, maxLength: 60, size: "max" })
  .map((calls) => calls.filter((each) => each !== null));

/** Runs a program with people and products of its own. @param name tells them from those of other runs */
export async function runProgram(calls: readonly Call[], name: string, stage: Stage): Promise<void> {
  const run = new Run(stage, await openShop(stage, name));
  for (const each of calls) await run.step(each);
}

interface Cast {
  readonly people: Readonly<Record<Who, Session | undefined>>;
  readonly products: readonly string[];
}

async function openShop({ quiet, admin: signIn }: Stage, name: string): Promise<Cast> {
  const admin = await signIn();
  const people = {
    ann: await register(quiet, `ann-${name}`),
    bob: await register(quiet, `bob-${name}`),
    admin,
    nobody: undefined,
  };
  const products: string[] = [];
  for (const stock of [3, 8, 20]) products.push(await addProduct(quiet, admin, stock));
  return { people, products };
}

/** What a program has come to. */
class Run {
  readonly #stage: Stage;
  readonly #cast: Cast;
  readonly #orders: string[] = [];
  readonly #tags = new Map<string, string>();
  /** The last order that was asked for, for a client that did not get the answer. */
  #asked: Request | undefined;

  constructor(stage: Stage, cast: Cast) {
    this.#stage = stage;
    this.#cast = cast;
  }

  async step(call: Call): Promise<void> {
    if (call.do === "again") return this.#repeat();
    const token = this.#cast.people[call.who]?.token;
    switch (call.do) {
      case "place":
        return this.#place(call, token);
      case "cancel":
        await this.#stage.post(`/orders/${this.#order(call.order)}/cancel`, undefined, token);
        return this.#stage.settled();
      case "read":
        await this.#stage.get(`/orders/${this.#order(call.order)}`, token);
        return;
      case "list":
        await this.#stage.get(`/orders?limit=${call.limit}${call.status && `&status=${call.status}`}`, token);
        return;
      default:
        return this.#useProduct(call, token);
    }
  }

  /** An order that is cancelled in the same breath ends the same way whichever of the two is heard of first. */
  async #place(
    { product, quantity, lines, alias, key, cancel }: Extract<Call, { do: "place" }>,
    token: string | undefined,
  ): Promise<void> {
    const line = { product_id: this.#product(product), quantity };
    const body = lines === 0 ? line : { items: Array(lines).fill(line) };
    this.#asked = { method: "POST", path: alias ? "/orders/create" : "/orders", body, token, headers: keyed(key) };
    const placed = await this.#stage.call(this.#asked);
    if (placed.status === 201) {
      const { id } = placed.body as OrderBody;
      if (!this.#orders.includes(id)) this.#orders.push(id);
      if (cancel) await this.#stage.post(`/orders/${id}/cancel`, undefined, token);
    }
    await this.#stage.settled();
  }

  async #repeat(): Promise<void> {
    if (this.#asked !== undefined) await this.#stage.call(this.#asked);
    await this.#stage.settled();
  }

  async #useProduct(call: Extract<Call, { product: number }>, token: string | undefined): Promise<void> {
    const path = `/products/${this.#product(call.product)}`;
    const tag = this.#tags.get(path) ?? '"never seen"';
    if (call.do === "restock")
      await this.#stage.post(`${path}/restock`, { quantity: call.quantity }, token, keyed(call.key));
    else if (call.do === "patch") {
      const body = { price_cents: call.price, active: call.active };
      await this.#stage.call({
        method: "PATCH",
        path,
        body,
        token,
        ...(call.seen && { headers: { "if-match": tag } }),
      });
    } else if (call.do === "product") {
      this.#remember(path, await this.#stage.get(path, token, call.seen ? { "if-none-match": tag } : {}));
    }
  }

  #remember(path: string, { headers: { etag } }: Answer): void {
    if (etag !== undefined) this.#tags.set(path, etag);
  }

  #product(number: number): string {
    return this.#cast.products[number] ?? ABSENT;
  }

  #order(number: number): string {
    return this.#orders[number] ?? ABSENT;
  }
}

function keyed(key: string): Record<string, string> {
  return key === "" ? {} : { "idempotency-key": key };
}
