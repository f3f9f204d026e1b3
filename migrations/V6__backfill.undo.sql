-- Takes V6 back: what is still to be read back is never read, what waits for it never counts, and from where on a next gap would have
-- to be read back is forgotten. Stop the bot when no shard reads back, which `eventide gaps` shows, and nothing is lost.

DROP TABLE gap_unread;
DROP TABLE backfill_message;
DROP TABLE backfill_channel;

ALTER TABLE gap DROP COLUMN read_back;

ALTER TABLE shard_checkpoint DROP COLUMN last_message_id;
