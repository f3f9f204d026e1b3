-- Cases that a moderator hands over to another one, on whose behalf they acted.
--
-- eventide: no-transaction
-- Locks: mod_case, for as long as the catalog takes to change; it is read once for the index, and nobody waits for that.

-- The moderator who made the case, if moderator_id is another one since; NULL otherwise.
ALTER TABLE mod_case ADD COLUMN IF NOT EXISTS acted_by BIGINT;

CREATE INDEX CONCURRENTLY IF NOT EXISTS mod_case_acted_by ON mod_case (guild_id, acted_by, created_at)
    WHERE acted_by IS NOT NULL;
