-- How urgent a lane is, and an index to claim lanes of one guild after the other.
--
-- eventide: no-transaction
-- Locks: outbox_lane, for as long as the catalog takes to change.

-- 0 for a punishment, 1, or 2 for what concerns many members at once or was set aside.
ALTER TABLE outbox_lane ADD COLUMN IF NOT EXISTS urgency BIGINT NOT NULL DEFAULT 1;

CREATE INDEX CONCURRENTLY IF NOT EXISTS outbox_lane_in_turn ON outbox_lane (guild_id, urgency, due_at);

CREATE INDEX CONCURRENTLY IF NOT EXISTS outbox_lane_urgent ON outbox_lane (due_at) WHERE urgency = 0;

-- What it served is served by the two above. A version before this one takes longer to claim while it still runs.
DROP INDEX CONCURRENTLY IF EXISTS outbox_lane_due;
