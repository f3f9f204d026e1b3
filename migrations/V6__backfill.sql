-- What a gap has missed can be read back: from where on, what is still to be read, what waits for it, and what nobody could read.
--
-- Locks: shard_checkpoint and gap, each for as long as the catalog takes to change. Both are small.

-- The newest message that the shard has seen: what it can have missed is newer. NULL before the first.
ALTER TABLE shard_checkpoint ADD COLUMN last_message_id BIGINT;

-- Messages that were read back and counted.
ALTER TABLE gap ADD COLUMN read_back BIGINT NOT NULL DEFAULT 0;

-- One row a channel that is to be read back: the messages above `after_id`, up to and including `until_id`. Moved and removed in the
-- transaction that counts what was read. Keyed by guild and not by shard, so that whoever has the guild goes on with it.
--
-- The row with the channel 0 is a guild of which it is not known yet in which channels it missed something.
CREATE TABLE backfill_channel (
    guild_id   BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    after_id   BIGINT NOT NULL,
    until_id   BIGINT NOT NULL,
    PRIMARY KEY (guild_id, channel_id)
) WITH (fillfactor = 70);

-- Messages that came while their guild was read back: they count after what was missed, in the order of their ids. Each was written in
-- the transaction that moved the checkpoint past it, and is removed in the one that counts it.
CREATE TABLE backfill_message (
    guild_id   BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    user_id    BIGINT NOT NULL,
    PRIMARY KEY (guild_id, message_id)
);

-- One row a channel of a gap that could not be read back, or not to its end. As in the table above, the channel 0 is a whole guild.
CREATE TABLE gap_unread (
    guild_id   BIGINT NOT NULL,
    gap_id     BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    -- As in the label of eventide_backfill_unread_channels_total.
    reason     TEXT   NOT NULL,
    after_id   BIGINT NOT NULL,
    until_id   BIGINT NOT NULL,
    PRIMARY KEY (guild_id, gap_id, channel_id)
);
