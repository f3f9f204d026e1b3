-- Changes of many members' XP, in steps: a million rows in one transaction would hold up every flush that needs one of them.

-- One row a change that is under way, gone when it is done. A step moves after_user in its own transaction, so whoever goes on, after
-- a crash or at a replay of the interaction, begins where the last step ended.
CREATE TABLE mass_change (
    guild_id       BIGINT      NOT NULL,
    -- Of the entry in audit_log.
    interaction_id BIGINT      NOT NULL,
    -- 'reset', 'undo', 'give', 'take' or 'set'.
    kind           TEXT        NOT NULL,
    -- XP to give, to take or to set.
    amount         BIGINT,
    -- The entry that 'undo' takes back.
    undone_id      BIGINT,
    -- Members up to this one are done.
    after_user     BIGINT      NOT NULL DEFAULT 0,
    -- Members that were changed so far.
    members        BIGINT      NOT NULL DEFAULT 0,
    touched_at     TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (guild_id, interaction_id)
);
