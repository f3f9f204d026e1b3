//! The conditions that leaderboards rely on.

use tokio_postgres::Client;

/// Every row of a ranked guild has its buckets, or none, and the counts are those of the rows.
pub(crate) async fn assert_counted(client: &Client) {
    let misplaced = "SELECT count(*) FROM member_xp
        WHERE guild_id IN (SELECT guild_id FROM ranked_guild WHERE placed)
          AND ((by_xp, by_messages) NOT IN ((xp_place(xp), message_place(message_count)), (-1, -1))
               OR by_week NOT IN (CASE week WHEN 0 THEN 0 ELSE week_place(xp - week_base) END, -1))
           OR (by_xp < 0) <> (by_week < 0)";
    let rows = client.query_one(misplaced, &[]).await.expect("read");
    assert_eq!(rows.get::<_, i64>(0), 0, "members in a wrong bucket");
    let miscounted = "WITH newest AS (SELECT guild_id, max(week) AS week FROM member_xp GROUP BY guild_id),
        counted AS (
            SELECT guild_id, 0 AS board, by_xp AS bucket, count(*) AS members FROM member_xp GROUP BY 1, 2, 3
            UNION ALL SELECT guild_id, 1, by_messages, count(*) FROM member_xp GROUP BY 1, 2, 3
            UNION ALL SELECT guild_id, week, by_week, count(*) FROM member_xp WHERE week > 0 GROUP BY 1, 2, 3
        ),
        told AS (
            SELECT guild_id, board, bucket, sum(members)::int8 AS members FROM bucket_count GROUP BY 1, 2, 3 HAVING sum(members) <> 0
        )
        SELECT guild_id, board, bucket, c.members, t.members
        FROM (SELECT * FROM counted WHERE bucket > 0) AS c FULL JOIN told AS t USING (guild_id, board, bucket)
        JOIN newest USING (guild_id)
        WHERE (board < 2 OR board >= newest.week - 1) AND c.members IS DISTINCT FROM t.members";
    let rows = client.query(miscounted, &[]).await.expect("read");
    assert!(
        rows.is_empty(),
        "{} counts are wrong: {:?}",
        rows.len(),
        rows.first()
    );
}
