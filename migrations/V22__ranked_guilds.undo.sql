-- Takes V22 back: every member of every guild has places again, and every flush keeps their counts.

DROP TRIGGER member_xp_emptied ON member_xp;
DROP TRIGGER member_xp_bucket_removed ON member_xp;
DROP TRIGGER member_xp_bucket_changed ON member_xp;
DROP TRIGGER member_xp_bucket_added ON member_xp;

DROP FUNCTION count_buckets();

DROP TABLE bucket_count;
DROP TABLE ranked_guild;

CREATE TABLE board_place (
    guild_id BIGINT   NOT NULL,
    -- 0 is by XP, 1 by messages; else the number of a week, whose board it is. Weeks begin on Monday, 00:00 UTC, and week 0 with 29
    -- December 1969.
    board    INTEGER  NOT NULL,
    place    SMALLINT NOT NULL,
    members  BIGINT   NOT NULL,
    PRIMARY KEY (guild_id, board, place)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

UPDATE member_xp
SET by_xp = xp_place(xp), by_messages = message_place(message_count), by_week = CASE week WHEN 0 THEN 0 ELSE week_place(xp - week_base) END
WHERE by_xp >= 0 AND (by_xp, by_messages, by_week)
      IS DISTINCT FROM (xp_place(xp), message_place(message_count), CASE week WHEN 0 THEN 0 ELSE week_place(xp - week_base) END);

INSERT INTO board_place (guild_id, board, place, members)
SELECT guild_id, board, place, count(*)
FROM member_xp
CROSS JOIN LATERAL (VALUES (0, by_xp), (1, by_messages), (week, CASE WHEN week > 1 THEN by_week END)) AS c (board, place)
WHERE place > 0
GROUP BY guild_id, board, place;

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

UPDATE schema_minimum SET version = 9;
