-- The first key is made by whoever serves users first, and of two that do at the same moment by one: NULL for those that follow it.
ALTER TABLE signing_keys ADD COLUMN is_first INTEGER CHECK (is_first = 1);
CREATE UNIQUE INDEX first_signing_key ON signing_keys (is_first);
