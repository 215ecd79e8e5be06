import { isProblem, type Problem } from "../../base/problem.ts";
import type { CallContext } from "../../contract/context.ts";
import type { ClientOf } from "../../contract/contract.ts";
import type { products } from "../products/contract.ts";
import type { users } from "../users/contract.ts";
import { orders } from "./contract.ts";
import { type Product, productNotFound } from "./order.ts";

/** The modules that an order needs to be placed. */
export interface Neighbours {
  readonly users: ClientOf<typeof users>;
  readonly products: ClientOf<typeof products>;
}

/**
 * Asks the neighbours, all at the same time, whether the buyer exists and what the products are.
 *
 * @param productIds each once
 * @returns the products by id
 * @throws Problem user-not-found, product-not-found, or what a neighbour's environment suffers, such as
 *   dependency-unavailable. Of several failures it is always the first in this order: the user's, then the
 *   products' in theirs. Which neighbour is quicker must not decide what the caller is told.
 */
export async function lookUp(
  { users, products }: Neighbours,
  userId: string,
  productIds: Iterable<string>,
  ctx: CallContext,
): Promise<ReadonlyMap<string, Product>> {
  const user = users.getUser({ id: userId }, ctx).catch(notFoundAs(userNotFound));
  const found = Array.from(productIds, (id) =>
    products.getProduct({ id }, ctx).catch(notFoundAs(() => productNotFound(id))),
  );
  await Promise.allSettled([user, ...found]);
  await user;
  return new Map((await Promise.all(found)).map((product) => [product.id, product]));
}

function notFoundAs(problem: () => Problem) {
  return (error: unknown): never => {
    throw isProblem(error, "not-found") ? problem() : error;
  };
}

function userNotFound(): Problem {
  return orders.problem("user-not-found", "The user that the order is for does not exist.");
}
