-- Dead letters are known outside by a UUIDv7 (RFC 9562), as all that has an id: none is like one of another module, and
-- their order is that of time. Those that are there get the time at which they failed.
CREATE TABLE letters (
  id TEXT PRIMARY KEY,
  publisher TEXT NOT NULL,
  epoch TEXT NOT NULL,
  seq INTEGER NOT NULL,
  event TEXT NOT NULL,
  error TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  failed_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO letters
SELECT
  format('%s-%s-7%03x-%s-%s', substr(ms, 1, 8), substr(ms, 9, 4), id % 4096, 'a' || substr(noise, 1, 3), substr(noise, 4, 12)),
  publisher, epoch, seq, event, error, attempts, failed_at
FROM (
  SELECT *, format('%012x', CAST(unixepoch(failed_at, 'subsec') * 1000 AS INTEGER)) AS ms, lower(hex(randomblob(8))) AS noise
  FROM dead_letters
);

DROP TABLE dead_letters;
ALTER TABLE letters RENAME TO dead_letters;
