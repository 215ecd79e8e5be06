-- What a subscriber of the tests has applied, in order.
CREATE TABLE applied (
  id INTEGER PRIMARY KEY,
  publisher TEXT NOT NULL,
  number INTEGER NOT NULL
) STRICT;

-- What a publisher of the tests has said, in the order of its log.
CREATE TABLE said (
  id INTEGER PRIMARY KEY,
  number INTEGER NOT NULL
) STRICT;
