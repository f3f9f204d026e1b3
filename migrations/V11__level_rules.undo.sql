-- Takes V11 back: every guild's messages earn by the operator's rules again, and nobody knows any more who changed what.

DROP TABLE audit_xp;

DROP TABLE audit_log;

DROP TABLE xp_boost;

DROP TABLE xp_multiplier;

ALTER TABLE guild_settings
    DROP COLUMN xp_min,
    DROP COLUMN xp_max,
    DROP COLUMN cooldown_seconds,
    DROP COLUMN role_mode,
    DROP COLUMN curve,
    DROP COLUMN curve_factors,
    DROP COLUMN language,
    DROP COLUMN prefix,
    DROP COLUMN welcome_channel_id,
    DROP COLUMN welcome_template;
