-- Stock can be corrected, also downwards, and the ledger keeps why. Prices fit every currency (10^12 minor units).
-- Both tables are written anew, as that is how SQLite changes a CHECK; the new ledger refers to the new products.
CREATE TABLE catalogue (
  -- By this the full-text index knows a product; unlike a rowid without a name, it stays what it is.
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  -- Sorted without regard to the case of the letters A to Z.
  name TEXT NOT NULL COLLATE NOCASE,
  description TEXT NOT NULL,
  price_cents INTEGER NOT NULL CHECK (price_cents BETWEEN 0 AND 1000000000000),
  -- Which codes there are changes: the rules know.
  currency TEXT NOT NULL CHECK (currency GLOB '[A-Z][A-Z][A-Z]'),
  -- No upper bound: what a cancelled order gives back must always fit. Who adds stock is held to one by the rules.
  stock INTEGER NOT NULL CHECK (stock >= 0),
  active INTEGER NOT NULL CHECK (active IN (0, 1)),
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT;

INSERT INTO catalogue (id, name, description, price_cents, currency, stock, active, created_at, updated_at)
SELECT id, name, description, price_cents, currency, stock, active, created_at, updated_at FROM products ORDER BY id;

CREATE TABLE ledger (
  -- What moved the stock: an order; a product, its own first stock; or a restocking or correction, by an id of its own.
  cause TEXT NOT NULL,
  reason TEXT NOT NULL CHECK (reason IN ('initial', 'restocked', 'corrected', 'reserved', 'released')),
  product_id TEXT NOT NULL REFERENCES catalogue (id),
  delta INTEGER NOT NULL CHECK (delta <> 0),
  at TEXT NOT NULL,
  -- Why it was corrected, in the words of who did it.
  note TEXT CHECK ((note IS NOT NULL) = (reason = 'corrected')),
  -- An order takes from a product at most once, and gives back at most once: the database itself refuses a second time.
  PRIMARY KEY (cause, reason, product_id)
) STRICT, WITHOUT ROWID;

INSERT INTO ledger SELECT cause, reason, product_id, delta, at, NULL FROM stock_ledger;

DROP TABLE stock_ledger;
DROP TABLE products;
ALTER TABLE catalogue RENAME TO products;
ALTER TABLE ledger RENAME TO stock_ledger;

-- The list shows active products only, newest first.
CREATE INDEX active_products ON products (id) WHERE active = 1;
