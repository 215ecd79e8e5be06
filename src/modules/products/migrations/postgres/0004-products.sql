-- All that SQLite's migrations up to this number make, for PostgreSQL: from here on each has its counterpart there.
-- COLLATE "C" is SQLite's order of text, by its bytes; by it, lower() knows the letters A to Z alone, as NOCASE does.
CREATE TABLE products (
  id TEXT COLLATE "C" PRIMARY KEY,
  name TEXT COLLATE "C" NOT NULL,
  description TEXT NOT NULL,
  price_cents BIGINT NOT NULL CHECK (price_cents BETWEEN 0 AND 1000000000000),
  currency TEXT NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  stock BIGINT NOT NULL CHECK (stock >= 0),
  active INTEGER NOT NULL CHECK (active IN (0, 1)),
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  -- What is found by search: the words of name and description, without case and diacritics.
  words TSVECTOR NOT NULL
);

-- Each list is a walk along an index, whatever it shows, and in whatever order.
CREATE INDEX products_by_age ON products (active, id);
CREATE INDEX products_by_price ON products (active, price_cents, id);
CREATE INDEX products_by_name ON products (active, lower(name), id);
CREATE INDEX all_products_by_price ON products (price_cents, id);
CREATE INDEX all_products_by_name ON products (lower(name), id);
CREATE INDEX products_by_words ON products USING gin (words);

CREATE TABLE stock_ledger (
  cause TEXT COLLATE "C" NOT NULL,
  reason TEXT NOT NULL CHECK (reason IN ('initial', 'restocked', 'corrected', 'reserved', 'released')),
  product_id TEXT COLLATE "C" NOT NULL REFERENCES products (id),
  delta BIGINT NOT NULL CHECK (delta <> 0),
  at TEXT NOT NULL,
  note TEXT CHECK ((note IS NOT NULL) = (reason = 'corrected')),
  PRIMARY KEY (cause, reason, product_id)
);

CREATE TABLE refusals (
  order_id TEXT PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('rejected', 'cancelled'))
);

-- A row for each order that somebody was about to decide, and how often: whoever comes to it at the same moment waits. SQLite needs
-- none, where one writes at a time.
CREATE TABLE decisions (
  order_id TEXT PRIMARY KEY,
  times INTEGER NOT NULL
);
