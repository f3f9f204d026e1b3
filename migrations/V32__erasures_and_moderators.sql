-- Erasures that are remembered for restored backups, and whether members learn who warned them.
--
-- Locks: erased and guild_settings, for as long as the catalog takes to change: the column's default is a constant.

-- Whether the member has written since, so that messages count again. The row stays: a backup from before the erasure that is restored
-- does not bring back what was erased.
ALTER TABLE erased ADD COLUMN is_over BOOLEAN NOT NULL DEFAULT false;

-- Whether members see which moderator warned them, in the message to them, in their list and in what is stored about them; NULL for no.
ALTER TABLE guild_settings ADD COLUMN moderators_shown BOOLEAN;
