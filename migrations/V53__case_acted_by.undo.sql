-- Who made a case for another moderator is forgotten.
--
-- Locks: mod_case, for as long as the catalog takes to change.

DROP INDEX mod_case_acted_by;

ALTER TABLE mod_case DROP COLUMN acted_by;
