-- Takes V7 back: processes do not know each other any more; run one only.

DROP TABLE identify_key;

DROP TABLE shard_lease;

DROP TABLE fleet_process;

DROP TABLE fleet;
