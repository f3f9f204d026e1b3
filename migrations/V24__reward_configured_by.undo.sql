-- Forgets who made roles rewards.

ALTER TABLE level_role DROP COLUMN configured_by;
