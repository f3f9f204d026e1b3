-- Several processes share the shards: who they are, and which shard is whose. Decisions are made in transactions that lock the one
-- row of `fleet`, so no two are made at once; every time in these tables is the database's.

-- One row: what holds for all processes.
CREATE TABLE fleet (
    one                BOOLEAN     NOT NULL DEFAULT true PRIMARY KEY CHECK (one),
    -- Decided by the first process; NULL before. https://discord.com/developers/docs/events/gateway#sharding
    shard_count        BIGINT      CHECK (shard_count BETWEEN 1 AND 65535),
    -- When any process last was here: a gap in it means that the database was away, not the processes.
    alive_at           TIMESTAMPTZ NOT NULL DEFAULT now(),
    -- Until then nobody is taken for dead: everybody gets the time to come back after the database did.
    grace_until        TIMESTAMPTZ NOT NULL DEFAULT now(),
    -- What is left of the day's identifies, and when it is all there again.
    identify_remaining BIGINT      NOT NULL DEFAULT 0,
    identify_total     BIGINT      NOT NULL DEFAULT 0,
    identify_resets_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

INSERT INTO fleet DEFAULT VALUES;

-- One row a process that lives, or is not known to be dead.
CREATE TABLE fleet_process (
    process_id  TEXT        NOT NULL PRIMARY KEY,
    host        TEXT        NOT NULL,
    version     TEXT        NOT NULL,
    -- Its share of the shards, relative to the others'.
    capacity    BIGINT      NOT NULL CHECK (capacity >= 1),
    -- Where its number means something: the machine's boot and the namespace of process numbers.
    pid_space   TEXT        NOT NULL,
    pid         BIGINT      NOT NULL,
    pid_started BIGINT      NOT NULL,
    started_at  TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    seen_at     TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    -- Gives its shards away and takes none.
    draining    BOOLEAN     NOT NULL DEFAULT false,
    -- What it shows of itself, for `eventide fleet status`.
    shown       JSONB       NOT NULL DEFAULT '{}'
) WITH (fillfactor = 50);

-- One row a shard: whose it is. Whoever takes one raises the fence of its checkpoint in the same transaction.
CREATE TABLE shard_lease (
    shard_count BIGINT      NOT NULL,
    shard_id    BIGINT      NOT NULL,
    process_id  TEXT        REFERENCES fleet_process ON DELETE SET NULL,
    taken_at    TIMESTAMPTZ,
    -- Where an operator wants it, while that process lives.
    wanted_by   TEXT        REFERENCES fleet_process ON DELETE SET NULL,
    PRIMARY KEY (shard_count, shard_id),
    CHECK (shard_id >= 0 AND shard_id < shard_count)
) WITH (fillfactor = 50);

-- When each of Discord's `max_concurrency` keys may identify next.
CREATE TABLE identify_key (
    rate_limit_key BIGINT      NOT NULL PRIMARY KEY,
    next_at        TIMESTAMPTZ NOT NULL
);
