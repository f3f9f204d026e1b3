-- Tokens by which programs read a server's data. Of a token itself there is only a digest.

CREATE TABLE api_token (
    guild_id   BIGINT      NOT NULL,
    -- The request that made it.
    token_id   BIGINT      NOT NULL,
    -- SHA-256 of a secret of 256 random bits.
    digest     BYTEA       NOT NULL,
    -- What it is for, in the words of who made it.
    name       TEXT        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 50),
    -- What it can read: words of `web/api.rs`.
    parts      TEXT[]      NOT NULL,
    created_by BIGINT      NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (guild_id, token_id)
);

CREATE UNIQUE INDEX api_token_digest ON api_token (guild_id, digest);
