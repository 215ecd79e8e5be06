-- Oldest code: 0007
-- When a refresh token was used first, in milliseconds since 1970: for ten seconds it may be used again, at whichever process. NULL of those that
-- are not used, or were before this was noted.
ALTER TABLE refresh_tokens ADD COLUMN spent_at_ms INTEGER;
