-- Forgets which roles the bot gave: it takes none of them any more.

ALTER TABLE guild_settings DROP COLUMN roles_on_join;

ALTER TABLE guild_settings DROP COLUMN demotion;

DROP TABLE given_role;
