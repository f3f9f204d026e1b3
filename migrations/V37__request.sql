-- One record of each request to change something: who asked, for what, what was before, and the result. It replaces audit_log and
-- mod_action. Processes of the version before read and write it under these names, by views that a later version drops.
--
-- Locks: audit_log and mod_action, each for as long as it takes to copy its rows: one row for each command that changed something.

CREATE TABLE request (
    guild_id   BIGINT      NOT NULL,
    -- The interaction, or a number of the same form for a request that came another way. One that is replayed finds its row, and changes
    -- nothing.
    request_id BIGINT      NOT NULL,
    -- How it came: a command on Discord, the website, the command line, or the bot by itself.
    actor_kind TEXT        NOT NULL DEFAULT 'interaction' CHECK (actor_kind IN ('interaction', 'web', 'cli', 'bot')),
    -- Who asked; NULL for the operator and the bot.
    actor_id   BIGINT,
    -- Such as 'xp_give'.
    action     TEXT        NOT NULL,
    -- The number of what it made or changed, such as a case; NULL without one.
    subject_id BIGINT,
    -- What was asked for.
    details    JSONB       NOT NULL DEFAULT '{}',
    -- What was there before, for an undo.
    before     JSONB,
    -- What it led to: the answer to a replay. NULL if the answer says no more than that it was done.
    result     JSONB,
    -- Members whose XP it changed.
    members    BIGINT      NOT NULL DEFAULT 0,
    -- The request that took it back; NULL while it holds.
    undone_by  BIGINT,
    -- Of the request, by its number.
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (guild_id, request_id)
);

CREATE INDEX request_of_subject ON request (guild_id, subject_id, action) WHERE subject_id IS NOT NULL;

-- Takes the lock under which no process writes while the rows are copied.
ALTER TABLE audit_log DROP CONSTRAINT audit_log_pkey;

ALTER TABLE mod_action DROP CONSTRAINT mod_action_pkey;

INSERT INTO request (guild_id, request_id, actor_id, action, details, members, undone_by, created_at)
SELECT guild_id, interaction_id, actor_id, action, details, members, undone_by, created_at FROM audit_log;

INSERT INTO request (guild_id, request_id, actor_id, action, subject_id, before, result, created_at)
SELECT guild_id, interaction_id, moderator_id,
       CASE action WHEN 'edit' THEN 'warning_edit' WHEN 'remove' THEN 'warning_remove' WHEN 'lift' THEN 'timeout_lift' ELSE action END,
       case_id, before, after, acted_at
FROM mod_action
ON CONFLICT DO NOTHING;

DROP TABLE audit_log;

DROP TABLE mod_action;

-- With the ctid, by which the version before deletes the rows of a server in parts.
CREATE VIEW audit_log AS
SELECT ctid, guild_id, request_id AS interaction_id, actor_id, action, details, members, undone_by, created_at FROM request;

CREATE VIEW mod_action AS
SELECT ctid, guild_id, request_id AS interaction_id, action, subject_id AS case_id, actor_id AS moderator_id, created_at AS acted_at, before,
       result AS after
FROM request WHERE result IS NOT NULL;

-- The views keep the version before working: it needs to know no more than it did.
UPDATE schema_minimum SET version = greatest(version, 22);
