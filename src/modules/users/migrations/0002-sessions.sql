-- A session begins with a sign-in. Its refresh tokens follow from one another, and only the newest is good.
CREATE TABLE sessions (
  -- SHA-256 of the handle that all its refresh tokens share, in base64url as the other hashes.
  handle_hash TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- SHA-256 of the newest token; NULL when the session is revoked.
  token_hash TEXT,
  -- SHA-256 of the token before, and of the Idempotency-Key with which it was exchanged, if there was one.
  previous_hash TEXT,
  exchange_key_hash TEXT,
  -- When the newest token expires, and the row goes.
  expires_at TEXT NOT NULL
) STRICT;

CREATE INDEX sessions_by_user ON sessions (user_id, expires_at);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Finds the highest cost that any password is hashed at.
CREATE INDEX users_by_hash_cost ON users (substr(password_hash, 5, 2));
