-- Cases keep their kinds, which an older version leaves alone; what else was known of them is forgotten.
--
-- Locks: mod_case, for as long as the catalog takes to change.

DROP INDEX mod_case_of_moderator;

DROP INDEX mod_case_of_entry;

ALTER TABLE mod_case DROP COLUMN log_message_id;
ALTER TABLE mod_case DROP COLUMN log_channel_id;
ALTER TABLE mod_case DROP COLUMN audit_entry_id;
ALTER TABLE mod_case DROP COLUMN hidden_by;
ALTER TABLE mod_case DROP COLUMN hidden_at;
ALTER TABLE mod_case DROP COLUMN end_outcome;
ALTER TABLE mod_case DROP COLUMN ended_at;
ALTER TABLE mod_case DROP COLUMN message_outcome;
ALTER TABLE mod_case DROP COLUMN outcome;
ALTER TABLE mod_case DROP COLUMN ends_at;
ALTER TABLE mod_case DROP COLUMN moderator_name;
ALTER TABLE mod_case DROP COLUMN user_name;
