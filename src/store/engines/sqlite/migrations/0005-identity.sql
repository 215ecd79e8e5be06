-- Whose database this is: of which module, and which of all that there are of it; backups and copies have the same. One row,
-- written when it is first opened with this table.
CREATE TABLE identity (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  module TEXT NOT NULL,
  database TEXT NOT NULL
) STRICT;
