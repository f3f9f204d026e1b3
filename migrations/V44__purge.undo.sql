-- Forgets which messages are still to be deleted: those that are left stay.

DROP TABLE purge;
