-- The places of the members who are there already, and the indexes that leaderboards walk.
--
-- What was earned before this version counts for no week.
--
-- eventide: no-transaction
-- Locks: member_xp, an eighth of its rows at a time while their places are written, which a flush that touches one of them waits for.

UPDATE member_xp SET by_xp = xp_place(xp), by_messages = message_place(message_count)
WHERE (user_id >> 22) % 8 = 0 AND (by_xp, by_messages) = (0, 0) AND (xp > 0 OR message_count > 0);

UPDATE member_xp SET by_xp = xp_place(xp), by_messages = message_place(message_count)
WHERE (user_id >> 22) % 8 = 1 AND (by_xp, by_messages) = (0, 0) AND (xp > 0 OR message_count > 0);

UPDATE member_xp SET by_xp = xp_place(xp), by_messages = message_place(message_count)
WHERE (user_id >> 22) % 8 = 2 AND (by_xp, by_messages) = (0, 0) AND (xp > 0 OR message_count > 0);

UPDATE member_xp SET by_xp = xp_place(xp), by_messages = message_place(message_count)
WHERE (user_id >> 22) % 8 = 3 AND (by_xp, by_messages) = (0, 0) AND (xp > 0 OR message_count > 0);

UPDATE member_xp SET by_xp = xp_place(xp), by_messages = message_place(message_count)
WHERE (user_id >> 22) % 8 = 4 AND (by_xp, by_messages) = (0, 0) AND (xp > 0 OR message_count > 0);

UPDATE member_xp SET by_xp = xp_place(xp), by_messages = message_place(message_count)
WHERE (user_id >> 22) % 8 = 5 AND (by_xp, by_messages) = (0, 0) AND (xp > 0 OR message_count > 0);

UPDATE member_xp SET by_xp = xp_place(xp), by_messages = message_place(message_count)
WHERE (user_id >> 22) % 8 = 6 AND (by_xp, by_messages) = (0, 0) AND (xp > 0 OR message_count > 0);

UPDATE member_xp SET by_xp = xp_place(xp), by_messages = message_place(message_count)
WHERE (user_id >> 22) % 8 = 7 AND (by_xp, by_messages) = (0, 0) AND (xp > 0 OR message_count > 0);

CREATE INDEX CONCURRENTLY IF NOT EXISTS member_xp_by_xp ON member_xp (guild_id, by_xp DESC);

CREATE INDEX CONCURRENTLY IF NOT EXISTS member_xp_by_messages ON member_xp (guild_id, by_messages DESC);

CREATE INDEX CONCURRENTLY IF NOT EXISTS member_xp_by_week ON member_xp (guild_id, week, by_week DESC);

-- What it served is served by member_xp_by_xp. A version before this one takes longer for a rank while it still runs.
DROP INDEX CONCURRENTLY IF EXISTS member_xp_guild_tier;
