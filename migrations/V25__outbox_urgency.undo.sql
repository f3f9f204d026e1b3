-- Lanes are claimed by the time at which they are due alone again.
--
-- Locks: outbox_lane, while its index is made; it is small.

CREATE INDEX outbox_lane_due ON outbox_lane (due_at);

DROP INDEX outbox_lane_in_turn;

DROP INDEX outbox_lane_urgent;

ALTER TABLE outbox_lane DROP COLUMN urgency;
