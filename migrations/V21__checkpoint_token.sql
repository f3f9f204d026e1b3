-- A random token for each owner of a shard, which its writes carry beside the fence.
--
-- After a failover to a standby that lacks the newest transactions, two owners can have been given the same fence. Their tokens differ.
--
-- Locks: shard_checkpoint, for as long as the catalog takes to change; it is small.

ALTER TABLE shard_checkpoint ADD COLUMN token BIGINT NOT NULL DEFAULT 0;
