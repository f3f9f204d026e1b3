-- Takes V9 back: the number of shards cannot be changed while they run any more. Stop the bot when `eventide fleet status` shows no
-- change of the number under way; messages around one that is would be lost or count twice.

ALTER TABLE shard_lease DROP COLUMN agreed_cut;

ALTER TABLE fleet DROP COLUMN reshard_withdrawn;
ALTER TABLE fleet DROP COLUMN reshard_agreed;
ALTER TABLE fleet DROP COLUMN reshard_cut;
ALTER TABLE fleet DROP COLUMN reshard_to;
ALTER TABLE fleet DROP COLUMN counts_from;

UPDATE schema_minimum SET version = 8;
