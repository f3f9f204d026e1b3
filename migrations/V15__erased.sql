-- What a member had erased stays erased: messages from before, which are read back later, do not bring it back.
--
-- Locks nothing: the table is new.

-- One row a member who had everything erased, until an hour of messages after it has shown that they are back.
CREATE TABLE erased (
    guild_id       BIGINT NOT NULL,
    user_id        BIGINT NOT NULL,
    -- The interaction that asked for it, whose id tells when: https://discord.com/developers/docs/reference#snowflakes.
    interaction_id BIGINT NOT NULL,
    PRIMARY KEY (guild_id, user_id)
);
