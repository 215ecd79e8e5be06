CREATE TABLE users (
  -- UUIDv7, so that the order of ids is that of time.
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  -- As the user wrote it, and as it is compared.
  email TEXT NOT NULL,
  canonical_email TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL CHECK (role IN ('customer', 'admin')),
  password_hash TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Tokens are signed with the newest that is not retired, and accepted from all that are not.
CREATE TABLE signing_keys (
  -- RFC 7638 thumbprint.
  kid TEXT PRIMARY KEY,
  -- PKCS #8, PEM.
  private_key TEXT NOT NULL,
  created_at TEXT NOT NULL,
  retired_at TEXT
) STRICT;
