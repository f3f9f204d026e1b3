-- Appeals of banned users to the staff, and the votes of moderators on them.

CREATE TABLE appeal (
    guild_id    BIGINT      NOT NULL,
    -- The request that made it.
    appeal_id   BIGINT      NOT NULL,
    -- The banned user.
    user_id     BIGINT      NOT NULL,
    appeal      TEXT        NOT NULL CHECK (char_length(appeal) <= 1000),
    created_at  TIMESTAMPTZ NOT NULL,
    -- The moderator who decided it; all of these are NULL while it is open.
    closed_by   BIGINT,
    closed_at   TIMESTAMPTZ,
    is_accepted BOOLEAN,
    -- What the user reads besides; empty for nothing.
    answer      TEXT CHECK (char_length(answer) <= 1000),
    PRIMARY KEY (guild_id, appeal_id)
);

CREATE INDEX appeal_of_user ON appeal (guild_id, user_id, appeal_id);

CREATE UNIQUE INDEX appeal_open ON appeal (guild_id, user_id) WHERE closed_at IS NULL;

CREATE TABLE appeal_vote (
    guild_id  BIGINT  NOT NULL,
    appeal_id BIGINT  NOT NULL,
    -- The moderator who voted.
    user_id   BIGINT  NOT NULL,
    -- For lifting the ban, or against it.
    is_for    BOOLEAN NOT NULL,
    PRIMARY KEY (guild_id, appeal_id, user_id),
    FOREIGN KEY (guild_id, appeal_id) REFERENCES appeal (guild_id, appeal_id) ON DELETE CASCADE
);
