-- Members do not learn who warned them, and erasures of members who have written since are forgotten.
--
-- Locks: guild_settings and erased, for as long as the catalog takes to change.

ALTER TABLE guild_settings DROP COLUMN moderators_shown;

DELETE FROM erased WHERE is_over;

ALTER TABLE erased DROP COLUMN is_over;
