-- Cases of every kind of action: what a punishment is, when it ends and what became of it, by the names of that time, and where it
-- appears in Discord's audit log and in the server's log channel.
--
-- eventide: no-transaction
-- Locks: mod_case, for as long as the catalog takes to change; it is read once for each index, and nobody waits for that.

-- Besides 'warning', kind is 'ban', 'tempban', 'softban', 'unban', 'kick', 'timeout', 'untimeout' or 'note'. Without a reason, reason
-- is empty.

-- The names that the member and the moderator had; NULL where they are not known.
ALTER TABLE mod_case ADD COLUMN IF NOT EXISTS user_name TEXT;
ALTER TABLE mod_case ADD COLUMN IF NOT EXISTS moderator_name TEXT;

-- When a punishment ends by itself; NULL: never, or it has no duration. expires_at is for warnings alone.
ALTER TABLE mod_case ADD COLUMN IF NOT EXISTS ends_at TIMESTAMPTZ;

-- What became of the action on Discord: 'done', 'gone' where it had no effect any more, 'retried' after an attempt that failed and is
-- repeated, or the name of the text that says what was in the way; NULL while it is not known.
ALTER TABLE mod_case ADD COLUMN IF NOT EXISTS outcome TEXT;

-- The message to the member: 'delivered', or 'closed' if they accept none; NULL while it is not known, and without a message.
ALTER TABLE mod_case ADD COLUMN IF NOT EXISTS message_outcome TEXT;

-- When a punishment was over before its end, or was lifted at its end; NULL while it runs.
ALTER TABLE mod_case ADD COLUMN IF NOT EXISTS ended_at TIMESTAMPTZ;

-- How: 'lifted' at its end, 'replaced' by a newer case of the member, 'gone' if it had been lifted by hand, 'retried', or the name of
-- the text that says why it could not be lifted.
ALTER TABLE mod_case ADD COLUMN IF NOT EXISTS end_outcome TEXT;

-- Since when, and by whose choice, lists do not show the case.
ALTER TABLE mod_case ADD COLUMN IF NOT EXISTS hidden_at TIMESTAMPTZ;
ALTER TABLE mod_case ADD COLUMN IF NOT EXISTS hidden_by BIGINT;

-- The entry of Discord's audit log about the same action. An entry makes one case: whoever adds it holds the guild's row in mod_guild.
ALTER TABLE mod_case ADD COLUMN IF NOT EXISTS audit_entry_id BIGINT;

-- The message in the log channel about the case.
ALTER TABLE mod_case ADD COLUMN IF NOT EXISTS log_channel_id BIGINT;
ALTER TABLE mod_case ADD COLUMN IF NOT EXISTS log_message_id BIGINT;

CREATE INDEX CONCURRENTLY IF NOT EXISTS mod_case_of_entry ON mod_case (guild_id, audit_entry_id)
    WHERE audit_entry_id IS NOT NULL;

CREATE INDEX CONCURRENTLY IF NOT EXISTS mod_case_of_moderator ON mod_case (guild_id, moderator_id, created_at);
