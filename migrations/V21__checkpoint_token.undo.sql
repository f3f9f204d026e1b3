-- Takes V21 back: owners of shards are told apart by their fences alone.

ALTER TABLE shard_checkpoint DROP COLUMN token;
