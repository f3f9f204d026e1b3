-- What a change of members' XP did to their week, so that the weekly leaderboard follows it and comes back with an undo.
--
-- Locks: audit_xp, for as long as the catalog takes to change: the columns' defaults are constants.

-- The week of member_xp at that time; 0 without one.
ALTER TABLE audit_xp ADD COLUMN week INTEGER NOT NULL DEFAULT 0;

-- XP of that week that was added; negative if it was taken.
ALTER TABLE audit_xp ADD COLUMN week_change BIGINT NOT NULL DEFAULT 0;
