-- Messages about cases stay as they are.
--
-- Locks: mod_case, for as long as the catalog takes to change.

ALTER TABLE mod_case DROP COLUMN log_locale;
ALTER TABLE mod_case DROP COLUMN log_revision;
