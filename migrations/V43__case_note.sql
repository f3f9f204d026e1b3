-- Notes of the staff about a case, any number of them.
--
-- Locks: mod_case, for the moment in which the reference to it is made; the new table has no rows to be checked.

CREATE TABLE case_note (
    guild_id    BIGINT      NOT NULL,
    case_id     BIGINT      NOT NULL,
    -- The interaction that added it.
    note_id     BIGINT      NOT NULL,
    author_id   BIGINT      NOT NULL,
    -- The name that the author had; NULL where it is not known.
    author_name TEXT,
    note        TEXT        NOT NULL CHECK (char_length(note) <= 1000),
    created_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (guild_id, case_id, note_id),
    FOREIGN KEY (guild_id, case_id) REFERENCES mod_case (guild_id, case_id) ON DELETE CASCADE
);
