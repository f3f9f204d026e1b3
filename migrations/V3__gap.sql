-- What cannot be promised is written down: the times in which a shard missed events.

-- One row a gap. Keyed by shard, whose guilds all missed the same time; a few rows a day at the worst.
CREATE TABLE gap (
    shard_count   BIGINT      NOT NULL,
    shard_id      BIGINT      NOT NULL,
    gap_id        BIGINT      NOT NULL GENERATED ALWAYS AS IDENTITY,
    -- As in the label of eventide_gateway_gaps_total.
    reason        TEXT        NOT NULL,
    session_id    TEXT,
    -- The last event of the session that was counted.
    last_sequence BIGINT      NOT NULL,
    -- How many events were missed, where their numbers tell; NULL where nobody knows.
    missing       BIGINT,
    -- When the shard last received, and when it received again; NULL while it does not.
    began_at      TIMESTAMPTZ NOT NULL,
    ended_at      TIMESTAMPTZ,
    PRIMARY KEY (shard_count, shard_id, gap_id)
);
