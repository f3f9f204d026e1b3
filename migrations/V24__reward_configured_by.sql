-- Who made a role a reward: a role with dangerous permissions is given only where the server's owner did.
--
-- Locks: level_role, for as long as the catalog takes to change; it is small.

-- NULL for whoever runs the bot, and for rewards from before this column.
ALTER TABLE level_role ADD COLUMN configured_by BIGINT;
