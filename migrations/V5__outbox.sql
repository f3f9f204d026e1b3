-- What the bot owes Discord: messages, roles. Written in the transaction of the change that caused it, so that neither is without
-- the other, and delivered by any process.

-- One row an effect that is not delivered yet, or that failed for good. A delivered one is deleted.
CREATE TABLE outbox (
    guild_id   BIGINT      NOT NULL,
    -- In the order of the causes, within a guild.
    effect_id  BIGINT      NOT NULL GENERATED ALWAYS AS IDENTITY,
    -- Effects of one lane are delivered one after the other: the channel's id, or the member's. An effect that was set aside because
    -- it failed again and again has a lane of its own, minus its effect_id.
    lane_id    BIGINT      NOT NULL,
    -- What it is. A process that does not know the word leaves the row to others.
    kind       TEXT        NOT NULL,
    -- Where a message goes; NULL for a direct message, and for roles.
    channel_id BIGINT,
    -- The member that it is about.
    user_id    BIGINT,
    -- What the kind needs besides.
    body       JSONB       NOT NULL,
    -- Raised when the same is asked for again before it was done: whoever did the earlier one does not delete the row then.
    revision   BIGINT      NOT NULL DEFAULT 0,
    -- Tries that failed.
    attempts   BIGINT      NOT NULL DEFAULT 0,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    -- When it was given up, and why; NULL while it is to be delivered.
    failed_at  TIMESTAMPTZ,
    failure    TEXT,
    PRIMARY KEY (guild_id, effect_id)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX outbox_in_order ON outbox (guild_id, lane_id, effect_id) WHERE failed_at IS NULL;

CREATE INDEX outbox_failed ON outbox (failed_at) WHERE failed_at IS NOT NULL;

-- A member's roles are a state, not a series of events: one row says that they are to be made right, however often.
CREATE UNIQUE INDEX outbox_roles ON outbox (guild_id, user_id) WHERE kind = 'roles' AND failed_at IS NULL;

-- One row a lane in which something is to be delivered: what the workers claim, without looking at what waits behind it.
CREATE TABLE outbox_lane (
    guild_id BIGINT      NOT NULL,
    lane_id  BIGINT      NOT NULL,
    -- When it may be claimed: now, after a pause, or when the lease of whoever has it is over.
    due_at   TIMESTAMPTZ NOT NULL DEFAULT now(),
    -- Raised by each claim; who has an older one has lost the lane.
    claim    BIGINT      NOT NULL DEFAULT 0,
    -- Raised by each effect that is added, so that a lane is not taken for empty meanwhile.
    version  BIGINT      NOT NULL DEFAULT 0,
    PRIMARY KEY (guild_id, lane_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX outbox_lane_due ON outbox_lane (due_at);

-- How often in a row effects of a kind failed for good: at a channel or a member, and (target_id 0) in the whole guild. A success
-- deletes the row.
CREATE TABLE effect_failure (
    guild_id  BIGINT      NOT NULL,
    kind      TEXT        NOT NULL,
    target_id BIGINT      NOT NULL,
    failures  BIGINT      NOT NULL DEFAULT 1,
    reason    TEXT        NOT NULL,
    failed_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (guild_id, kind, target_id)
);
