-- Deletions that are confirmed later have no reason in the audit log.
--
-- Locks: purge, for as long as the catalog takes to change.

ALTER TABLE purge DROP COLUMN reason;
