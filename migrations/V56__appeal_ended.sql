-- Appeals that are closed because the ban has ended without a decision on them.
--
-- Locks: appeal, for as long as the catalog takes to change.

-- How the ban ended: by_hand, expired or undone. NULL if a moderator decided the appeal, or while it is open.
ALTER TABLE appeal ADD COLUMN ended TEXT;
