-- When the last backup was begun that `eventide backup` finished, so that a bot can tell Prometheus, and that somebody is told when
-- there has been none for too long.

CREATE TABLE last_backup (
    one        BOOLEAN     NOT NULL DEFAULT true PRIMARY KEY CHECK (one),
    started_at TIMESTAMPTZ NOT NULL
);
