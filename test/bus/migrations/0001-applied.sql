-- What a subscriber of the tests has applied, in order.
CREATE TABLE applied (
  id INTEGER PRIMARY KEY,
  publisher TEXT NOT NULL,
  number INTEGER NOT NULL
) STRICT;
