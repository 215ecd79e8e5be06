import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, type Api, accountOf, type OrderBody, type Session } from "../support/api.ts";

const PAUSE_MS = 50;

/** What is not whole by then never is. */
const GIVEN_UP_MS = 60_000;

/** A customer who tries whether a shop is whole: whether he can register, and whether his order is decided. */
export class Probe {
  readonly #api: Api;
  readonly #admin: Session;
  readonly #products: readonly string[];
  /** Ids of the orders that were answered with 201, by key. */
  readonly acknowledged = new Map<string, string>();
  #times = 0;

  constructor(api: Api, admin: Session, products: readonly string[]) {
    this.#api = api;
    this.#admin = admin;
    this.#products = products;
  }

  /** Asks for all of it again and again. @throws Error that says what was answered last, when it is not */
  async untilWhole(): Promise<void> {
    this.#times += 1;
    const key = `probe ${this.#times}`;
    const endMs = performance.now() + GIVEN_UP_MS;
    for (;;) {
      const fault = await this.#try(key).catch((error: unknown) => String(error));
      if (fault === undefined) return;
      if (performance.now() > endMs) throw new Error(`not whole after ${GIVEN_UP_MS / 1_000} s: ${fault}`);
      await sleep(PAUSE_MS);
    }
  }

  /** Resolves what is not whole. */
  async #try(key: string): Promise<string | undefined> {
    const headers = { "idempotency-key": key };
    const { token } = this.#admin;
    const [product_id = ""] = this.#products;
    const read = await this.#api.get(`/products/${product_id}`);
    if (read.status !== 200) return told(read);
    const registered = await this.#api.post("/users/register", accountOf(key), undefined, headers);
    if (registered.status !== 201) return told(registered);
    const placed = await this.#api.post("/orders", { product_id, quantity: 1 }, token, headers);
    if (placed.status !== 201) return told(placed);
    const { id } = placed.body as OrderBody;
    this.acknowledged.set(key, id);
    const found = await this.#api.get(`/orders/${id}`, token, { prefer: "wait=2" });
    return (found.body as Partial<OrderBody>).status === "confirmed" ? undefined : told(found);
  }
}

function told({ status, body }: Answer): string {
  return `${status} ${JSON.stringify(body)}`;
}
