-- Takes V19 back: changes that are in quarantine are lost. `eventide quarantine retry` applies them before.

DROP TABLE quarantine;
