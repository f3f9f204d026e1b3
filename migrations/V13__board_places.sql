-- Leaderboards by XP, by messages and by the week's XP, which find a page in a server of a million members without walking there.
--
-- A member has a *place* in each order: a range of values that begins narrow and widens as they grow, so that who writes changes place
-- seldom and no update of `member_xp` but those loses being heap-only (HOT). `board_place` counts the members of each place. A page or a
-- rank is then a sum over some dozens of counts, and a walk through one place.
--
-- A trigger keeps the counts, whoever changes `member_xp`: within the transaction, and once a statement.
--
-- Locks: member_xp, for as long as the catalog takes to change: the columns' defaults are constants.

CREATE TABLE board_place (
    guild_id BIGINT   NOT NULL,
    -- 0 is by XP, 1 by messages; else the number of a week, whose board it is. Weeks begin on Monday, 00:00 UTC, and week 0 with 29
    -- December 1969.
    board    INTEGER  NOT NULL,
    place    SMALLINT NOT NULL,
    members  BIGINT   NOT NULL,
    PRIMARY KEY (guild_id, board, place)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

-- The last week in which the member earned XP, by the messages' own time, and the XP they had when it began.
ALTER TABLE member_xp ADD COLUMN week_base BIGINT NOT NULL DEFAULT 0;
ALTER TABLE member_xp ADD COLUMN week INTEGER NOT NULL DEFAULT 0;

-- The places: 0 for nothing, -1 for a member who is not shown.
ALTER TABLE member_xp ADD COLUMN by_xp SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE member_xp ADD COLUMN by_messages SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE member_xp ADD COLUMN by_week SMALLINT NOT NULL DEFAULT 0;

-- Which place a value has. These are written into the statements that use them, which costs less than a call.
CREATE OR REPLACE FUNCTION xp_place(value BIGINT) RETURNS SMALLINT LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT width_bucket(value, ARRAY[
        1, 15, 30, 60, 120, 240, 480, 679, 960, 1358, 1920, 2283, 2715, 3229, 3840, 4567, 5431, 6458, 7680,
        9133, 10861, 12916, 15360, 18266, 21722, 25832, 30720, 36532, 43445, 51665, 61440, 73065, 86889,
        103329, 122880, 146130, 173779, 206659, 245760, 292260, 347557, 413317, 491520, 584519, 695114,
        826635, 983040, 1169038, 1390229, 1653270, 1966080, 2338076, 2780457, 3306539, 3932160, 4676153,
        5560914, 6613078, 7864320, 9352305, 11121828, 13226157, 15728640, 18704611, 22243656, 26452314,
        31457280, 37409221, 44487312, 52904628, 62914560, 74818442, 88974624, 105809256, 125829120, 149636885,
        177949248, 211618512, 251658240, 299273770, 355898496, 423237024, 503316480, 598547539, 711796992,
        846474048, 1006632960, 1197095078, 1423593984, 1692948095, 2013265920, 2394190156, 2847187969,
        3385896190, 4026531840, 4788380313, 5694375937, 6771792380, 8053063680
    ]::bigint[])::smallint
$$;

CREATE OR REPLACE FUNCTION message_place(value BIGINT) RETURNS SMALLINT LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT width_bucket(value, ARRAY[
        1, 2, 4, 8, 16, 32, 64, 91, 128, 181, 256, 304, 362, 431, 512, 609, 724, 861, 1024, 1218, 1448, 1722,
        2048, 2435, 2896, 3444, 4096, 4871, 5793, 6889, 8192, 9742, 11585, 13777, 16384, 19484, 23170, 27554,
        32768, 38968, 46341, 55109, 65536, 77936, 92682, 110218, 131072, 155872, 185364, 220436, 262144,
        311744, 370728, 440872, 524288, 623487, 741455, 881744, 1048576, 1246974, 1482910, 1763488, 2097152,
        2493948, 2965821, 3526975, 4194304, 4987896, 5931642, 7053950, 8388608, 9975792, 11863283, 14107901,
        16777216, 19951585, 23726566, 28215802, 33554432, 39903169, 47453133, 56431603
    ]::bigint[])::smallint
$$;

CREATE OR REPLACE FUNCTION week_place(value BIGINT) RETURNS SMALLINT LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT width_bucket(value, ARRAY[
        1, 64, 128, 181, 256, 362, 512, 724, 1024, 1448, 2048, 2896, 4096, 5793, 8192, 11585, 16384, 23170,
        32768, 46341, 65536, 92682, 131072, 185364, 262144, 370728, 524288, 741455, 1048576, 1482910, 2097152,
        2965821, 4194304, 5931642, 8388608, 11863283
    ]::bigint[])::smallint
$$;

-- Members of place 0 and below stand on no board and are not counted. A week that ended long ago is forgotten when a member of the
-- server begins a new one.
--
-- The plan is kept over calls with few and with many rows, so it must be one that is right for many.
CREATE FUNCTION count_board_places() RETURNS trigger LANGUAGE plpgsql SET enable_nestloop = off AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO board_place AS b (guild_id, board, place, members)
        SELECT d.guild_id, d.board, d.place, sum(d.by)
        FROM (
            SELECT n.guild_id, c.board, c.place, c.by
            FROM gone AS o JOIN come AS n ON n.guild_id = o.guild_id AND n.user_id = o.user_id
            CROSS JOIN LATERAL (VALUES
                (0, o.by_xp, -1), (0, n.by_xp, 1),
                (1, o.by_messages, -1), (1, n.by_messages, 1),
                (o.week, CASE WHEN o.week > 1 THEN o.by_week END, -1), (n.week, CASE WHEN n.week > 1 THEN n.by_week END, 1)
            ) AS c (board, place, by)
            WHERE (o.by_xp, o.by_messages, o.week, o.by_week) <> (n.by_xp, n.by_messages, n.week, n.by_week)
              AND c.place > 0 AND (c.board < 2 OR c.board > n.week - 2)
        ) AS d
        GROUP BY d.guild_id, d.board, d.place HAVING sum(d.by) <> 0
        ORDER BY d.guild_id, d.board, d.place
        ON CONFLICT (guild_id, board, place) DO UPDATE SET members = b.members + excluded.members;

        DELETE FROM board_place AS b
        USING (
            SELECT n.guild_id, max(n.week) AS week
            FROM gone AS o JOIN come AS n ON n.guild_id = o.guild_id AND n.user_id = o.user_id
            WHERE n.week > o.week GROUP BY n.guild_id
        ) AS w
        WHERE b.guild_id = w.guild_id AND b.board BETWEEN 2 AND w.week - 2;
    ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO board_place AS b (guild_id, board, place, members)
        SELECT n.guild_id, c.board, c.place, count(*)
        FROM come AS n
        CROSS JOIN LATERAL (VALUES (0, n.by_xp), (1, n.by_messages), (n.week, CASE WHEN n.week > 1 THEN n.by_week END)) AS c (board, place)
        WHERE c.place > 0
        GROUP BY n.guild_id, c.board, c.place
        ORDER BY n.guild_id, c.board, c.place
        ON CONFLICT (guild_id, board, place) DO UPDATE SET members = b.members + excluded.members;
    ELSIF TG_OP = 'DELETE' THEN
        -- In the order of the key, as above: an UPDATE would lock the counts in any order, and could deadlock with a flush.
        INSERT INTO board_place AS b (guild_id, board, place, members)
        SELECT o.guild_id, c.board, c.place, -count(*)
        FROM gone AS o
        CROSS JOIN LATERAL (VALUES (0, o.by_xp), (1, o.by_messages), (o.week, CASE WHEN o.week > 1 THEN o.by_week END)) AS c (board, place)
        WHERE c.place > 0
        GROUP BY o.guild_id, c.board, c.place
        ORDER BY o.guild_id, c.board, c.place
        ON CONFLICT (guild_id, board, place) DO UPDATE SET members = b.members + excluded.members;
    ELSE
        DELETE FROM board_place;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER member_xp_added AFTER INSERT ON member_xp
    REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION count_board_places();

CREATE TRIGGER member_xp_changed AFTER UPDATE ON member_xp
    REFERENCING OLD TABLE AS gone NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION count_board_places();

CREATE TRIGGER member_xp_deleted AFTER DELETE ON member_xp
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION count_board_places();

CREATE TRIGGER member_xp_emptied AFTER TRUNCATE ON member_xp
    FOR EACH STATEMENT EXECUTE FUNCTION count_board_places();
