-- Which of the messages that wait were read over REST and have not come from the gateway, which may still deliver them.
--
-- Locks: backfill_message, for as long as the catalog takes to change.

ALTER TABLE backfill_message ADD COLUMN only_read BOOLEAN NOT NULL DEFAULT false;
