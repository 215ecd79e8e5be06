-- What every module's store keeps beside the module's own tables.

-- The log of the module's own events: seq is dense, and the newest row is never deleted.
CREATE TABLE outbox (
  seq INTEGER PRIMARY KEY,
  epoch TEXT NOT NULL,
  previous_epoch TEXT NOT NULL,
  event TEXT NOT NULL
) STRICT;

-- Where this module stands in the logs of others; id tells in which order the epochs were met.
CREATE TABLE cursors (
  id INTEGER PRIMARY KEY,
  publisher TEXT NOT NULL,
  epoch TEXT NOT NULL,
  seq INTEGER NOT NULL,
  UNIQUE (publisher, epoch)
) STRICT;

-- How often a row that is not applied yet was tried.
CREATE TABLE attempts (
  publisher TEXT NOT NULL,
  epoch TEXT NOT NULL,
  seq INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  PRIMARY KEY (publisher, epoch, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE dead_letters (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  publisher TEXT NOT NULL,
  epoch TEXT NOT NULL,
  seq INTEGER NOT NULL,
  event TEXT NOT NULL,
  error TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  failed_at TEXT NOT NULL
) STRICT;

-- Finished answers by idempotency key; ids follow time, so that the oldest are found without an index.
CREATE TABLE answers (
  id INTEGER PRIMARY KEY,
  principal TEXT NOT NULL,
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  answer TEXT NOT NULL,
  kept_at_ms INTEGER NOT NULL,
  UNIQUE (principal, key)
) STRICT;

-- Rewritten after a fault: while there is no room for this much, the disk still counts as full.
CREATE TABLE headroom (pad BLOB NOT NULL) STRICT;
INSERT INTO headroom VALUES (randomblob(65536));
