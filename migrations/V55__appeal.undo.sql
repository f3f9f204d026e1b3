-- Takes V55 back: appeals and votes are gone, and the cases that they led to stay.

DROP TABLE appeal_vote;
DROP TABLE appeal;
