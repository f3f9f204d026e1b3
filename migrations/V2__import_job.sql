-- What was imported from elsewhere, and up to which row.
--
-- Locks nothing: the table is new. Each batch of an import moves `rows_done` in its own transaction, so an import that was killed
-- goes on where it ended, and one that is finished is not done again by accident.
CREATE TABLE import_job (
    -- SHA-256 of the file.
    source_sha256 BYTEA       NOT NULL,
    -- The only guild that was asked for; 0 where the file says it.
    guild_id      BIGINT      NOT NULL,
    -- What decides what a row does: the mode, and how the file is read.
    options       TEXT        NOT NULL,
    -- Raised by every process that takes the job; one whose fence is lower can no longer commit.
    fence         BIGINT      NOT NULL DEFAULT 1,
    rows_done     BIGINT      NOT NULL DEFAULT 0,
    started_at    TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at    TIMESTAMPTZ NOT NULL DEFAULT now(),
    finished_at   TIMESTAMPTZ,
    PRIMARY KEY (source_sha256, guild_id)
) WITH (fillfactor = 50);
