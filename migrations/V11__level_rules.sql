-- What a guild's messages earn, by its own rules; what it says to those who come; and who changed what.
--
-- Locks: guild_settings, for as long as the catalog takes to change; it is small. The other tables are new.

-- A NULL leaves it to the operator's configuration, or to what the column's comment says.
ALTER TABLE guild_settings ADD COLUMN xp_min BIGINT;
ALTER TABLE guild_settings ADD COLUMN xp_max BIGINT;
ALTER TABLE guild_settings ADD COLUMN cooldown_seconds BIGINT;

-- Which of a member's roles with multipliers counts: 'largest' (the default), 'highest' in the guild's order, or the 'sum'.
ALTER TABLE guild_settings ADD COLUMN role_mode TEXT;

-- 'mee6' (the default), 'linear', 'arcane' or 'cubic'.
ALTER TABLE guild_settings ADD COLUMN curve TEXT;

-- For 'linear' (one) and 'cubic' (three): hundredths of XP, of level, level² and level³.
ALTER TABLE guild_settings ADD COLUMN curve_factors BIGINT[];

-- 'en' or 'de'.
ALTER TABLE guild_settings ADD COLUMN language TEXT;

-- What commands begin with that are written as messages; NULL for '!'.
ALTER TABLE guild_settings ADD COLUMN prefix TEXT;

-- Both or neither.
ALTER TABLE guild_settings ADD COLUMN welcome_channel_id BIGINT;
ALTER TABLE guild_settings ADD COLUMN welcome_template TEXT;

-- What the messages of a role's members, or in a channel, earn: percent of what they would otherwise; 0 is nothing.
CREATE TABLE xp_multiplier (
    guild_id    BIGINT NOT NULL,
    target_kind TEXT   NOT NULL CHECK (target_kind IN ('role', 'channel')),
    -- A channel is also a category, or a thread.
    target_id   BIGINT NOT NULL,
    percent     BIGINT NOT NULL CHECK (percent BETWEEN 0 AND 1000),
    PRIMARY KEY (guild_id, target_kind, target_id)
);

-- The same for a time, and on top of it.
CREATE TABLE xp_boost (
    guild_id    BIGINT      NOT NULL,
    -- The interaction that began it.
    boost_id    BIGINT      NOT NULL,
    target_kind TEXT        NOT NULL CHECK (target_kind IN ('role', 'channel', 'server')),
    -- 0 for the server.
    target_id   BIGINT      NOT NULL,
    percent     BIGINT      NOT NULL CHECK (percent BETWEEN 0 AND 1000),
    -- By the messages' own times.
    starts_at   TIMESTAMPTZ NOT NULL,
    ends_at     TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (guild_id, boost_id)
);

CREATE TRIGGER xp_multiplier_changed AFTER INSERT OR UPDATE OR DELETE ON xp_multiplier
    FOR EACH ROW EXECUTE FUNCTION notify_guild_settings();

CREATE TRIGGER xp_multiplier_emptied AFTER TRUNCATE ON xp_multiplier
    FOR EACH STATEMENT EXECUTE FUNCTION notify_guild_settings();

CREATE TRIGGER xp_boost_changed AFTER INSERT OR UPDATE OR DELETE ON xp_boost
    FOR EACH ROW EXECUTE FUNCTION notify_guild_settings();

CREATE TRIGGER xp_boost_emptied AFTER TRUNCATE ON xp_boost
    FOR EACH STATEMENT EXECUTE FUNCTION notify_guild_settings();

-- Who changed what with a command.
CREATE TABLE audit_log (
    guild_id       BIGINT      NOT NULL,
    -- The interaction that asked for it: one that is replayed finds its entry and changes nothing again.
    interaction_id BIGINT      NOT NULL,
    actor_id       BIGINT      NOT NULL,
    -- Such as 'xp_give'.
    action         TEXT        NOT NULL,
    -- Whom or what it is about, and how.
    details        JSONB       NOT NULL,
    -- Members whose XP it changed.
    members        BIGINT      NOT NULL DEFAULT 0,
    -- The entry that took it back; NULL while it holds.
    undone_by      BIGINT,
    -- Of the interaction, by its snowflake.
    created_at     TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (guild_id, interaction_id)
);

-- What an entry did to a member, so that it can be taken back.
CREATE TABLE audit_xp (
    guild_id       BIGINT NOT NULL,
    interaction_id BIGINT NOT NULL,
    user_id        BIGINT NOT NULL,
    -- XP that was added; negative if it was taken.
    change         BIGINT NOT NULL,
    PRIMARY KEY (guild_id, interaction_id, user_id)
);
