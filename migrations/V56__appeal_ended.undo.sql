-- Appeals whose ban has ended count as accepted.
--
-- Locks: appeal, for as long as the catalog takes to change.

ALTER TABLE appeal DROP COLUMN ended;
