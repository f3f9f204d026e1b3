-- Rank buckets are kept only for the guilds that need them, and counted without transition tables.
--
-- Until now each message of each guild kept `by_xp`, `by_messages` and `by_week` (V13) and the counts of `board_place` up to date, although
-- most guilds are so small that sorting their members costs less than that. A guild is now *ranked* only when somebody has read a
-- board of it and it has thousands of members; in any other one the columns stay at what they are. Whatever they are, `bucket_count`
-- counts them: a row trigger that fires only when a bucket changes appends to it, so no transaction waits for another one's counts.
-- Transition tables would have kept `member_xp` from being partitioned.
--
-- Locks: member_xp, until the counts of its rows are copied: a read of board_place, which has some dozens of rows for each guild.
-- board_place goes.

DROP TRIGGER member_xp_emptied ON member_xp;
DROP TRIGGER member_xp_deleted ON member_xp;
DROP TRIGGER member_xp_changed ON member_xp;
DROP TRIGGER member_xp_added ON member_xp;

DROP FUNCTION count_board_places();

-- One row a guild whose members have their buckets.
--
-- Whoever writes a bucket reads this table in the same transaction, and so holds a lock on it until the transaction ends. A guild is
-- added under ACCESS EXCLUSIVE: no transaction is under way then that has seen the table without it.
CREATE TABLE ranked_guild (
    guild_id BIGINT  PRIMARY KEY,
    -- Whether every member has the right buckets. Until then boards are sorted. It stays true.
    placed   BOOLEAN NOT NULL DEFAULT false,
    -- The last member, in the order of the key, of those who were given their buckets when the guild was added.
    cursor   BIGINT  NOT NULL DEFAULT 0
);

-- How many members of a guild are in a bucket: the sum of `members` over the bucket's rows. Changes are appended, and added up now and
-- then.
CREATE TABLE bucket_count (
    guild_id BIGINT   NOT NULL,
    -- 0 is by XP, 1 by messages; else the number of a week, whose board it is. Weeks begin on Monday, 00:00 UTC, and week 0 with 29
    -- December 1969.
    board    INTEGER  NOT NULL,
    bucket   SMALLINT NOT NULL,
    entry    BIGINT   GENERATED ALWAYS AS IDENTITY,
    members  BIGINT   NOT NULL,
    PRIMARY KEY (guild_id, board, bucket, entry)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

INSERT INTO bucket_count (guild_id, board, bucket, members)
SELECT guild_id, board, place, members FROM board_place WHERE place > 0 AND members <> 0;

-- Their members have the right buckets: the version before has kept them.
INSERT INTO ranked_guild (guild_id, placed)
SELECT guild_id, true FROM board_place WHERE board = 1 AND place > 0 GROUP BY guild_id HAVING sum(members) >= 2000;

DROP TABLE board_place;

-- Members of bucket 0 and below stand on no board and are not counted. A week that ended long ago is not counted any more either.
--
-- The tables are those of the schema that the trigger's table is in, whatever the search path of whoever changes it.
CREATE FUNCTION count_buckets() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before TEXT;
BEGIN
    -- Whoever changes many rows may count them at once instead, as store/rank_buckets.rs does.
    IF pg_catalog.current_setting('eventide.counts_itself', true) = 'on' THEN
        RETURN NULL;
    END IF;
    IF pg_catalog.current_schema() IS DISTINCT FROM TG_TABLE_SCHEMA THEN
        before := pg_catalog.current_setting('search_path');
        PERFORM pg_catalog.set_config('search_path', pg_catalog.quote_ident(TG_TABLE_SCHEMA), true);
    END IF;
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM bucket_count;
    ELSE
        -- OLD of an INSERT and NEW of a DELETE are NULL.
        INSERT INTO bucket_count (guild_id, board, bucket, members)
        SELECT c.guild_id, c.board, c.bucket, sum(c.by)
        FROM (VALUES
            (OLD.guild_id, 0, OLD.by_xp, -1), (NEW.guild_id, 0, NEW.by_xp, 1),
            (OLD.guild_id, 1, OLD.by_messages, -1), (NEW.guild_id, 1, NEW.by_messages, 1),
            (OLD.guild_id, OLD.week, CASE WHEN OLD.week > 1 THEN OLD.by_week END, -1),
            (NEW.guild_id, NEW.week, CASE WHEN NEW.week > 1 THEN NEW.by_week END, 1)
        ) AS c (guild_id, board, bucket, by)
        WHERE c.bucket > 0 AND (c.board < 2 OR c.board > COALESCE(NEW.week, OLD.week) - 2)
        GROUP BY c.guild_id, c.board, c.bucket HAVING sum(c.by) <> 0;
    END IF;
    IF before IS NOT NULL THEN
        PERFORM pg_catalog.set_config('search_path', before, true);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER member_xp_bucket_added AFTER INSERT ON member_xp FOR EACH ROW
    WHEN (NEW.by_xp > 0 OR NEW.by_messages > 0 OR NEW.by_week > 0)
    EXECUTE FUNCTION count_buckets();

CREATE TRIGGER member_xp_bucket_changed AFTER UPDATE ON member_xp FOR EACH ROW
    WHEN (OLD.by_xp <> NEW.by_xp OR OLD.by_messages <> NEW.by_messages OR OLD.by_week <> NEW.by_week
          OR (OLD.week <> NEW.week AND NEW.by_week > 0) OR OLD.guild_id <> NEW.guild_id)
    EXECUTE FUNCTION count_buckets();

CREATE TRIGGER member_xp_bucket_removed AFTER DELETE ON member_xp FOR EACH ROW
    WHEN (OLD.by_xp > 0 OR OLD.by_messages > 0 OR OLD.by_week > 0)
    EXECUTE FUNCTION count_buckets();

CREATE TRIGGER member_xp_emptied AFTER TRUNCATE ON member_xp
    FOR EACH STATEMENT EXECUTE FUNCTION count_buckets();

UPDATE schema_minimum SET version = greatest(version, 22);
