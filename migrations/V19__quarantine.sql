-- Changes that PostgreSQL refused, kept until somebody applies or discards them.

-- One row a change that a flush could not write: a CHECK or a trigger refused it, the role lacked a right, a page was damaged. The
-- flush committed everything else, and the checkpoint has moved past it, so this row is all that is left of the change.
CREATE TABLE quarantine (
    -- 0 for what belongs to no server.
    guild_id       BIGINT      NOT NULL,
    quarantine_id  BIGINT      GENERATED ALWAYS AS IDENTITY,
    -- 'member', 'joined', 'left', 'guild', 'gap' or 'effect'.
    kind           TEXT        NOT NULL,
    user_id        BIGINT,
    -- The change as JSON. TEXT, because JSONB refuses an escaped NUL, and a refused value is what this table is for.
    body           TEXT        NOT NULL,
    sqlstate       TEXT        NOT NULL,
    reason         TEXT        NOT NULL,
    quarantined_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (guild_id, quarantine_id)
);
