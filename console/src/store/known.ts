import { type Cell, createCell } from "../model/cell.ts";
import type { Known } from "../model/endpoint.ts";
import { isRecord, parseJson } from "../model/json.ts";
import { newUnique } from "../model/traceparent.ts";
import type { Requests } from "./requests.ts";
import type { Sessions } from "./session.ts";

/** What the page has learnt from the answers it got, to fill in requests to come. */
export interface Knowledge extends Known {
  readonly version: Cell<number>;
  /** The products as they were last told. */
  readonly products: readonly unknown[];
  /** Learns of a product before anything has been asked. */
  start(): Promise<void>;
}

export function createKnowledge(requests: Requests, { session }: Pick<Sessions, "session">): Knowledge {
  const version = createCell(0);
  let products: readonly Item[] = [];
  let orderId: string | undefined;
  const newest = new Map<string, string | undefined>();

  /** A list takes the place of what was known, for what it leaves out may be gone; a single product only of itself. */
  const learn = (path: string, body: unknown): void => {
    const items = itemsOf(body);
    const [first] = items;
    if (first !== undefined && "id" in first) newest.set(path.split(/[/?]/)[1] ?? "", idOf(first));
    const [product, ...others] = items.filter(isProduct);
    if (product !== undefined) products = isList(body) ? [product, ...others] : merge(products, product);
    orderId = idOf(items.find(isGoodOrder)) ?? orderId;
    version.set(version.get() + 1);
  };

  requests.shown.watch(() => {
    const last = requests.shown.get().at(-1);
    learn(last?.request.path ?? "", last?.answer?.json);
  });

  return {
    version,
    get products() {
      return products;
    },
    get productId() {
      return idOf(products.find(isOrderable));
    },
    get orderId() {
      return orderId;
    },
    get userId() {
      return session.get()?.id;
    },
    idIn: (collection) => newest.get(collection),
    unique: newUnique,
    async start() {
      const response = await requests.sendQuietly("/products?limit=100").catch(() => undefined);
      if (response?.ok) learn("/products", parseJson(await response.text()));
    },
  };
}

type Item = Readonly<Record<string, unknown>>;

/** The members of a list, newest first as the shop lists them, or the one thing that was told. */
function itemsOf(body: unknown): Item[] {
  if (isList(body)) return body.data.filter(isRecord);
  return isRecord(body) ? [body] : [];
}

function isList(body: unknown): body is { readonly data: readonly unknown[] } {
  return isRecord(body) && Array.isArray(body.data);
}

/** What is told anew stays where it was; what was not known comes before the rest. */
function merge(known: readonly Item[], told: Item): readonly Item[] {
  const isKnown = known.some(({ id }) => id === told.id);
  return isKnown ? known.map((item) => (item.id === told.id ? told : item)) : [told, ...known];
}

function isProduct({ stock }: Item): boolean {
  return typeof stock === "number";
}

function isOrderable({ stock, active }: Item): boolean {
  return Number(stock) > 1 && active === true;
}

function isGoodOrder({ total_cents, status }: Item): boolean {
  return typeof total_cents === "number" && status !== "rejected";
}

function idOf(item: Item | undefined): string | undefined {
  return item === undefined ? undefined : String(item.id);
}
