-- Takes V12 back: rank cards have the bot's own colour, and what was chosen is lost.

DROP TABLE member_card;

ALTER TABLE guild_settings DROP COLUMN card_asked_id;
ALTER TABLE guild_settings DROP COLUMN card_colour;
