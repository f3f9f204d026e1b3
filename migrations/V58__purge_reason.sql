-- The reason of a deletion that waits for its confirmation, for the audit log.
--
-- Locks: purge, for as long as the catalog takes to change.

-- As the moderator wrote it; NULL for none.
ALTER TABLE purge ADD COLUMN reason TEXT;
