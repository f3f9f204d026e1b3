-- What servers counted, where they asked for it: messages, commands, members who came and left. No row is about a member.

CREATE TABLE statistic (
    guild_id   BIGINT      NOT NULL,
    -- What was counted: a word of `features/statistics/counts.rs`.
    kind       TEXT        NOT NULL,
    -- The beginning of the hour, or of the day once its hours are added up (UTC).
    begins_at  TIMESTAMPTZ NOT NULL,
    is_day     BOOLEAN     NOT NULL,
    -- The channel of messages; 0 for everything else.
    channel_id BIGINT      NOT NULL,
    -- The name of commands; empty for everything else.
    command    TEXT        NOT NULL,
    amount     BIGINT      NOT NULL,
    PRIMARY KEY (guild_id, kind, begins_at, is_day, channel_id, command)
);
