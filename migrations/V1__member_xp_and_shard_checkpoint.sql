-- What the spine needs: what members earned, and up to where each shard's events are contained in it.

-- One row a member of a guild. Keyed by guild first, so that it can be partitioned or distributed by guild later.
--
-- `xp_tier` is the member's level on the default curve, kept by the writer in the transaction that changes `xp`. It exists for
-- the index below: leaderboards walk (guild_id, xp_tier) from the top and sort only inside a tier. An index on `xp` itself
-- would be touched by every flush, and no update of this table would be a heap-only tuple (HOT) any more:
-- https://www.postgresql.org/docs/current/storage-hot.html. A tier changes only when a member passes a level.
--
-- fillfactor leaves room on each page for the new version of a row, which HOT needs.
CREATE TABLE member_xp (
    guild_id      BIGINT      NOT NULL,
    user_id       BIGINT      NOT NULL,
    xp            BIGINT      NOT NULL DEFAULT 0 CHECK (xp >= 0),
    message_count BIGINT      NOT NULL DEFAULT 0 CHECK (message_count >= 0),
    xp_tier       BIGINT      NOT NULL DEFAULT 0,
    -- Time of the message (its snowflake's, not the clock's) that last earned XP; NULL before the first.
    last_award_at TIMESTAMPTZ,
    PRIMARY KEY (guild_id, user_id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX member_xp_guild_tier ON member_xp (guild_id, xp_tier DESC);

-- One row a shard: everything up to `sequence` of session `session_id` is contained in the tables, and nothing after it.
-- A flush moves it in the same transaction as the changes.
CREATE TABLE shard_checkpoint (
    shard_count BIGINT      NOT NULL,
    shard_id    BIGINT      NOT NULL,
    -- Raised by every process that takes the shard; a writer whose fence is lower can no longer commit.
    fence       BIGINT      NOT NULL DEFAULT 0,
    -- Raised by every flush: tells a writer whose connection broke during COMMIT whether it went through.
    revision    BIGINT      NOT NULL DEFAULT 0,
    -- NULL while the shard has no session to resume.
    session_id  TEXT,
    resume_url  TEXT,
    sequence    BIGINT      NOT NULL DEFAULT 0,
    updated_at  TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (shard_count, shard_id)
) WITH (fillfactor = 50);
