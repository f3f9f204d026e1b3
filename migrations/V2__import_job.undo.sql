-- Takes V2 back: what is remembered of imports is gone, so that a finished file could be added twice, and one that was interrupted
-- would begin again.

DROP TABLE import_job;
