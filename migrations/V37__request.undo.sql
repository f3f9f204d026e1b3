-- Takes V37 back: requests are in audit_log and mod_action again. Those of the operator and of the bot itself have no actor there.

ALTER TABLE request DROP CONSTRAINT request_pkey;

DROP VIEW mod_action;

DROP VIEW audit_log;

CREATE TABLE audit_log (
    guild_id       BIGINT      NOT NULL,
    interaction_id BIGINT      NOT NULL,
    actor_id       BIGINT      NOT NULL,
    action         TEXT        NOT NULL,
    details        JSONB       NOT NULL,
    members        BIGINT      NOT NULL DEFAULT 0,
    undone_by      BIGINT,
    created_at     TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (guild_id, interaction_id)
);

CREATE TABLE mod_action (
    guild_id       BIGINT      NOT NULL,
    interaction_id BIGINT      NOT NULL,
    action         TEXT        NOT NULL,
    case_id        BIGINT,
    moderator_id   BIGINT      NOT NULL,
    acted_at       TIMESTAMPTZ NOT NULL,
    before         JSONB,
    after          JSONB       NOT NULL,
    PRIMARY KEY (guild_id, interaction_id)
);

CREATE INDEX mod_action_of_case ON mod_action (guild_id, case_id) WHERE case_id IS NOT NULL;

INSERT INTO audit_log (guild_id, interaction_id, actor_id, action, details, members, undone_by, created_at)
SELECT guild_id, request_id, coalesce(actor_id, 0), action, details, members, undone_by, created_at FROM request WHERE result IS NULL;

INSERT INTO mod_action (guild_id, interaction_id, action, case_id, moderator_id, acted_at, before, after)
SELECT guild_id, request_id,
       CASE action WHEN 'warning_edit' THEN 'edit' WHEN 'warning_remove' THEN 'remove' WHEN 'timeout_lift' THEN 'lift' ELSE action END,
       subject_id, coalesce(actor_id, 0), created_at, before, result
FROM request WHERE result IS NOT NULL;

DROP TABLE request;

UPDATE schema_minimum SET version = 22;
