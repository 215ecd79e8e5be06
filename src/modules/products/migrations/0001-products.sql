CREATE TABLE products (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  price_cents INTEGER NOT NULL CHECK (price_cents BETWEEN 0 AND 100000000),
  currency TEXT NOT NULL CHECK (length(currency) = 3),
  -- No upper bound: what a cancelled order gives back must always fit. Who adds stock is held to one by the rules.
  stock INTEGER NOT NULL CHECK (stock >= 0),
  active INTEGER NOT NULL CHECK (active IN (0, 1)),
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT;

-- The list shows active products only, newest first.
CREATE INDEX active_products ON products (id) WHERE active = 1;

-- Every change of a stock, for ever: the sum of a product's deltas is its stock.
CREATE TABLE stock_ledger (
  id INTEGER PRIMARY KEY,
  product_id TEXT NOT NULL REFERENCES products (id),
  delta INTEGER NOT NULL CHECK (delta <> 0),
  reason TEXT NOT NULL CHECK (reason IN ('initial', 'restocked', 'reserved', 'released')),
  order_id TEXT,
  at TEXT NOT NULL,
  CHECK ((order_id IS NOT NULL) = (reason IN ('reserved', 'released')))
) STRICT;

-- An order takes from a product at most once, and gives back at most once: the database itself refuses a second time.
CREATE UNIQUE INDEX stock_ledger_by_order ON stock_ledger (order_id, reason, product_id) WHERE order_id IS NOT NULL;

-- How each order was decided; what it took is in the ledger. 'cancelled' is a tombstone: the cancellation came first.
CREATE TABLE reservations (
  order_id TEXT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('reserved', 'rejected', 'released', 'cancelled'))
) STRICT, WITHOUT ROWID;
