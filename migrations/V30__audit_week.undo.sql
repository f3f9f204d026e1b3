-- Forgets what changes did to the week: taking one back gives nothing back on the weekly leaderboard.
--
-- Locks: audit_xp, for as long as the catalog takes to change.

ALTER TABLE audit_xp DROP COLUMN week_change;

ALTER TABLE audit_xp DROP COLUMN week;
