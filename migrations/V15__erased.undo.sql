-- Takes V15 back: messages from before an erasure that are read back later count again.

DROP TABLE erased;
