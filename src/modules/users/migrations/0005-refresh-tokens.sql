-- A session has several tokens that are good where several tabs have refreshed with one at the same moment; each is known by
-- itself, and so is, for a while, the one that it was given for. A spent one gets its row anew: rows are in the order of that.
CREATE TABLE refresh_tokens (
  -- SHA-256 of the token, in base64url.
  token_hash TEXT PRIMARY KEY,
  handle_hash TEXT NOT NULL REFERENCES sessions (handle_hash) ON DELETE CASCADE,
  -- SHA-256 of the token that it was given for; NULL for the first of the session.
  parent_hash TEXT,
  -- SHA-256 of the Idempotency-Key of that exchange, if there was one.
  key_hash TEXT,
  spent INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX refresh_tokens_by_session ON refresh_tokens (handle_hash, spent);

INSERT OR IGNORE INTO refresh_tokens
SELECT previous_hash, handle_hash, NULL, NULL, 1 FROM sessions
WHERE token_hash IS NOT NULL AND previous_hash IS NOT NULL AND previous_hash <> token_hash;
INSERT OR IGNORE INTO refresh_tokens
SELECT token_hash, handle_hash, previous_hash, exchange_key_hash, 0 FROM sessions WHERE token_hash IS NOT NULL;

-- A session that is revoked has none left.
ALTER TABLE sessions DROP COLUMN token_hash;
ALTER TABLE sessions DROP COLUMN previous_hash;
ALTER TABLE sessions DROP COLUMN exchange_key_hash;
