-- The colours of rank cards: a server's, and those that members chose for themselves.
--
-- Locks: guild_settings, for as long as the catalog takes to change. It is small.

-- 0xRRGGBB; NULL for the bot's own.
ALTER TABLE guild_settings ADD COLUMN card_colour BIGINT;

-- The interaction that chose it. One that is replayed is not newer, and changes nothing.
ALTER TABLE guild_settings ADD COLUMN card_asked_id BIGINT;

-- One row a member who chose.
CREATE TABLE member_card (
    guild_id BIGINT NOT NULL,
    user_id  BIGINT NOT NULL,
    -- 0xRRGGBB; NULL for the server's: what was chosen was taken back.
    colour   BIGINT CHECK (colour BETWEEN 0 AND 16777215),
    -- As above.
    asked_id BIGINT NOT NULL,
    PRIMARY KEY (guild_id, user_id)
);
