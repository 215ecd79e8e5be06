-- A session has several tokens that are good where several tabs have refreshed with one at the same moment; each is known by
-- itself, and so is, for a while, the one that it was exchanged for.
CREATE TABLE refresh_tokens (
  -- SHA-256 of the token, in base64url.
  token_hash TEXT PRIMARY KEY,
  handle_hash TEXT NOT NULL REFERENCES sessions (handle_hash) ON DELETE CASCADE,
  -- SHA-256 of the token that it was last exchanged for; NULL while it is good.
  next_hash TEXT,
  -- SHA-256 of the Idempotency-Key of that exchange, if there was one.
  exchange_key_hash TEXT
) STRICT;

CREATE INDEX refresh_tokens_by_session ON refresh_tokens (handle_hash);

INSERT INTO refresh_tokens SELECT token_hash, handle_hash, NULL, NULL FROM sessions WHERE token_hash IS NOT NULL;
INSERT INTO refresh_tokens
SELECT previous_hash, handle_hash, token_hash, exchange_key_hash FROM sessions
WHERE token_hash IS NOT NULL AND previous_hash IS NOT NULL AND previous_hash NOT IN (SELECT token_hash FROM refresh_tokens);

-- A session that is revoked has none left.
ALTER TABLE sessions DROP COLUMN token_hash;
ALTER TABLE sessions DROP COLUMN previous_hash;
ALTER TABLE sessions DROP COLUMN exchange_key_hash;
