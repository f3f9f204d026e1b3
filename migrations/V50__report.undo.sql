-- Takes V50 back: reports are gone, their messages and the cases that they led to stay.

DROP TABLE report_entry;
DROP TABLE report;
