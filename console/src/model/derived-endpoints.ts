import { type Endpoint, type Known, NOBODY } from "./endpoint.ts";
import { endpoints } from "./endpoints.ts";
import { modules } from "./modules.ts";
import { moreEndpoints } from "./more-endpoints.ts";
import type { ModuleName } from "./places.ts";

/** An operation as its contract has it. */
interface Operation {
  readonly id: string;
  readonly method: Endpoint["method"];
  readonly path: string;
  readonly access: Endpoint["access"];
  readonly summary: string;
  readonly body?: Readonly<Record<string, unknown>>;
}

const operations: readonly (Operation & { readonly service: ModuleName })[] = modules.flatMap(({ name, operations }) =>
  operations.map((operation: Operation) => ({ ...operation, service: name })),
);

/** For a path that is compared: whatever stands for an id, the page's own rows have it filled in. */
const NOTHING_KNOWN: Known = {
  productId: undefined,
  orderId: undefined,
  userId: undefined,
  idIn: () => undefined,
  unique: () => "",
};

const own = new Set([...endpoints, ...moreEndpoints].map((each) => `${each.method} ${each.path(NOTHING_KNOWN)}`));

/** Buttons for the operations that have none of their own, from their contracts alone. */
const derived: readonly Endpoint[] = operations
  .map(toEndpoint)
  .filter((each) => !own.has(`${each.method} ${each.path(NOTHING_KNOWN)}`));

/** What the tester shows first: of each service what lists and what makes. */
export const firstEndpoints: readonly Endpoint[] = [...endpoints, ...derived.filter(isFirst)];

/** What lies below the fold. */
export const furtherEndpoints: readonly Endpoint[] = [...moreEndpoints, ...derived.filter((each) => !isFirst(each))];

function isFirst({ method, service, path }: Endpoint): boolean {
  return (method === "GET" || method === "POST") && path(NOTHING_KNOWN).split("?")[0] === `/${service}`;
}

function toEndpoint({
  id,
  service,
  method,
  path,
  access,
  summary,
  body,
}: Operation & { readonly service: ModuleName }): Endpoint {
  const collection = path.split("/")[1] ?? "";
  return {
    ...{ id, service, method, access, title: summary },
    path: (known) => path.replaceAll(/\{\w+\}/g, () => known.idIn(collection) ?? NOBODY),
    ...(body === undefined ? {} : { body: (known) => ({ ...body, ...knownIds(body, known) }) }),
  };
}

/** An example names what is not there; what the page has seen is. */
function knownIds(body: Readonly<Record<string, unknown>>, known: Known): Record<string, unknown> {
  const ids = { product_id: known.productId, order_id: known.orderId, user_id: known.userId };
  return Object.fromEntries(Object.entries(ids).filter(([name, id]) => name in body && id !== undefined));
}
