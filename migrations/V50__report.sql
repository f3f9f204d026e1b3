-- Reports of members to the staff. What a reported message says is not stored.

CREATE TABLE report (
    guild_id           BIGINT      NOT NULL,
    -- The interaction that made it.
    report_id          BIGINT      NOT NULL,
    -- Whom it is about.
    user_id            BIGINT      NOT NULL,
    -- The message that it is about; NULL for a report about the member alone.
    message_channel_id BIGINT,
    message_id         BIGINT,
    -- Where the staff sees it; the message is NULL until it is sent.
    staff_channel_id   BIGINT      NOT NULL,
    staff_message_id   BIGINT,
    created_at         TIMESTAMPTZ NOT NULL,
    -- The moderator who takes care of it.
    claimed_by         BIGINT,
    closed_by          BIGINT,
    closed_at          TIMESTAMPTZ,
    -- The case that it led to; NULL if it was dismissed.
    case_id            BIGINT,
    PRIMARY KEY (guild_id, report_id)
);

-- Reports of one message by several members are one report while it is open.
CREATE UNIQUE INDEX report_of_message ON report (guild_id, message_id, user_id)
    WHERE message_id IS NOT NULL AND closed_at IS NULL;

-- Who reported, and why.
CREATE TABLE report_entry (
    guild_id   BIGINT      NOT NULL,
    report_id  BIGINT      NOT NULL,
    -- The member who reported.
    user_id    BIGINT      NOT NULL,
    reason     TEXT        NOT NULL CHECK (char_length(reason) <= 400),
    created_at TIMESTAMPTZ NOT NULL,
    -- The member's language, as one of Discord's locales.
    locale     TEXT        NOT NULL,
    PRIMARY KEY (guild_id, report_id, user_id),
    FOREIGN KEY (guild_id, report_id) REFERENCES report (guild_id, report_id) ON DELETE CASCADE
);

CREATE INDEX report_entry_of_member ON report_entry (guild_id, user_id, created_at);
