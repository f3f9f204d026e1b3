-- Takes V1 back: every member's XP and every shard's checkpoint are gone afterwards.

DROP TABLE shard_checkpoint;

DROP TABLE member_xp;
