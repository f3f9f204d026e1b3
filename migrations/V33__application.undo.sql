-- Forgets whose sessions, effects and given roles there are: those of another application are taken for the bot's own.

ALTER TABLE given_role DROP COLUMN application_id;

ALTER TABLE fleet DROP COLUMN application_id;
