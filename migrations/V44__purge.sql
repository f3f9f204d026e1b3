-- Deletions of many messages that moderators asked for. A row is deleted a day after it was made.

CREATE TABLE purge (
    guild_id    BIGINT   NOT NULL,
    -- The interaction that asked for it.
    purge_id    BIGINT   NOT NULL,
    channel_id  BIGINT   NOT NULL,
    -- The messages that were found, the newest first. No other is deleted.
    message_ids BIGINT[] NOT NULL,
    -- Whether it was confirmed, where it has to be.
    is_begun    BOOLEAN  NOT NULL,
    -- How many of them were dealt with, and how many of those were too old by then.
    done        INTEGER  NOT NULL DEFAULT 0,
    too_old     INTEGER  NOT NULL DEFAULT 0,
    -- Why it ended before all of them were dealt with; NULL if it did not.
    failure     TEXT,
    PRIMARY KEY (guild_id, purge_id)
);
