//! What a shard's earlier owner left must not be written, wherever it is.

use std::sync::Arc;

use eventide::{
    config::Config,
    features::levels::{
        pending::{Earns, MemberMessage},
        rows::member_xp,
    },
    pipeline::{
        ledger::Changes,
        rows::shard_checkpoint::{self, Advance, SessionPoint, Taken},
        writer::{Outcome, transaction::flush},
    },
    postgres::Store,
    settings::Settings,
    support::ids::{MemberKey, ShardKey},
};
use twilight_model::id::Id;

use crate::support::{Scene, ledger::small_ledger, session::Session, until};

const SHARD: ShardKey = ShardKey { count: 4, id: 1 };

async fn take(store: &Store) -> Taken {
    store
        .transaction("take", |tx| Box::pin(shard_checkpoint::take(tx, SHARD)))
        .await
        .expect("the shard")
}

fn batch(taken: &Taken, sequence: u64) -> (Advance, Changes) {
    let mut ledger = small_ledger();
    let key = MemberKey {
        guild_id: Id::new(1),
        user_id: Id::new(2),
    };
    let message = MemberMessage {
        at: 1_700_000_000_000,
        channel_id: Id::new(3),
        earns: Earns::Xp { xp: 20, cooldown: 0 },
    };
    ledger.member_message(key, message);
    let advance = Advance {
        shard: SHARD,
        fence: taken.fence,
        revision: taken.revision + 1,
        session: Some(SessionPoint {
            session_id: "session".to_owned(),
            resume_url: None,
            sequence,
        }),
        last_message_id: None,
    };
    (advance, ledger.take())
}

/// A process loses a shard and gets it back while its lane still contains batches from before: both are in one transaction.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_of_two_tenures_in_one_transaction() {
    let scene = Scene::new().await;
    let store = scene.store();
    let settings = Settings::new(&Config::defaults().levels);
    let early = batch(&take(&store).await, 10);
    let late = batch(&take(&store).await, 10);
    let work = Arc::new(vec![early, late]);
    let outcomes = flush(&store, &settings, work).await.expect("a flush");
    assert!(
        matches!(outcomes[..], [Outcome::Fenced, Outcome::Committed { .. }]),
        "{outcomes:?}"
    );
    let rows = member_xp::all(&store).await.expect("rows");
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].1.messages, rows[0].1.xp), (1, 20));
    store.close();
    scene.stop().await;
}

/// A failover to a standby without the newest lease: the old owner and the new one were given the same number, in two histories. The token
/// distinguishes them, at any revision.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn owners_of_two_histories_with_the_same_number() {
    let scene = Scene::new().await;
    let settings = Settings::new(&Config::defaults().levels);
    let first = scene.store();
    take(&first).await;
    first.close();
    let session = Session::open(&scene.postgres.connection().into()).await;
    session.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()").await;
    let name = scene
        .postgres
        .connection()
        .get_dbname()
        .expect("a name")
        .to_owned();
    let mut other = scene.postgres.connection();
    other.dbname("postgres");
    session.close().await;
    let session = Session::open(&other.clone().into()).await;
    until("nobody is connected to what is copied", async || {
        let copy = format!("CREATE DATABASE standby TEMPLATE \"{name}\"");
        session.client.batch_execute(&copy).await.ok()
    })
    .await;
    session.close().await;

    // The lost history, and the current one.
    let lost = scene.store();
    let old = take(&lost).await;
    lost.close();
    other.dbname("standby");
    let standby = Store::new(other, &Config::defaults().database).expect("a pool");
    let new = take(&standby).await;
    assert_eq!(old.fence.number, new.fence.number);
    assert_ne!(old.fence.token, new.fence.token);

    let outcome = async |batch| {
        let outcomes = flush(&standby, &settings, Arc::new(vec![batch])).await;
        outcomes.expect("a flush").pop().expect("one")
    };
    assert!(matches!(outcome(batch(&old, 10)).await, Outcome::Fenced));
    assert!(member_xp::all(&standby).await.expect("rows").is_empty());
    assert!(matches!(
        outcome(batch(&new, 10)).await,
        Outcome::Committed { .. }
    ));
    // At the revision that is stored now, an owner's own try would have been committed before.
    assert!(matches!(outcome(batch(&old, 10)).await, Outcome::Fenced));
    let rows = member_xp::all(&standby).await.expect("rows");
    assert_eq!((rows.len(), rows[0].1.messages), (1, 1));
    standby.close();
    scene.stop().await;
}
