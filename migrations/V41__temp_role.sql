-- Roles that moderators gave for some time.

CREATE TABLE temp_role (
    guild_id   BIGINT      NOT NULL,
    user_id    BIGINT      NOT NULL,
    role_id    BIGINT      NOT NULL,
    -- The interaction that gave it, which is also the ID of the timer that takes it.
    request_id BIGINT      NOT NULL,
    ends_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (guild_id, user_id, role_id)
);

CREATE UNIQUE INDEX temp_role_request ON temp_role (guild_id, request_id);
