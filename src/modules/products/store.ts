import { newId } from "../../base/id.ts";
import { Problem } from "../../base/problem.ts";
import type { Claim } from "../../contract/claim.ts";
import type { Begin } from "../../contract/in-time.ts";
import { dialects, type Query, sql } from "../../store/sql.ts";
import type { Store } from "../../store/store.ts";
import type { Reading, Step, Unit, Work } from "../../store/unit.ts";
import type { ListPosition } from "./list-position.ts";
import type { Product } from "./product.ts";
import { listProducts, type ProductFilter } from "./product-lists.ts";
import { addUp, findRejection, type OrderLines, type Refusal, type Rejection } from "./reservation.ts";
import { tsvector } from "./search-text.ts";

/** How the stock is changed by hand; a correction says why. */
export type StockMovement = { readonly reason: "restocked" } | { readonly reason: "corrected"; readonly note: string };

/** How a product is changed. */
export interface Change {
  readonly begin: Begin;
  /** What a difference of stock is put down to. */
  readonly movement?: StockMovement;
  readonly claim?: Claim | undefined;
}

/** All that is kept of products. What changes together is one method and one unit of work. */
export interface ProductStore {
  /** At most `limit` products, from the position on if there is one. */
  list(filter: ProductFilter, after: ListPosition | undefined, limit: number): Promise<Product[]>;
  find(id: string): Promise<Product | undefined>;
  /** Keeps products if there are none, and nobody else keeps the same at this moment. Resolves whether it did. */
  addIfEmpty(products: readonly Product[]): Promise<boolean>;
  /** Keeps a new product, its first stock in the ledger, and the answer to a retry. */
  add(product: Product, claim: Claim | undefined, begin: Begin): Promise<Product>;
  /**
   * Changes one product by a rule that sees it as it is at that moment, and keeps the answer to a retry.
   * @param movement what a difference of stock is called in the ledger
   * @throws Problem not-found, or whatever the rule throws; nothing has changed then
   */
  change(id: string, rule: (product: Product) => Product, how: Change): Promise<Product>;
  /**
   * In a unit of work: decides an order and takes its units, of all its products or of none. Answers undefined when the
   * order was decided before, or cancelled before it came: nothing is taken then.
   */
  reserve(unit: Unit, orderId: string, lines: OrderLines, now: string): Work<"reserved" | Rejection | undefined>;
  /**
   * In a unit of work: gives back what a cancelled order took. An order that is not known leaves a tombstone, so that it takes
   * nothing should it come later. Answers whether it had taken anything that was not given back before.
   */
  release(unit: Unit, orderId: string, now: string): Work<boolean>;
}

type Row = Omit<Product, "active"> & { readonly active: number };

/** A change of a stock; its cause is an order, the product itself for its first stock, or an id of its own. */
interface LedgerEntry {
  readonly cause: string;
  readonly reason: "initial" | "restocked" | "corrected" | "reserved" | "released";
  readonly productId: string;
  readonly delta: number;
  readonly at: string;
  readonly note: string | null;
}

const COLUMNS = sql`id, name, description, price_cents, currency, stock, active, created_at, updated_at`;

export function createProductStore(store: Store): ProductStore {
  return {
    list: (filter, after, limit) => store.read((reading) => list(reading, filter, after, limit)),
    find: (id) => store.read((reading) => find(reading, id)),
    addIfEmpty: (products) => store.write((unit) => addIfEmpty(unit, products)),
    add: (product, claim, begin) => store.write((unit) => addOne(unit, product, claim, begin)),
    change: (id, rule, how) => store.write((unit) => change(unit, id, rule, how)),
    reserve,
    release,
  };
}

function* list(
  reading: Reading,
  filter: ProductFilter,
  after: ListPosition | undefined,
  limit: number,
): Work<Product[]> {
  return (yield* listProducts<Row>(reading, filter, after, limit)).map(toProduct);
}

function* find(reading: Reading, id: string): Work<Product | undefined> {
  const row = yield* reading.get(byId(id));
  return row && toProduct(row);
}

function* addIfEmpty(unit: Unit, products: readonly Product[]): Work<boolean> {
  if ((yield* unit.get(sql`SELECT 1 FROM products LIMIT 1`)) !== undefined) return false;
  for (const product of products) if (!(yield* add(unit, product))) return false;
  return products.length > 0;
}

function* addOne(unit: Unit, product: Product, claim: Claim | undefined, begin: Begin): Work<Product> {
  begin();
  if (!(yield* add(unit, product))) throw new Error("a new id is taken");
  if (claim !== undefined) yield* unit.keepAnswer(claim, product);
  return product;
}

function* change(
  unit: Unit,
  id: string,
  rule: (product: Product) => Product,
  { begin, movement, claim }: Change,
): Work<Product> {
  begin();
  const before = yield* lock(unit, id);
  if (before === undefined) throw new Problem("not-found", "There is no such product.");
  const after = rule(before);
  yield* update(unit, after);
  if (movement !== undefined) {
    const delta = after.stock - before.stock;
    yield* record(unit, { cause: newId(), note: null, ...movement, productId: id, delta, at: after.updated_at });
  }
  if (claim !== undefined) yield* unit.keepAnswer(claim, after);
  return after;
}

function* reserve(
  unit: Unit,
  orderId: string,
  lines: OrderLines,
  now: string,
): Work<"reserved" | Rejection | undefined> {
  if (yield* isDecided(unit, orderId)) return undefined;
  const units = addUp(lines);
  const found = new Map<string, Product>();
  // Everybody locks products in the same order, so that nobody waits for one another.
  for (const id of [...units.keys()].sort()) {
    const product = yield* lock(unit, id);
    if (product !== undefined) found.set(id, product);
  }
  const rejection = findRejection(units, (id) => found.get(id));
  if (rejection !== undefined) yield* refuse(unit, orderId, "rejected");
  else for (const [productId, quantity] of units) yield* move(unit, productId, -quantity, orderId, now);
  return rejection ?? "reserved";
}

function* release(unit: Unit, orderId: string, now: string): Work<boolean> {
  if (!(yield* isDecided(unit, orderId))) {
    yield* refuse(unit, orderId, "cancelled");
    return false;
  }
  const held = yield* unit.all(
    sql<{ product_id: string; units: number }>`SELECT product_id, CAST(-sum(delta) AS BIGINT) AS units FROM stock_ledger
      WHERE cause = ${orderId} GROUP BY product_id HAVING -sum(delta) > 0 ORDER BY product_id`,
  );
  for (const { product_id, units } of held) yield* move(unit, product_id, units, orderId, now);
  return held.length > 0;
}

/** An order's units, out of the stock (negative) or back into it. */
function* move(unit: Unit, productId: string, delta: number, orderId: string, now: string): Work<void> {
  const changes = yield* unit.run(
    sql`UPDATE products SET stock = stock + ${delta}, updated_at = ${now} WHERE id = ${productId} AND stock + ${delta} >= 0`,
  );
  if (changes !== 1) throw new Error(`${delta} units of ${productId} cannot be moved for order ${orderId}`);
  const reason = delta < 0 ? "reserved" : "released";
  yield* record(unit, { cause: orderId, reason, productId, delta, at: now, note: null });
}

function* record(unit: Unit, { cause, reason, productId, delta, at, note }: LedgerEntry): Work<void> {
  if (delta === 0) return;
  yield* unit.run(
    sql`INSERT INTO stock_ledger (cause, reason, product_id, delta, at, note)
      VALUES (${cause}, ${reason}, ${productId}, ${delta}, ${at}, ${note})`,
  );
}

/** Whether an order is decided. If not, whoever asks is about to, and nobody else before this unit ends. */
function* isDecided(unit: Unit, orderId: string): Work<boolean> {
  const decision = yield* unit.get(
    dialects({
      sqlite: sql`SELECT 1 FROM stock_ledger WHERE cause = ${orderId}
        UNION ALL SELECT 1 FROM refusals WHERE order_id = ${orderId} LIMIT 1`,
      postgres: sql`WITH asked AS (
          INSERT INTO decisions AS known (order_id, times) VALUES (${orderId}, 1)
          ON CONFLICT (order_id) DO UPDATE SET times = known.times + 1 RETURNING times
        ) SELECT 1 FROM asked WHERE times > 1`,
    }),
  );
  return decision !== undefined;
}

function refuse(unit: Unit, orderId: string, state: Refusal): Step<number> {
  return unit.run(sql`INSERT INTO refusals (order_id, state) VALUES (${orderId}, ${state})`);
}

function* lock(unit: Unit, id: string): Work<Product | undefined> {
  const row = yield* unit.lock(byId(id));
  return row && toProduct(row);
}

function byId(id: string): Query<Row> {
  return sql<Row>`SELECT ${COLUMNS} FROM products WHERE id = ${id}`;
}

/** A new product and its first stock. Answers false, and nothing has changed, where its id is taken. */
function* add(unit: Unit, product: Product): Work<boolean> {
  if ((yield* insert(unit, product)) === 0) return false;
  const { id, stock: delta, created_at: at } = product;
  yield* record(unit, { cause: id, reason: "initial", productId: id, delta, at, note: null });
  return true;
}

function insert(unit: Unit, product: Product): Step<number> {
  const { id, name, description, price_cents, currency, stock, active, created_at, updated_at } = toRow(product);
  return unit.run(
    sql`INSERT INTO products (${COLUMNS}${WORDS}) VALUES (${id}, ${name}, ${description}, ${price_cents}, ${currency}, ${stock},
      ${active}, ${created_at}, ${updated_at}${wordsOf(product)}) ON CONFLICT (id) DO NOTHING`,
  );
}

function update(unit: Unit, product: Product): Step<number> {
  const { id, name, description, price_cents, stock, active, updated_at } = toRow(product);
  return unit.run(
    sql`UPDATE products SET name = ${name}, description = ${description}, price_cents = ${price_cents}, stock = ${stock},
      active = ${active}, updated_at = ${updated_at}${reworded(product)} WHERE id = ${id}`,
  );
}

/** PostgreSQL is told what a product is found by; SQLite has triggers that do it. */
const WORDS = dialects({ sqlite: sql``, postgres: sql`, words` });

function wordsOf({ name, description }: Product): Query {
  return dialects({ sqlite: sql``, postgres: sql`, CAST(${tsvector(name, description)} AS tsvector)` });
}

function reworded({ name, description }: Product): Query {
  return dialects({ sqlite: sql``, postgres: sql`, words = CAST(${tsvector(name, description)} AS tsvector)` });
}

function toProduct(row: Row): Product {
  return { ...row, active: row.active === 1 };
}

function toRow(product: Product): Row {
  return { ...product, active: product.active ? 1 : 0 };
}
