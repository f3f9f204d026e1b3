-- Forgets what was counted.

DROP TABLE statistic;
