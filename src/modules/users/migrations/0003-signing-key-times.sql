-- A key signs from its own time until the next key's; when it may go follows from that. What had been retired goes now.
DELETE FROM signing_keys WHERE retired_at IS NOT NULL;
ALTER TABLE signing_keys DROP COLUMN retired_at;
ALTER TABLE signing_keys RENAME COLUMN created_at TO signs_from;
