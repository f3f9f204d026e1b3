-- Takes V17 back: it is forgotten which servers removed the bot, and what they stored stays until they remove it again.

DROP TABLE guild_departed;

ALTER TABLE guild_settings DROP COLUMN departed;
