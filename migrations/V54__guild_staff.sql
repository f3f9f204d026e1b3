-- The servers that a user probably manages, for the website's list of them. A row is a hint: the user's roles are read before a server is
-- shown, and the row is deleted if they do not suffice.
--
-- Locks: web_session, for as long as the catalog takes to change.

CREATE TABLE guild_staff (
    guild_id BIGINT      NOT NULL,
    -- The owner, or a user who had permissions of the staff when they used a command or a page.
    user_id  BIGINT      NOT NULL,
    noted_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (guild_id, user_id)
);

CREATE INDEX guild_staff_user ON guild_staff (user_id);

-- The user's list of servers, and when it was made; NULL if it was not.
ALTER TABLE web_session ADD COLUMN servers BIGINT[];
ALTER TABLE web_session ADD COLUMN servers_at TIMESTAMPTZ;
