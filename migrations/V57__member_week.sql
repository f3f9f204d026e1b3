-- The XP of members at the beginning of each week, in servers that have statistics, for the chart on a member's page.
--
-- A week is a number as in member_xp: weeks begin on Monday, 00:00 UTC, and week 0 with 29 December 1969.

CREATE TABLE member_week (
    guild_id BIGINT  NOT NULL,
    user_id  BIGINT  NOT NULL,
    week     INTEGER NOT NULL,
    -- All XP of the member at the beginning of the week. There is a row only if it is not the same as in the member's row before, or if it
    -- is the first and not 0.
    xp       BIGINT  NOT NULL,
    PRIMARY KEY (guild_id, user_id, week)
);

-- The weeks at whose beginning the XP of a server's members is known.
CREATE TABLE guild_week (
    guild_id   BIGINT  NOT NULL,
    week       INTEGER NOT NULL,
    -- The last member, in the order of the key, whose XP was copied; NULL once that of all members was.
    after_user BIGINT,
    PRIMARY KEY (guild_id, week)
);
