-- The number of shards changes while they run: shards of both numbers have sessions until those of the old one have counted their last
-- message.
--
-- Locks: fleet and shard_lease, each for as long as the catalog takes to change. Both are small.

-- The first message that the shards of `shard_count` count; those before it were counted by shards of another number.
ALTER TABLE fleet ADD COLUMN counts_from BIGINT NOT NULL DEFAULT 0;

-- The number that it is changed to; NULL when it is not.
ALTER TABLE fleet ADD COLUMN reshard_to BIGINT;

-- The first message that the new shards count, once it is proposed.
ALTER TABLE fleet ADD COLUMN reshard_cut BIGINT;

-- Whether every shard has agreed to it: then it holds.
ALTER TABLE fleet ADD COLUMN reshard_agreed BOOLEAN NOT NULL DEFAULT false;

-- Cuts that not every shard could agree to in time: each gives the next one more of it.
ALTER TABLE fleet ADD COLUMN reshard_withdrawn BIGINT NOT NULL DEFAULT 0;

-- The cut that the shard has agreed to: it had handled no message from it on, and handles none before it holds.
ALTER TABLE shard_lease ADD COLUMN agreed_cut BIGINT;

-- A process that does not know of it would count what shards of the other number count.
UPDATE schema_minimum SET version = greatest(version, 9);
