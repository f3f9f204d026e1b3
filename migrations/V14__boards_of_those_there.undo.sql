-- Takes V14 back: the indexes. The places stay until V13 is taken back.

DROP INDEX member_xp_by_week;
DROP INDEX member_xp_by_messages;
DROP INDEX member_xp_by_xp;

CREATE INDEX member_xp_guild_tier ON member_xp (guild_id, xp_tier DESC);
