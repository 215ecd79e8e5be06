-- How far the module's own log may be pruned, and what is known of the time since that was found: one row. Kept here,
-- since a shop that is started anew more often than the window is long would never prune.
CREATE TABLE prune_window (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  prunable INTEGER NOT NULL,
  lowest INTEGER NOT NULL,
  since_ms INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL
) STRICT;
