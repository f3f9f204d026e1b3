-- What became of what a warning led to, for the moderator who gave it.
--
-- Locks: warning, for as long as the catalog takes to change.

-- 'delivered' or 'closed'; NULL while it is not known, and for a warning without a message.
ALTER TABLE warning ADD COLUMN message_outcome TEXT;

-- 'done', 'gone' where there was nobody to punish any more, or the name of the text that says what was in the way; NULL while it is not
-- known, and for a warning that led to nothing.
ALTER TABLE warning ADD COLUMN action_outcome TEXT;
