-- Takes V4 back: what guilds chose is gone, and every one has the operator's defaults and no reward roles.

DROP TABLE level_role;

DROP TABLE guild_settings;

DROP FUNCTION notify_guild_settings();
