-- The roles that the bot gave for levels, and when it takes them again.
--
-- Locks: guild_settings, for as long as the catalog takes to change; it is small. The other table is new.

-- One row a role that the bot gave and has not taken. What people gave by hand is not in it, and the bot leaves it alone.
CREATE TABLE given_role (
    guild_id BIGINT      NOT NULL,
    user_id  BIGINT      NOT NULL,
    role_id  BIGINT      NOT NULL,
    given_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (guild_id, user_id, role_id)
);

-- When members lose the roles of levels that they have no more: 'never', after an 'undo' (the default), or 'always'.
ALTER TABLE guild_settings ADD COLUMN demotion TEXT;

-- Whether members who join get the roles of the level that they have; NULL for yes.
ALTER TABLE guild_settings ADD COLUMN roles_on_join BOOLEAN;
