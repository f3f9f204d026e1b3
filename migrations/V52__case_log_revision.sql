-- The message of the log channel about a case changes with the case.
--
-- Locks: mod_case, for as long as the catalog takes to change.

-- How often the case has changed in a way that the message shows.
ALTER TABLE mod_case ADD COLUMN log_revision BIGINT NOT NULL DEFAULT 0;

-- The language of the message, as one of Discord's locales; NULL while there is none.
ALTER TABLE mod_case ADD COLUMN log_locale TEXT;
