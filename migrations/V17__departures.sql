-- Members who left, and servers that removed the bot.
--
-- Locks: guild_settings, for as long as the catalog takes to change; it is small. The other table is new.

-- What becomes of members who leave: 'keep' leaves them on the boards, 'hide' (the default) does not until they are back, 'reset' takes
-- their XP.
ALTER TABLE guild_settings ADD COLUMN departed TEXT;

-- One row a server that removed the bot and did not let it back in. What is stored of it is deleted after privacy.retention_days.
CREATE TABLE guild_departed (
    guild_id BIGINT      PRIMARY KEY,
    left_at  TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX guild_departed_by_time ON guild_departed (left_at);
