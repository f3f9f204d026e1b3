-- Timers: what a guild or the whole fleet has to do at a time. The transaction that does the work of a timer also deletes it, so each
-- fires once, however many processes there are and whenever they end.

CREATE TABLE timer (
    -- 0 for the periodic jobs of the whole fleet.
    guild_id   BIGINT      NOT NULL,
    -- What is to be done. A process that does not know the kind leaves the row to others.
    kind       TEXT        NOT NULL,
    -- What it is about, such as a boost; 0 for a periodic job.
    timer_id   BIGINT      NOT NULL,
    -- When it is to fire.
    due_at     TIMESTAMPTZ NOT NULL,
    -- When it may be claimed: when it is due, after the pause that follows a failure, or when the lease of its claim is over.
    ready_at   TIMESTAMPTZ NOT NULL,
    -- A random number for each claim: a process with another one has lost the timer. NULL after a change, or when it was given back.
    claim      BIGINT,
    -- Attempts that failed.
    attempts   BIGINT      NOT NULL DEFAULT 0,
    -- What the kind needs besides; nothing about a person.
    body       JSONB       NOT NULL DEFAULT '{}',
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    -- When it was given up; NULL while it is to fire.
    failed_at  TIMESTAMPTZ,
    -- Why the last attempt failed.
    failure    TEXT,
    PRIMARY KEY (guild_id, kind, timer_id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX timer_ready ON timer (ready_at, guild_id) WHERE failed_at IS NULL;

CREATE INDEX timer_of_guild ON timer (guild_id, ready_at) WHERE failed_at IS NULL;

CREATE INDEX timer_failed ON timer (failed_at) WHERE failed_at IS NOT NULL;

-- A boost is deleted a month after its end. Messages that a shard missed for so long are not read back.
INSERT INTO timer (guild_id, kind, timer_id, due_at, ready_at)
SELECT guild_id, 'boost_removal', boost_id, ends_at + interval '720 hours', ends_at + interval '720 hours' FROM xp_boost;
