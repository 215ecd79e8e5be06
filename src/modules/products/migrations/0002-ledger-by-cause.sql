-- One tree in place of three, the ledger, its index by order and the reservations, each of which every order wrote to:
-- what an order took tells how it was decided, and only one that took nothing needs a row that says why.
CREATE TABLE ledger (
  -- What moved the stock: an order; a product, its own first stock; or a restocking, by an id of its own.
  cause TEXT NOT NULL,
  reason TEXT NOT NULL CHECK (reason IN ('initial', 'restocked', 'reserved', 'released')),
  product_id TEXT NOT NULL REFERENCES products (id),
  delta INTEGER NOT NULL CHECK (delta <> 0),
  at TEXT NOT NULL,
  -- An order takes from a product at most once, and gives back at most once: the database itself refuses a second time.
  PRIMARY KEY (cause, reason, product_id)
) STRICT, WITHOUT ROWID;

INSERT INTO ledger
SELECT
  CASE reason
    WHEN 'initial' THEN product_id
    WHEN 'restocked' THEN
      format('%s-%s-7%03x-%s-%s', substr(ms, 1, 8), substr(ms, 9, 4), id % 4096, 'a' || substr(noise, 1, 3), substr(noise, 4, 12))
    ELSE order_id
  END,
  reason, product_id, delta, at
FROM (
  SELECT *, format('%012x', CAST(unixepoch(at, 'subsec') * 1000 AS INTEGER)) AS ms, lower(hex(randomblob(8))) AS noise
  FROM stock_ledger
);

-- Orders that took nothing. A cancelled one is a tombstone: its cancellation came first.
CREATE TABLE refusals (
  order_id TEXT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('rejected', 'cancelled'))
) STRICT, WITHOUT ROWID;

INSERT INTO refusals SELECT order_id, state FROM reservations WHERE state IN ('rejected', 'cancelled');

DROP TABLE stock_ledger;
DROP TABLE reservations;
ALTER TABLE ledger RENAME TO stock_ledger;
