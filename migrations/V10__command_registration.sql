-- What Discord was told of the bot's commands, so that it is told again only when they change.

-- One row for all servers, and one for each test server.
CREATE TABLE command_registration (
    -- 0: all servers.
    guild_id      BIGINT      NOT NULL PRIMARY KEY,
    -- SHA-256 of the request's body, in hexadecimal.
    hash          TEXT        NOT NULL,
    registered_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
