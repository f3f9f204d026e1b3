-- Takes V16 back: all cases, warnings and thresholds are gone, and the record of who changed them. What was done on Discord stays done.

DROP TABLE mod_action;
DROP TABLE warning_threshold;
DROP TABLE member_warnings;
DROP TABLE warning;
DROP TABLE mod_case;
DROP TABLE mod_guild;
