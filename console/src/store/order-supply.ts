import { type Cell, createCell } from "../model/cell.ts";
import { isRecord, parseJson } from "../model/json.ts";
import { type OrderAnswer, TRICKLE_HEADER } from "./order-queue.ts";
import type { Requests } from "./requests.ts";
import { isProduct, type Product } from "./run-products.ts";
import type { Session, Sessions } from "./session.ts";

/** Who orders, and what: all that an order of this page needs. */
export interface Buyer {
  readonly as: Session;
  readonly product: Product;
}

/** Finds a buyer for every order: who is signed in, and a product that has stock. */
export interface OrderSupply {
  /** Signs in by one click where that is enough. @returns why there is no buyer, in a sentence, where there is none */
  find(): Promise<Buyer | string>;
  /** A buyer at once; undefined where one has to be found first. Each is for one order. */
  next(): Buyer | undefined;
  /** The product that an admin of this page can put on the shelf again, once nothing is left of any. */
  readonly soldOut: Cell<Product | undefined>;
  /** Does that. @returns whether it could be done */
  refill(): Promise<boolean>;
  /** Learns from a refusal. @returns whether it was the product that could not be ordered: another can be, next time */
  hear(refusal: OrderAnswer & { readonly kind: "refused" }): boolean;
}

export interface OrderSupplyDeps {
  readonly requests: Pick<Requests, "sendQuietly">;
  readonly sessions: Pick<Sessions, "session" | "admin" | "signInWithOneClick">;
  oneClick(): Promise<boolean>;
  /** What the page has seen of products, for as long as no list can be had. */
  knownProducts(): readonly unknown[];
}

/** As many orders as are made of what was on offer before, while no list can be had. */
const FROM_MEMORY = 10;

/** How many are put on the shelf: enough for a minute and a half of ten a second. */
export const REFILL = 1_000;

export function createOrderSupply({ requests, sessions, oneClick, knownProducts }: OrderSupplyDeps): OrderSupply {
  const soldOut = createCell<Product | undefined>(undefined);
  let product: Product | undefined;
  /** How many more the product has, as far as this page knows. */
  let left = 0;

  /** Finds what has the largest stock. @returns why there is none */
  async function restock(): Promise<string | undefined> {
    const init = { headers: TRICKLE_HEADER };
    const response = await requests.sendQuietly("/products?limit=100", init).catch(() => undefined);
    const body = response?.ok ? parseJson(await response.text()) : undefined;
    if (!isRecord(body) || !Array.isArray(body.data)) {
      product ??= mostOf(knownProducts());
      left = FROM_MEMORY;
      return product === undefined ? "The products cannot be listed now. Try again in a moment." : undefined;
    }
    product = mostOf(body.data);
    left = product?.stock ?? 0;
    soldOut.set(left > 0 || sessions.admin.get() === undefined ? undefined : product);
    return left > 0 ? undefined : "Nothing is left in stock, so there is nothing to order.";
  }

  function next(): Buyer | undefined {
    const as = sessions.session.get();
    if (as === undefined || product === undefined || left <= 0) return undefined;
    left -= 1;
    return { as, product };
  }

  return {
    async find() {
      if (sessions.session.get() === undefined && (await oneClick())) await sessions.signInWithOneClick();
      if (sessions.session.get() === undefined) return "Sign in first: an order needs someone who places it.";
      const why = product === undefined || left <= 0 ? await restock() : undefined;
      return why ?? next() ?? "There is nothing to order.";
    },
    next,
    soldOut,
    async refill() {
      const init = {
        method: "POST",
        headers: { ...TRICKLE_HEADER, "content-type": "application/json" },
        body: JSON.stringify({ quantity: REFILL }),
      };
      const path = `/products/${soldOut.get()?.id}/restock`;
      const response = await requests.sendQuietly(path, init, sessions.admin.get()).catch(() => undefined);
      if (response?.ok !== true) return false;
      product = undefined;
      soldOut.set(undefined);
      return true;
    },
    hear({ status, problem }) {
      const isGone = problem?.name === "insufficient-stock" || status === 404;
      if (isGone) product = undefined;
      return isGone;
    },
  };
}

/** The product that has the largest stock. */
function mostOf(products: readonly unknown[]): Product | undefined {
  return products.filter(isProduct).toSorted((one, other) => other.stock - one.stock)[0];
}
