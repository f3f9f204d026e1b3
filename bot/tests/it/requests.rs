//! Requests are carried out once: through replays, refusals, lost answers to COMMIT, and beside a process of the version before.

use eventide::{
    config::Config,
    postgres::{
        Statement, Store, StoreError,
        request::{self, Actor, Completed, Once, Request},
    },
    support::ids,
};
use futures_util::future::join_all;
use tokio_postgres::types::Type;
use twilight_model::id::Id;

use crate::support::{
    Scene,
    commit_cutter::{CommitCutter, Cut},
    session::Session,
};

const GUILD: i64 = 1;

/// The number of the next case is what the requests of these tests change.
const RAISE: Statement = Statement::new(
    "test",
    &[Type::INT8],
    "INSERT INTO mod_guild AS g (guild_id, last_case) VALUES ($1, 1)
          ON CONFLICT (guild_id) DO UPDATE SET last_case = g.last_case + 1 RETURNING last_case",
);

fn request(number: u64) -> Request {
    Request {
        guild_id: Id::new(GUILD.cast_unsigned()),
        request_id: Id::new(number),
        actor: Actor::Member(Id::new(9)),
        action: "raise",
        details: "{}".to_owned(),
    }
}

/// Raise the number, unless it would be above `most`.
async fn raise(store: &Store, number: u64, most: i64) -> Result<Result<Once<i64>, &'static str>, StoreError> {
    let once = store.once("test", request(number), move |tx| {
        Box::pin(async move {
            let rows = tx.query(RAISE, &[&GUILD]).await?;
            let raised: i64 = rows[0].get(0);
            if raised > most {
                return Err(StoreError::Rejected("above".to_owned()));
            }
            if raised == most {
                return Ok(Err("the most"));
            }
            Ok(Ok(Completed::kept(raised)
                .about(raised)
                .instead_of(&(raised - 1))))
        })
    });
    once.await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_has_the_first_result() {
    let scene = Scene::new().await;
    let store = scene.store();
    let session = Session::open(&scene.postgres.connection().into()).await;
    for number in [1, 2, 1, 2] {
        let once = raise(&store, number, 100)
            .await
            .expect("stored")
            .expect("not refused");
        assert_eq!(once.into_value().expect("kept"), number.cast_signed());
    }
    let kept = request::result_about(&store, Id::new(1), 2, "raise").await;
    assert_eq!(kept.expect("read").as_deref(), Some("2"));
    let kept = request::result_about(&store, Id::new(1), 2, "lower").await;
    assert_eq!(kept.expect("read"), None);
    let row = session
        .client
        .query_one(
            "SELECT actor_kind, actor_id, action, before::text FROM request WHERE request_id = 2",
            &[],
        )
        .await
        .expect("a row");
    let columns: (String, i64, String, String) = (row.get(0), row.get(1), row.get(2), row.get(3));
    assert_eq!(columns, ("interaction".into(), 9, "raise".into(), "1".into()));
    // What is refused, or fails, is not recorded, and can be asked for again.
    assert_eq!(raise(&store, 3, 3).await.expect("stored"), Err("the most"));
    assert!(raise(&store, 4, 3).await.is_err());
    let count = session
        .client
        .query_one("SELECT count(*) FROM request", &[])
        .await;
    assert_eq!(count.expect("counted").get::<_, i64>(0), 2);
    // The same request many times at once.
    let all = join_all((0..6).map(|_| raise(&store, 5, 100))).await;
    let all: Vec<i64> = all
        .into_iter()
        .map(|once| {
            once.expect("stored")
                .expect("not refused")
                .into_value()
                .expect("kept")
        })
        .collect();
    assert!(all.iter().all(|raised| *raised == all[0]), "{all:?}");
    store.close();
    session.close().await;
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_without_an_answer_is_settled() {
    let scene = Scene::new().await;
    let proxy = CommitCutter::start(scene.postgres.socket_directory());
    let store = Store::new(
        proxy.connection(&scene.postgres.connection()),
        &Config::defaults().database,
    )
    .expect("a pool");
    for (number, cut) in [(1, Cut::Before), (2, Cut::AnswerSwallowed), (3, Cut::During)] {
        proxy.cut(cut);
        let once = raise(&store, number, 100)
            .await
            .expect("stored")
            .expect("not refused");
        assert_eq!(once.into_value().expect("kept"), number.cast_signed(), "{cut:?}");
        assert_eq!(proxy.outstanding(), 0);
    }
    store.close();
    scene.stop().await;
}

/// The statements of the version before, which knew two tables, on the views of the same names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_version_before_shares_the_requests() {
    const BEGIN: &str =
        "INSERT INTO audit_log (guild_id, interaction_id, actor_id, action, details, created_at)
         VALUES ($1, $2, $3, $4, $5::text::jsonb, $6) ON CONFLICT DO NOTHING";
    const AFTER: &str = "SELECT after::text FROM mod_action WHERE guild_id = $1 AND interaction_id = $2";
    const ADD: &str = "INSERT INTO mod_action (guild_id, interaction_id, action, case_id, moderator_id, acted_at, before, after)
         VALUES ($1, $2, $3, $4, $5, $6, $7::text::jsonb, $8::text::jsonb)";
    let scene = Scene::new().await;
    let store = scene.store();
    let session = Session::open(&scene.postgres.connection().into()).await;
    let client = &session.client;
    let at = ids::to_time(1_790_000_000_000);
    // What this version did, the one before does not do again, and knows the result of.
    raise(&store, 1, 100).await.expect("stored").expect("not refused");
    let begun = client
        .execute(BEGIN, &[&GUILD, &1_i64, &9_i64, &"raise", &"{}", &at])
        .await;
    assert_eq!(begun.expect("run"), 0);
    let after = client
        .query_one(AFTER, &[&GUILD, &1_i64])
        .await
        .expect("the result");
    assert_eq!(after.get::<_, String>(0), "1");
    // And the other way round.
    let begun = client
        .execute(BEGIN, &[&GUILD, &2_i64, &9_i64, &"raise", &"{}", &at])
        .await;
    assert_eq!(begun.expect("run"), 1);
    let once = raise(&store, 2, 100).await.expect("stored");
    assert_eq!(once, Ok(Once::Before(None)));
    let values: (Option<i64>, Option<&str>) = (Some(7), None);
    client
        .execute(
            ADD,
            &[&GUILD, &3_i64, &"raise", &values.0, &9_i64, &at, &values.1, &"7"],
        )
        .await
        .expect("added");
    let once = raise(&store, 3, 100).await.expect("stored").expect("not refused");
    assert_eq!(once.into_value().expect("kept"), 7);
    // It counts members, takes back, and purges by parts.
    for sql in [
        "UPDATE audit_log SET members = 5 WHERE guild_id = 1 AND interaction_id = 2",
        "UPDATE audit_log SET undone_by = 3 WHERE guild_id = 1 AND interaction_id = 2 AND undone_by IS NULL AND members > 0",
        "UPDATE audit_log SET details = details - '{user_id,amount}'::text[] WHERE guild_id = 1 AND interaction_id = 2",
        "DELETE FROM mod_action WHERE guild_id = 1 AND ctid = ANY (ARRAY(SELECT ctid FROM mod_action WHERE guild_id = 1 LIMIT 1))",
        "DELETE FROM audit_log WHERE guild_id = 1 AND ctid = ANY (ARRAY(SELECT ctid FROM audit_log WHERE guild_id = 1 LIMIT 1))",
    ] {
        assert_eq!(client.execute(sql, &[]).await.expect(sql), 1, "{sql}");
    }
    let left = client.query_one("SELECT count(*) FROM request", &[]).await;
    assert_eq!(left.expect("counted").get::<_, i64>(0), 1);
    store.close();
    session.close().await;
    scene.stop().await;
}
