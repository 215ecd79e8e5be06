-- An order is one row: its items are frozen when it is placed, always read with it and never searched for, so they
-- are JSON text in the row. A table of their own would cost a second tree to write and a join for each list.
-- Ids are time-ordered (UUIDv7): without a rowid the table itself grows at its end and lists newest first.
CREATE TABLE orders (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'confirmed', 'rejected', 'cancelled')),
  items TEXT NOT NULL,
  total_cents INTEGER NOT NULL CHECK (total_cents >= 0),
  currency TEXT NOT NULL CHECK (length(currency) = 3),
  rejection TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  CHECK ((status = 'rejected') = (rejection IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- The order of the id within each is that of the primary key, which every index of such a table ends with. A user's
-- orders of all statuses are merged from the four ranges, which is cheaper than one more index to write.
CREATE INDEX orders_by_user ON orders (user_id, status);
CREATE INDEX orders_by_status ON orders (status);
