import { joinSql, type Query, sql } from "../../store/sql.ts";
import type { Reading, Work } from "../../store/unit.ts";
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

/** From so many matches on it is cheaper to walk all products in the order asked for, and to leave out what does not match. */
const MANY_MATCHES = 1_000;

/** Reads a list of products: at most `limit` rows, those after the position if there is one. */
export function* listProducts<Row>(
  reading: Reading,
  { active, text, sort }: ProductFilter,
  after: ListPosition | undefined,
  limit: number,
): Work<Row[]> {
  const match = text === undefined ? undefined : searchQuery(text);
  if (text !== undefined && match === undefined) return [];
  const search = yield* searchFor(reading, match, sort);
  return yield* reading.all(listQuery({ active, sort, search, match: match ?? "", after, limit }) as Query<Row>);
}

function* searchFor(reading: Reading, match: string | undefined, sort: ProductSort): Work<Search> {
  if (match === undefined) return "none";
  if (sort === "newest") return "along the index";
  const found = yield* reading.get(
    sql<{ matches: number }>`SELECT count(*) AS matches FROM (
      SELECT 1 FROM products_search WHERE products_search MATCH ${match} LIMIT ${MANY_MATCHES})`,
  );
  return (found?.matches ?? 0) < MANY_MATCHES ? "sorted" : "along the index";
}

/** What a list is to show, and where it goes on. */
export interface ListShape {
  readonly active: boolean | undefined;
  readonly sort: ProductSort;
  readonly search: Search;
  /** In the language of the index; "" where nothing is searched for. */
  readonly match: string;
  readonly after: ListPosition | undefined;
  readonly limit: number;
}

const COLUMNS = sql`products.id, products.name, products.description, products.price_cents, products.currency,
  products.stock, products.active, products.created_at, products.updated_at`;

/** The statement of a list; each reads an index in the order asked for, but for few matches (a test looks at the plans). */
export function listQuery({ active, sort, search, match, after, limit }: ListShape): Query {
  const byAge = sort === "newest";
  const fromMatches = search === "sorted" || (search === "along the index" && byAge);
  const matches = sql`products_search MATCH ${match}`;
  const conditions = [
    active === undefined ? undefined : sql`products.active = ${active ? 1 : 0}`,
    search === "none" ? undefined : fromMatches ? matches : amongMatches(matches),
    after && (fromMatches && byAge ? olderMatch(after.id) : beyond(sort, after)),
  ].filter((condition) => condition !== undefined);
  const from = fromMatches
    ? sql`products_search CROSS JOIN products ON products.number = products_search.rowid`
    : sql`products`;
  const where = conditions.length === 0 ? sql`` : sql`WHERE ${joinSql(conditions, " AND ")}`;
  const order = fromMatches && byAge ? sql`products_search.rowid DESC` : ORDERS[sort];
  return sql`SELECT ${COLUMNS} FROM ${from} ${where} ORDER BY ${order} LIMIT ${limit}`;
}

/** With a `+` before the number, it is not by this that products are found. */
function amongMatches(matches: Query): Query {
  return sql`+products.number IN (SELECT rowid FROM products_search WHERE ${matches})`;
}

/** Numbers rise as ids do, and by their numbers the index of words has its rows. */
function olderMatch(id: string): Query {
  return sql`products_search.rowid <= (SELECT number FROM products WHERE id < ${id} ORDER BY id DESC LIMIT 1)`;
}

/** Products of the same price or name follow one another by their ids, so that the order is one. */
const ORDERS: Readonly<Record<ProductSort, Query>> = {
  newest: sql`products.id DESC`,
  price: sql`products.price_cents ASC, products.id ASC`,
  "-price": sql`products.price_cents DESC, products.id DESC`,
  name: sql`products.name ASC, products.id ASC`,
  "-name": sql`products.name DESC, products.id DESC`,
};

function beyond(sort: ProductSort, { key, id }: ListPosition): Query {
  switch (sort) {
    case "newest":
      return sql`products.id < ${id}`;
    case "price":
      return sql`(products.price_cents, products.id) > (${key}, ${id})`;
    case "-price":
      return sql`(products.price_cents, products.id) < (${key}, ${id})`;
    case "name":
      return sql`(products.name, products.id) > (${key}, ${id})`;
    case "-name":
      return sql`(products.name, products.id) < (${key}, ${id})`;
  }
}
