-- Indexes of the members in buckets alone: a member of a guild that is not ranked costs its row and the primary key.
--
-- eventide: no-transaction
-- Locks: member_xp is read once for each index, and nobody waits for it.

CREATE INDEX CONCURRENTLY IF NOT EXISTS member_xp_xp_bucket ON member_xp (guild_id, by_xp DESC) WHERE by_xp > 0;

CREATE INDEX CONCURRENTLY IF NOT EXISTS member_xp_message_bucket ON member_xp (guild_id, by_messages DESC) WHERE by_messages > 0;

CREATE INDEX CONCURRENTLY IF NOT EXISTS member_xp_week_bucket ON member_xp (guild_id, week, by_week DESC) WHERE by_week > 0;

DROP INDEX CONCURRENTLY IF EXISTS member_xp_by_week;

DROP INDEX CONCURRENTLY IF EXISTS member_xp_by_messages;

DROP INDEX CONCURRENTLY IF EXISTS member_xp_by_xp;
