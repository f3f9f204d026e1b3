-- Takes V18 back: it is forgotten when the last backup was made. The backups stay.

DROP TABLE last_backup;
