-- Takes V10 back: Discord is told of the commands again at the next start of a version that knows this table.

DROP TABLE command_registration;
