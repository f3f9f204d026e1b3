-- Takes V23 back: the indexes hold every member again.

CREATE INDEX member_xp_by_xp ON member_xp (guild_id, by_xp DESC);
CREATE INDEX member_xp_by_messages ON member_xp (guild_id, by_messages DESC);
CREATE INDEX member_xp_by_week ON member_xp (guild_id, week, by_week DESC);

DROP INDEX member_xp_week_bucket;
DROP INDEX member_xp_message_bucket;
DROP INDEX member_xp_xp_bucket;
