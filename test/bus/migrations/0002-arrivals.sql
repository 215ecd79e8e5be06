-- What a publisher in the simulated PostgreSQL has said and not numbered yet.
CREATE TABLE arrivals (
  id INTEGER PRIMARY KEY,
  number INTEGER NOT NULL
) STRICT;
