import { newId, newIdsAfter } from "../../base/id.ts";
import { Problem } from "../../base/problem.ts";
import type { Begin } from "../../contract/in-time.ts";
import type { Claim, Store } from "../../store/store.ts";
import type { ListPosition } from "./list-position.ts";
import type { Product } from "./product.ts";
import { createProductLists, type ProductFilter } from "./product-lists.ts";
import { addUp, findRejection, type OrderLines, type Refusal, type Rejection } from "./reservation.ts";

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
  isEmpty(): Promise<boolean>;
  /** Keeps a new product, its first stock in the ledger, and the answer to a retry. */
  add(product: Product, claim: Claim | undefined, begin: Begin): Promise<Product>;
  /**
   * Changes one product by a rule that sees it as it is at that moment, and keeps the answer to a retry.
   * @param movement what a difference of stock is called in the ledger
   * @throws Problem not-found, or whatever the rule throws; nothing has changed then
   */
  change(id: string, rule: (product: Product) => Product, how: Change): Promise<Product>;
  /**
   * Inside a unit of work: decides an order and takes its units, of all its products or of none.
   * @returns undefined when the order was decided before, or cancelled before it came: nothing is taken then
   */
  reserve(orderId: string, lines: OrderLines, now: string): "reserved" | Rejection | undefined;
  /**
   * Inside a unit of work: gives back what a cancelled order took. An order that is not known leaves a
   * tombstone, so that it takes nothing should it come later.
   * @returns whether it had taken anything that was not given back before
   */
  release(orderId: string, now: string): boolean;
}

type Row = Omit<Product, "active"> & { readonly active: number };
type Movement = { id: string; delta: number; now: string };

/** A change of a stock; its cause is an order, the product itself for its first stock, or an id of its own. */
interface LedgerEntry {
  readonly cause: string;
  readonly reason: "initial" | "restocked" | "corrected" | "reserved" | "released";
  readonly productId: string;
  readonly delta: number;
  readonly at: string;
  readonly note: string | null;
}

const COLUMNS = "id, name, description, price_cents, currency, stock, active, created_at, updated_at";

export function createProductStore(store: Store): ProductStore {
  newIdsAfter(store.prepare<[], { id: string | null }>("SELECT max(id) AS id FROM products").get()?.id);
  const sql = prepare(store);
  const list = createProductLists<Row>(store, COLUMNS);

  const find = (id: string): Product | undefined => {
    const row = sql.find.get(id);
    return row && toProduct(row);
  };
  const record = (entry: LedgerEntry): void => {
    if (entry.delta !== 0) sql.record.run(entry);
  };
  const isDecided = (orderId: string): boolean => sql.decided.get(orderId, orderId) !== undefined;
  /** An order's units, out of the stock (negative) or back into it. */
  const move = (productId: string, delta: number, orderId: string, now: string): void => {
    const { changes } = sql.move.run({ id: productId, delta, now });
    if (changes !== 1) throw new Error(`${delta} units of ${productId} cannot be moved for order ${orderId}`);
    const reason = delta < 0 ? "reserved" : "released";
    record({ cause: orderId, reason, productId, delta, at: now, note: null });
  };

  return {
    async list(filter, after, limit) {
      return list(filter, after, limit).map(toProduct);
    },
    async find(id) {
      return find(id);
    },
    async isEmpty() {
      return sql.any.get() === undefined;
    },
    add(product, claim, begin) {
      return store.write((unit) => {
        begin();
        sql.insert.run(toRow(product));
        const { id, stock: delta, created_at: at } = product;
        record({ cause: id, reason: "initial", productId: id, delta, at, note: null });
        if (claim !== undefined) unit.keepAnswer(claim, product);
        return product;
      });
    },
    change(id, rule, { begin, movement, claim }) {
      return store.write((unit) => {
        begin();
        const before = find(id);
        if (before === undefined) throw new Problem("not-found", "There is no such product.");
        const after = rule(before);
        sql.update.run(toRow(after));
        if (movement !== undefined) {
          const delta = after.stock - before.stock;
          record({ cause: newId(), note: null, ...movement, productId: id, delta, at: after.updated_at });
        }
        if (claim !== undefined) unit.keepAnswer(claim, after);
        return after;
      });
    },
    reserve(orderId, lines, now) {
      if (isDecided(orderId)) return undefined;
      const units = addUp(lines);
      const rejection = findRejection(units, find);
      if (rejection !== undefined) sql.refuse.run(orderId, "rejected");
      else for (const [productId, quantity] of units) move(productId, -quantity, orderId, now);
      return rejection ?? "reserved";
    },
    release(orderId, now) {
      const held = sql.heldBy.all(orderId);
      for (const { product_id, units } of held) move(product_id, units, orderId, now);
      if (held.length === 0 && !isDecided(orderId)) sql.refuse.run(orderId, "cancelled");
      return held.length > 0;
    },
  };
}

function prepare(store: Store) {
  return {
    find: store.prepare<[string], Row>(`SELECT ${COLUMNS} FROM products WHERE id = ?`),
    any: store.prepare<[], Row>("SELECT id FROM products LIMIT 1"),
    insert: store.prepare<[Row]>(
      `INSERT INTO products (${COLUMNS}) VALUES
       (:id, :name, :description, :price_cents, :currency, :stock, :active, :created_at, :updated_at)`,
    ),
    update: store.prepare<[Row]>(
      `UPDATE products SET name = :name, description = :description, price_cents = :price_cents, stock = :stock,
       active = :active, updated_at = :updated_at WHERE id = :id`,
    ),
    move: store.prepare<[Movement]>(
      "UPDATE products SET stock = stock + :delta, updated_at = :now WHERE id = :id AND stock + :delta >= 0",
    ),
    record: store.prepare<[LedgerEntry]>(
      `INSERT INTO stock_ledger (cause, reason, product_id, delta, at, note)
       VALUES (:cause, :reason, :productId, :delta, :at, :note)`,
    ),
    decided: store.prepare<[string, string], 1>(
      "SELECT 1 FROM stock_ledger WHERE cause = ? UNION ALL SELECT 1 FROM refusals WHERE order_id = ? LIMIT 1",
    ),
    heldBy: store.prepare<[string], { product_id: string; units: number }>(
      "SELECT product_id, -sum(delta) AS units FROM stock_ledger WHERE cause = ? GROUP BY product_id HAVING units > 0",
    ),
    refuse: store.prepare<[string, Refusal]>("INSERT INTO refusals (order_id, state) VALUES (?, ?)"),
  };
}

function toProduct(row: Row): Product {
  return { ...row, active: row.active === 1 };
}

function toRow(product: Product): Row {
  return { ...product, active: product.active ? 1 : 0 };
}
