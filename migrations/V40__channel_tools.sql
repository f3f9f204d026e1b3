-- Channels that the bot has locked or slowed down for staff, with what it has to restore.

CREATE TABLE channel_lock (
    guild_id   BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    -- The interaction that locked it.
    lock_id    BIGINT NOT NULL,
    -- When the lock ends by itself; NULL for never.
    ends_at    TIMESTAMPTZ,
    -- The changed permission overwrites as they were, of the channel and of those that are synced with it. NULL before anything is changed.
    saved      JSONB,
    -- When everything was changed; NULL before.
    locked_at  TIMESTAMPTZ,
    PRIMARY KEY (guild_id, channel_id)
);

-- Slow modes that end.
CREATE TABLE channel_slowmode (
    guild_id   BIGINT  NOT NULL,
    channel_id BIGINT  NOT NULL,
    -- The interaction that set it.
    request_id BIGINT  NOT NULL,
    -- Seconds: what the bot set, and what is to be restored if it still is in force.
    seconds    INTEGER NOT NULL,
    previous   INTEGER NOT NULL,
    PRIMARY KEY (guild_id, channel_id)
);
