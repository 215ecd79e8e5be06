-- Who guesses passwords is slowed down, whichever process he asks. A row goes when none has failed there for a while.
CREATE TABLE failed_attempts (
  -- SHA-256 of what the failures count against, such as an address.
  lane TEXT PRIMARY KEY,
  -- How many in a row.
  count INTEGER NOT NULL,
  -- When the next attempt is let in, and when all this is forgotten.
  wait_until_ms INTEGER NOT NULL,
  forget_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX failed_attempts_by_age ON failed_attempts (forget_at_ms);
