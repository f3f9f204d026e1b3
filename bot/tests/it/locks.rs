//! Transactions that change the same members lock them in one order, so they cannot deadlock.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use eventide::{
    config::Config,
    discord::events::member_news::{Coming, Stage, Times},
    features::{
        levels::pending::{Earns, MemberMessage},
        privacy::rows::member as privacy,
    },
    pipeline::{
        ledger::Changes,
        rows::shard_checkpoint::{self, Advance, Fence},
        writer::transaction::flush,
    },
    postgres::Store,
    settings::Settings,
    support::ids::{MemberKey, ShardKey},
};
use twilight_model::id::Id;

use crate::support::{Scene, effects::member_data, ledger::small_ledger, session::Session, until};

const SHARD: ShardKey = ShardKey { count: 1, id: 0 };
const MEMBERS: u64 = 6;

const fn key(user: u64) -> MemberKey {
    MemberKey {
        guild_id: Id::new(7),
        user_id: Id::new(user),
    }
}

/// A server that welcomes members, gives them roles when they join, and hides those who leave. All members have a row in each table.
async fn scene() -> (Scene, Session) {
    let scene = Scene::new().await;
    let session = Session::open(&scene.postgres.connection().into()).await;
    session
        .execute(&format!(
            "INSERT INTO guild_settings (guild_id, welcome_channel_id, welcome_template, departed, roles_on_join)
             VALUES (7, 9, 'hello', 'hide', true);
             INSERT INTO level_role (guild_id, role_id, level) VALUES (7, 8, 1);
             INSERT INTO member_xp (guild_id, user_id, xp) SELECT 7, u, 500 FROM generate_series(1, {MEMBERS}) AS u;
             INSERT INTO member_arrival (guild_id, user_id, pending) SELECT 7, u, true FROM generate_series(1, {MEMBERS}) AS u;
             INSERT INTO outbox (guild_id, lane_id, kind, user_id, body)
             SELECT 7, u, 'roles', u, '{{}}' FROM generate_series(1, {MEMBERS}) AS u"
        ))
        .await;
    (scene, session)
}

fn settings() -> Settings {
    Settings::new(&Config::defaults().levels)
}

async fn take(store: &Store) -> (Fence, i64) {
    let taken = store.transaction("take", |tx| Box::pin(shard_checkpoint::take(tx, SHARD)));
    let taken = taken.await.expect("the shard");
    (taken.fence, taken.revision)
}

/// Two members join and two leave, not ordered by ID, and all four have written messages before.
fn changes(round: u64) -> Changes {
    let mut ledger = small_ledger();
    let members = [3, 0, 4, 1].map(|at| key((round * 5 + at) % MEMBERS + 1));
    for (at, key) in members.iter().enumerate() {
        let message = MemberMessage {
            at: 1_700_000_000_000,
            channel_id: Id::new(9),
            earns: Earns::Xp { xp: 20, cooldown: 0 },
        };
        ledger.member_message(*key, message);
        if at < 2 {
            ledger.member(Coming {
                key: *key,
                stage: Stage::Joined,
                times: Times {
                    joined_at: Some(1_700_000_000_000 + i64::try_from(round).expect("few") * 3_600_000),
                    seen_at: None,
                },
            });
        } else {
            ledger.member(Coming {
                key: *key,
                stage: Stage::Left,
                times: Times::default(),
            });
        }
    }
    ledger.take()
}

fn advance((fence, revision): (Fence, i64), round: u64) -> Advance {
    Advance {
        shard: SHARD,
        fence,
        revision: revision + 1 + i64::try_from(round).expect("few"),
        session: None,
        last_message_id: None,
    }
}

async fn erase(store: &Store, user: u64, asked: u64) -> bool {
    let erased = store.transaction("privacy_erase", move |tx| {
        Box::pin(async move { privacy::erase(tx, key(user), Id::new(asked), &member_data()).await })
    });
    erased.await.expect("erased")
}

/// Later locks are free while a flush, or an erasure, waits for earlier ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_held_that_comes_later() {
    let (scene, looking) = scene().await;
    let store = scene.store();
    let taken = take(&store).await;
    let holding = Session::open(&scene.postgres.connection().into()).await;
    let order = ["member_arrival", "member_xp", "outbox"];
    let waits = async || {
        until("it waits for a lock", async || {
            let sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
            let row = looking.client.query_one(sql, &[]).await.expect("counted");
            (row.get::<_, i64>(0) > 0).then_some(())
        })
        .await;
    };
    // Members are erased whose rows still exist.
    for (round, held, erased) in [(0, order[0], 3), (1, order[1], 2), (2, order[2], 5)] {
        for erases in [false, true] {
            holding
                .execute(&format!(
                    "BEGIN; SELECT FROM {held} WHERE guild_id = 7 FOR UPDATE"
                ))
                .await;
            let look = async {
                waits().await;
                for later in order.iter().skip_while(|table| **table != held).skip(1) {
                    looking
                        .execute(&format!(
                            "BEGIN; SELECT FROM {later} WHERE guild_id = 7 FOR UPDATE NOWAIT; ROLLBACK"
                        ))
                        .await;
                }
                holding.execute("COMMIT").await;
            };
            if erases {
                let (is_erased, ()) = tokio::join!(erase(&store, erased, 1_000 + round), look);
                assert!(is_erased);
            } else {
                let work = Arc::new(vec![(advance(taken, round), changes(round))]);
                let settings = settings();
                let (flushed, ()) = tokio::join!(flush(&store, &settings, work), look);
                flushed.expect("flushed");
            }
        }
    }
    looking.close().await;
    holding.close().await;
    store.close();
    scene.stop().await;
}

/// The same without known places of waiting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flushes_and_erasures_of_the_same_members() {
    const FLUSHES: u64 = 150;
    const ERASURES: u64 = 2 * MEMBERS;
    let (scene, session) = scene().await;
    let store = scene.store();
    let taken = take(&store).await;
    let (erasures, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let flushing = async {
        let settings = settings();
        // On a busy machine, the connection for the erasures can take as long as all flushes.
        for round in 0.. {
            if round >= FLUSHES && erasures.load(Ordering::Relaxed) >= ERASURES {
                break;
            }
            let work = Arc::new(vec![(advance(taken, round), changes(round))]);
            let flushed = flush(&store, &settings, work).await;
            flushed.expect("no flush is the victim of a deadlock");
        }
        is_over.store(true, Ordering::Relaxed);
    };
    let erasing = async {
        for number in 1.. {
            erase(&store, number % MEMBERS + 1, number).await;
            erasures.store(number, Ordering::Relaxed);
            if is_over.load(Ordering::Relaxed) {
                break;
            }
        }
    };
    tokio::join!(flushing, erasing);
    // A backend reports its statistics when it ends.
    store.close();
    until("the other backends have ended", async || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let row = session.client.query_one(sql, &[]).await.expect("counted");
        (row.get::<_, i64>(0) == 0).then_some(())
    })
    .await;
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    let deadlocks = session.client.query_one(deadlocks, &[]).await.expect("read");
    assert_eq!(deadlocks.get::<_, i64>(0), 0);
    session.close().await;
    scene.stop().await;
}
