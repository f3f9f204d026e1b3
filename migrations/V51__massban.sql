-- Bans of many users at once that moderators asked for. A row is deleted a day after it was made.

CREATE TABLE massban (
    guild_id       BIGINT   NOT NULL,
    -- The interaction that asked for it.
    massban_id     BIGINT   NOT NULL,
    -- The users who can be banned, with their names of that time.
    user_ids       BIGINT[] NOT NULL,
    user_names     TEXT[]   NOT NULL,
    -- Empty for none.
    reason         TEXT     NOT NULL CHECK (char_length(reason) <= 1000),
    -- The messages that are deleted, in seconds before the bans.
    delete_seconds INTEGER  NOT NULL,
    -- The case of the first user, once it was confirmed; those of the others follow in order.
    first_case     BIGINT,
    -- How many users were dealt with, and how many of those were banned.
    done           INTEGER  NOT NULL DEFAULT 0,
    banned         INTEGER  NOT NULL DEFAULT 0,
    -- Whether a moderator stopped it.
    is_cancelled   BOOLEAN  NOT NULL DEFAULT false,
    -- Why it ended before all users were dealt with, as the key of a text; NULL if it did not.
    failure        TEXT,
    PRIMARY KEY (guild_id, massban_id)
);
