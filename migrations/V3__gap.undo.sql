-- Drops the record of what was missed.
DROP TABLE gap;
