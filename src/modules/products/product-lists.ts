import { dialects, joinSql, type Query, sql } from "../../store/sql.ts";
import type { Reading, Work } from "../../store/unit.ts";
import type { ProductSort } from "./contract.ts";
import type { ListPosition } from "./list-position.ts";
import { searchQuery, tsquery } from "./search-text.ts";

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
  if (text !== undefined && searchQuery(text) === undefined) return [];
  const search = yield* searchFor(reading, text, sort);
  return yield* reading.all(listQuery({ active, sort, search, text: text ?? "", after, limit }) as Query<Row>);
}

function* searchFor(reading: Reading, text: string | undefined, sort: ProductSort): Work<Search> {
  if (text === undefined) return "none";
  if (sort === "newest") return "along the index";
  const found = yield* reading.get(
    sql<{ matches: number }>`SELECT count(*) AS matches FROM (
      SELECT 1 FROM ${WORDS} WHERE ${matching(text)} LIMIT ${MANY_MATCHES}) AS found`,
  );
  return (found?.matches ?? 0) < MANY_MATCHES ? "sorted" : "along the index";
}

/** What a list is to show, and where it goes on. */
export interface ListShape {
  readonly active: boolean | undefined;
  readonly sort: ProductSort;
  readonly search: Search;
  /** "" where nothing is searched for. */
  readonly text: string;
  readonly after: ListPosition | undefined;
  readonly limit: number;
}

const COLUMNS = sql`products.id, products.name, products.description, products.price_cents, products.currency,
  products.stock, products.active, products.created_at, products.updated_at`;

/** What has the words of the products: a table of its own in SQLite, which asks for it by numbers that rise as ids do. */
const WORDS = dialects({ sqlite: sql`products_search`, postgres: sql`products` });
const FROM_MATCHES = dialects({
  sqlite: sql`products_search CROSS JOIN products ON products.number = products_search.rowid`,
  postgres: sql`products`,
});
const NEWEST_MATCH = dialects({ sqlite: sql`products_search.rowid`, postgres: sql`products.id` });

/** The statement of a list; each reads an index in the order asked for, but for few matches (a test looks at the plans). */
export function listQuery({ active, sort, search, text, after, limit }: ListShape): Query {
  const byAge = sort === "newest";
  const fromMatches = search === "sorted" || (search === "along the index" && byAge);
  const conditions = [
    active === undefined ? undefined : sql`products.active = ${active ? 1 : 0}`,
    search === "none" ? undefined : fromMatches ? matching(text) : amongMatches(text),
    after && (fromMatches && byAge ? olderMatch(after.id) : beyond(sort, after)),
  ].filter((condition) => condition !== undefined);
  const from = fromMatches ? FROM_MATCHES : sql`products`;
  const where = conditions.length === 0 ? sql`` : sql`WHERE ${joinSql(conditions, " AND ")}`;
  const order = fromMatches && byAge ? sql`${NEWEST_MATCH} DESC` : ORDERS[sort];
  return sql`SELECT ${COLUMNS} FROM ${from} ${where} ORDER BY ${order} LIMIT ${limit}`;
}

function matching(text: string): Query {
  return dialects({
    sqlite: sql`products_search MATCH ${searchQuery(text) ?? ""}`,
    postgres: sql`products.words @@ CAST(${tsquery(text) ?? ""} AS tsquery)`,
  });
}

/** With a `+` before the number, it is not by this that SQLite finds the products. */
function amongMatches(text: string): Query {
  const matches = matching(text);
  return dialects({
    sqlite: sql`+products.number IN (SELECT rowid FROM products_search WHERE ${matches})`,
    postgres: matches,
  });
}

function olderMatch(id: string): Query {
  return dialects({
    sqlite: sql`products_search.rowid <= (SELECT number FROM products WHERE id < ${id} ORDER BY id DESC LIMIT 1)`,
    postgres: sql`products.id < ${id}`,
  });
}

/** Without regard to the case of the letters A to Z. */
const NAME = dialects({ sqlite: sql`products.name`, postgres: sql`lower(products.name)` });

/** Products of the same price or name follow one another by their ids, so that the order is one. */
const ORDERS: Readonly<Record<ProductSort, Query>> = {
  newest: sql`products.id DESC`,
  price: sql`products.price_cents ASC, products.id ASC`,
  "-price": sql`products.price_cents DESC, products.id DESC`,
  name: sql`${NAME} ASC, products.id ASC`,
  "-name": sql`${NAME} DESC, products.id DESC`,
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
      return sql`(${NAME}, products.id) > (${nameKey(key)}, ${id})`;
    case "-name":
      return sql`(${NAME}, products.id) < (${nameKey(key)}, ${id})`;
  }
}

function nameKey(key: ListPosition["key"]): Query {
  return dialects({ sqlite: sql`${key}`, postgres: sql`lower(CAST(${key} AS TEXT) COLLATE "C")` });
}
