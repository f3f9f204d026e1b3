-- Forgets which messages that wait have not come from the gateway: one that it delivers later can count twice. Stop the bot when no shard
-- reads back, which `eventide gaps` shows, and nothing does.

ALTER TABLE backfill_message DROP COLUMN only_read;
