-- What a guild chose: where level-ups are announced and how, and which roles levels give.
--
-- Locks nothing: the tables are new.

-- One row a guild that chose something. A NULL leaves it to the operator's configuration.
CREATE TABLE guild_settings (
    guild_id            BIGINT      PRIMARY KEY,
    announce            TEXT        CHECK (announce IN ('off', 'same_channel', 'channel', 'direct')),
    announce_channel_id BIGINT,
    announce_template   TEXT        CHECK (char_length(announce_template) <= 2000),
    announce_ping       BOOLEAN     NOT NULL DEFAULT false,
    -- Why the bot switched announcements off by itself; NULL where people decided.
    announce_off_reason TEXT,
    rewards             TEXT        NOT NULL DEFAULT 'stack' CHECK (rewards IN ('stack', 'replace')),
    -- Why the bot gives no more roles; NULL while it does.
    rewards_off_reason  TEXT,
    -- Where the bot tells the guild's staff what went wrong.
    log_channel_id      BIGINT,
    updated_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
    CHECK (announce IS DISTINCT FROM 'channel' OR announce_channel_id IS NOT NULL)
);

-- The roles that members get for levels.
CREATE TABLE level_role (
    guild_id BIGINT NOT NULL,
    role_id  BIGINT NOT NULL,
    level    BIGINT NOT NULL CHECK (level >= 1),
    PRIMARY KEY (guild_id, role_id)
);

-- Tells every process that keeps a guild's settings in memory that they changed, whoever changed them. A channel belongs to the
-- whole database, so the payload begins with the schema; after its last space stands the guild, or * for all of them. A schema's
-- name has 63 bytes at most, so it is far from the 8,000 that a payload may have:
-- https://www.postgresql.org/docs/current/sql-notify.html.
CREATE FUNCTION notify_guild_settings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM pg_notify('eventide_guild_settings', TG_TABLE_SCHEMA || ' *');
        RETURN NULL;
    END IF;
    -- The same payload twice in a transaction is sent once.
    IF TG_OP <> 'INSERT' THEN
        PERFORM pg_notify('eventide_guild_settings', TG_TABLE_SCHEMA || ' ' || OLD.guild_id);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM pg_notify('eventide_guild_settings', TG_TABLE_SCHEMA || ' ' || NEW.guild_id);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER guild_settings_changed AFTER INSERT OR UPDATE OR DELETE ON guild_settings
    FOR EACH ROW EXECUTE FUNCTION notify_guild_settings();

CREATE TRIGGER guild_settings_emptied AFTER TRUNCATE ON guild_settings
    FOR EACH STATEMENT EXECUTE FUNCTION notify_guild_settings();

CREATE TRIGGER level_role_changed AFTER INSERT OR UPDATE OR DELETE ON level_role
    FOR EACH ROW EXECUTE FUNCTION notify_guild_settings();

CREATE TRIGGER level_role_emptied AFTER TRUNCATE ON level_role
    FOR EACH STATEMENT EXECUTE FUNCTION notify_guild_settings();
