-- Who is in a server's membership screening, and who was welcomed a short time ago.

-- One row a member whose arrival is not over. The bot removes it when it says nothing any more.
CREATE TABLE member_arrival (
    guild_id    BIGINT  NOT NULL,
    user_id     BIGINT  NOT NULL,
    -- Whether the member has still to accept the server's rules.
    pending     BOOLEAN NOT NULL,
    -- When the member joined who was welcomed, as Discord says; NULL for nobody.
    welcomed_at TIMESTAMPTZ,
    PRIMARY KEY (guild_id, user_id)
);

-- For the removal of what was long ago.
CREATE INDEX member_arrival_settled ON member_arrival (guild_id, welcomed_at) WHERE NOT pending;
