-- Who was erased, by the id alone, which orders go on holding: their books add up, and a repeated request finds it done.
CREATE TABLE erased_users (
  id TEXT PRIMARY KEY,
  erased_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Finds out whether there is another admin.
CREATE INDEX admins ON users (id) WHERE role = 'admin';
