-- Forgets what became of what warnings led to.

ALTER TABLE warning DROP COLUMN action_outcome;

ALTER TABLE warning DROP COLUMN message_outcome;
