-- Forgets which channels are locked: their permissions have to be restored by hand.

DROP TABLE channel_slowmode;

DROP TABLE channel_lock;
