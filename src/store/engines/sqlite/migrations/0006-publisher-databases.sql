-- Which database of each publisher this module applies events of: the one that it met first. A database that stands in its place, of
-- another shop, is not mistaken for it.
CREATE TABLE publisher_databases (
  publisher TEXT PRIMARY KEY,
  database TEXT NOT NULL
) STRICT, WITHOUT ROWID;
