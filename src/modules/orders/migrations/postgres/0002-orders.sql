-- All that SQLite's migrations up to this number make, for PostgreSQL: from here on each has its counterpart there.
-- COLLATE "C" is SQLite's order of text, by its bytes. What is JSON stays text, and so the same to the byte.
CREATE TABLE orders (
  id TEXT COLLATE "C" PRIMARY KEY,
  user_id TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'confirmed', 'rejected', 'cancelled')),
  items TEXT NOT NULL,
  total_cents BIGINT NOT NULL CHECK (total_cents >= 0),
  currency TEXT NOT NULL CHECK (length(currency) = 3),
  rejection TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  CHECK ((status = 'rejected') = (rejection IS NOT NULL))
);

CREATE INDEX orders_by_status ON orders (status, id);
CREATE INDEX settled_orders_by_user ON orders (user_id, status, id) WHERE status <> 'pending';
CREATE INDEX pending_orders_by_user ON orders (user_id, id) WHERE status = 'pending';
