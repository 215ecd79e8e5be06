import type { Store } from "../../store/store.ts";
import type { ProductSort } from "./contract.ts";
import type { ListPosition } from "./list-position.ts";
import { searchQuery } from "./search-text.ts";

/** Which products a list shows, and in what order. */
export interface ProductFilter {
  /** Only those that are for sale, or only those that are not; all, if left out. */
  readonly active: boolean | undefined;
  /** What a person looks for, if anything. */
  readonly text: string | undefined;
  readonly sort: ProductSort;
}

/** How the products that match a text come into their order. */
type Search = "none" | "along the index" | "sorted";

type Params = [{ active: number; match: string; key: ListPosition["key"]; id: string; limit: number }];

/** From so many matches on it is cheaper to walk all products in the order asked for, and to leave out what does not match. */
const MANY_MATCHES = 1_000;

/** Reads lists of products as rows with these columns, a page at a time. */
export function createProductLists<Row>(store: Store, columns: string) {
  const prepared = new Map<string, ReturnType<typeof store.prepare<Params, Row>>>();
  const countMatches = store.prepare<[string], { matches: number }>(
    `SELECT count(*) AS matches FROM (
       SELECT 1 FROM products_search WHERE products_search MATCH ? LIMIT ${MANY_MATCHES})`,
  );

  function statement(sql: string): ReturnType<typeof store.prepare<Params, Row>> {
    const known = prepared.get(sql) ?? store.prepare<Params, Row>(sql);
    prepared.set(sql, known);
    return known;
  }

  function searchFor(match: string | undefined, sort: ProductSort): Search {
    if (match === undefined) return "none";
    if (sort === "newest") return "along the index";
    return (countMatches.get(match)?.matches ?? 0) < MANY_MATCHES ? "sorted" : "along the index";
  }

  /** At most `limit` rows, those after the position if there is one. */
  return (filter: ProductFilter, after: ListPosition | undefined, limit: number): Row[] => {
    const { active, text, sort } = filter;
    const match = text === undefined ? undefined : searchQuery(text);
    if (text !== undefined && match === undefined) return [];
    const sql = listSql(columns, { active, sort, search: searchFor(match, sort), continued: after !== undefined });
    const { key = null, id = "" } = after ?? {};
    return statement(sql).all({ active: active === true ? 1 : 0, match: match ?? "", key, id, limit });
  };
}

export interface ListShape {
  readonly active: boolean | undefined;
  readonly sort: ProductSort;
  readonly search: Search;
  /** Whether it goes on after a position. */
  readonly continued: boolean;
}

/** The statement of a list; each reads an index in the order asked for, but for few matches (a test looks at the plans). */
export function listSql(columns: string, { active, sort, search, continued }: ListShape): string {
  const byAge = sort === "newest";
  const fromMatches = search === "sorted" || (search === "along the index" && byAge);
  const conditions = [
    ...(active === undefined ? [] : ["products.active = :active"]),
    ...(search === "none"
      ? []
      : [fromMatches ? MATCHES : `+products.number IN (SELECT rowid FROM products_search WHERE ${MATCHES})`]),
    ...(continued ? [fromMatches && byAge ? OLDER_MATCH : beyond(sort)] : []),
  ];
  return `SELECT ${columns.replaceAll(/\w+/g, "products.$&")}
    FROM ${fromMatches ? "products_search CROSS JOIN products ON products.number = products_search.rowid" : "products"}
    ${conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`}
    ORDER BY ${fromMatches && byAge ? "products_search.rowid DESC" : orderOf(sort)} LIMIT :limit`;
}

/** With a `+` before the number, it is not by this that products are found. */
const MATCHES = "products_search MATCH :match";

/** Numbers rise as ids do, and by their numbers the index of words has its rows. */
const OLDER_MATCH = "products_search.rowid <= (SELECT number FROM products WHERE id < :id ORDER BY id DESC LIMIT 1)";

const ORDERS: Readonly<Record<ProductSort, readonly [key: string | undefined, direction: "ASC" | "DESC"]>> = {
  newest: [undefined, "DESC"],
  price: ["products.price_cents", "ASC"],
  "-price": ["products.price_cents", "DESC"],
  name: ["products.name", "ASC"],
  "-name": ["products.name", "DESC"],
};

/** Products of the same price or name follow one another by their ids, so that the order is one. */
function orderOf(sort: ProductSort): string {
  const [key, direction] = ORDERS[sort];
  return `${key === undefined ? "" : `${key} ${direction}, `}products.id ${direction}`;
}

function beyond(sort: ProductSort): string {
  const [key, direction] = ORDERS[sort];
  const than = direction === "ASC" ? ">" : "<";
  return key === undefined ? `products.id ${than} :id` : `(${key}, products.id) ${than} (:key, :id)`;
}
