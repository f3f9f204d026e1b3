-- Whose sessions, effects and given roles the tables hold: they are of one of Discord's applications, and mean nothing to another one.
--
-- Locks: fleet and given_role, each for as long as the catalog takes to change.

-- The application whose token the processes have; NULL before the first of them has said it.
ALTER TABLE fleet ADD COLUMN application_id BIGINT;

-- The application that gave the role, where that is another one than the fleet's: the bot does not take such a role.
ALTER TABLE given_role ADD COLUMN application_id BIGINT;
