-- Moderation: numbered cases, the warnings among them, what their points lead to, and every change of a case.
--
-- Locks nothing: the tables are new.

-- One row a guild with cases. Its lock puts whatever changes a guild's cases in line, and it counts them: numbers have no gaps.
CREATE TABLE mod_guild (
    guild_id  BIGINT NOT NULL PRIMARY KEY,
    last_case BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- One row a case, of any kind: what was done to whom, by whom, and why. A case that was taken back stays, and says so.
CREATE TABLE mod_case (
    guild_id       BIGINT      NOT NULL,
    case_id        BIGINT      NOT NULL CHECK (case_id >= 1),
    -- 'warning'. A process leaves the kinds alone that it does not know.
    kind           TEXT        NOT NULL,
    -- Whom it is about.
    user_id        BIGINT      NOT NULL,
    moderator_id   BIGINT      NOT NULL,
    reason         TEXT        NOT NULL CHECK (char_length(reason) <= 1000),
    -- The time of the interaction that caused it, not of the process that wrote it.
    created_at     TIMESTAMPTZ NOT NULL,
    -- From when on it does not count any more; NULL: never.
    expires_at     TIMESTAMPTZ,
    removed_at     TIMESTAMPTZ,
    removed_by     BIGINT,
    removed_reason TEXT        CHECK (char_length(removed_reason) <= 1000),
    PRIMARY KEY (guild_id, case_id)
) WITH (fillfactor = 90);

CREATE INDEX mod_case_of_member ON mod_case (guild_id, user_id, case_id);

-- What a case of the kind 'warning' has besides.
CREATE TABLE warning (
    guild_id BIGINT NOT NULL,
    case_id  BIGINT NOT NULL,
    severity TEXT   NOT NULL CHECK (severity IN ('low', 'medium', 'high')),
    points   BIGINT NOT NULL CHECK (points BETWEEN 0 AND 100),
    PRIMARY KEY (guild_id, case_id),
    FOREIGN KEY (guild_id, case_id) REFERENCES mod_case (guild_id, case_id) ON DELETE CASCADE
) WITH (fillfactor = 90);

-- One row a member who was warned: all warnings that were not removed, expired or not, with their points. What counts at a time is
-- computed from the warnings themselves.
CREATE TABLE member_warnings (
    guild_id  BIGINT      NOT NULL,
    user_id   BIGINT      NOT NULL,
    warnings  BIGINT      NOT NULL DEFAULT 0 CHECK (warnings >= 0),
    points    BIGINT      NOT NULL DEFAULT 0 CHECK (points >= 0),
    warned_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (guild_id, user_id)
) WITH (fillfactor = 70);

-- What happens to a member whose points reach so many.
CREATE TABLE warning_threshold (
    guild_id         BIGINT NOT NULL,
    points           BIGINT NOT NULL CHECK (points BETWEEN 1 AND 10000),
    action           TEXT   NOT NULL CHECK (action IN ('timeout', 'kick', 'ban')),
    -- Of a timeout, 28 days at most: https://docs.discord.com/developers/resources/guild#modify-guild-member.
    duration_seconds BIGINT CHECK (duration_seconds BETWEEN 60 AND 2419200),
    -- Only warnings of the last so many days count; NULL: all that have not expired.
    window_days      BIGINT CHECK (window_days BETWEEN 1 AND 3650),
    PRIMARY KEY (guild_id, points),
    CHECK (action <> 'timeout' OR duration_seconds IS NOT NULL)
);

-- One row an interaction that changed something here, with what was before and after. A replay of the interaction finds it, changes
-- nothing, and gives the same answer.
CREATE TABLE mod_action (
    guild_id       BIGINT      NOT NULL,
    interaction_id BIGINT      NOT NULL,
    -- 'warn', 'edit', 'remove', 'threshold_add' or 'threshold_remove'.
    action         TEXT        NOT NULL,
    -- NULL for what is about no case.
    case_id        BIGINT,
    moderator_id   BIGINT      NOT NULL,
    acted_at       TIMESTAMPTZ NOT NULL,
    before         JSONB,
    after          JSONB       NOT NULL,
    PRIMARY KEY (guild_id, interaction_id)
);

CREATE INDEX mod_action_of_case ON mod_action (guild_id, case_id) WHERE case_id IS NOT NULL;
