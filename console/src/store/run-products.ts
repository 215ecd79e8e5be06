import { isRecord } from "../model/json.ts";
import type { Exchange, Requests } from "./requests.ts";
import type { Session, Sessions } from "./session.ts";

export interface Product {
  readonly id: string;
  readonly name: string;
  readonly stock: number;
}

interface ProductsDeps {
  readonly requests: Requests;
  readonly sessions: Pick<Sessions, "session" | "admin" | "borrowAdmin">;
  oneClick(): Promise<boolean>;
  knownProductId(): string | undefined;
}

/** There is no product to order; where a request has failed, that is why. */
export class NotListed extends Error {
  readonly exchange: Exchange | undefined;
  constructor(message: string, exchange?: Exchange) {
    super(message);
    this.exchange = exchange;
  }
}

/** The product of which there is one, so that two orders are one too many. */
const LAST_ONE = "Last umbrella";

/**
 * The product with the largest stock; where no list can be had, the one known from before, to show what becomes of that order.
 * @throws NotListed
 */
export async function findPlentiful(deps: ProductsDeps): Promise<Pick<Product, "id" | "name">> {
  const listed = await deps.requests.send("GET", "/products?limit=100");
  const known = deps.knownProductId();
  if (listed.answer?.status !== 200 && known !== undefined) return { id: known, name: known };
  const product = productsOf(listed).toSorted((a, b) => b.stock - a.stock)[0];
  if (product === undefined || product.stock === 0) throw new NotListed("There is nothing in stock to order.");
  return product;
}

/**
 * A product of which there is little. Putting one up needs an admin, whoever orders it then; where there is no admin, the
 * product with the smallest stock has to do.
 * @throws NotListed
 */
export async function findScarce(deps: ProductsDeps): Promise<Product> {
  const products = productsOf(await deps.requests.send("GET", "/products?limit=100"));
  const own = products.find(({ name }) => name === LAST_ONE);
  if (own !== undefined && own.stock > 0) return own;
  const admin = deps.sessions.admin.get() ?? ((await deps.oneClick()) ? await deps.sessions.borrowAdmin() : undefined);
  if (admin === undefined) return smallest(products);
  const made = await putUp(deps, own, admin);
  if (!isProduct(made.answer?.json)) throw new NotListed("The last one could not be put up.", made);
  return made.answer.json;
}

function smallest(products: readonly Product[]): Product {
  const scarce = products.filter(({ stock }) => stock > 0 && stock <= 1_000).toSorted((a, b) => a.stock - b.stock)[0];
  if (scarce === undefined) throw new NotListed("No product has a stock small enough to oversell.");
  return scarce;
}

function putUp({ requests }: ProductsDeps, own: Product | undefined, admin: Session): Promise<Exchange> {
  if (own !== undefined) return requests.send("POST", `/products/${own.id}/restock`, { quantity: 1 }, admin);
  const body = { name: LAST_ONE, description: "One left, for two at once.", price_cents: 1_900, stock: 1 };
  return requests.send("POST", "/products", body, admin);
}

function productsOf(listed: Exchange): Product[] {
  const body = listed.answer?.json;
  if (!isRecord(body) || !Array.isArray(body.data)) throw new NotListed("The products cannot be listed.", listed);
  return body.data.filter(isProduct);
}

export function isProduct(value: unknown): value is Product {
  return isRecord(value) && typeof value.id === "string" && typeof value.stock === "number";
}
