//! Leaderboards: pages, ranks and counts compared with sorting everything, and as shown to members.

mod shown;

use std::{collections::BTreeMap, sync::Arc};

use eventide::{
    config::Config,
    features::levels::{
        pending::MemberDelta,
        rows::{
            leaderboard::{self, Order},
            member_xp::{self, Addition, Making, Written},
            rank_buckets,
        },
    },
    postgres::{Store, StoreError, Tx, connect::Target, migrations},
    support::ids::MemberKey,
};
use tokio::sync::Notify;
use twilight_model::id::Id;

use crate::support::{Scene, boards::assert_counted, session::Session, until};

const GUILD: u64 = 7;
const WEEK: i32 = 2_969;

fn key(user: u64) -> MemberKey {
    MemberKey {
        guild_id: Id::new(GUILD),
        user_id: Id::new(user),
    }
}

/// A member's data: XP, messages, and the XP of each week.
#[derive(Clone, Debug, Default)]
struct Has {
    xp: u64,
    messages: u64,
    weeks: BTreeMap<i32, u64>,
}

impl Has {
    fn value(&self, order: Order) -> Option<u64> {
        match order {
            Order::Xp => Some(self.xp),
            Order::Messages => Some(self.messages),
            // Only the newest week of a member is kept.
            Order::Week(week) => {
                let (newest, xp) = self.weeks.last_key_value()?;
                (*newest == week).then_some(*xp)
            }
        }
    }
}

type Members = BTreeMap<u64, Has>;

/// Members and their values in the order of a board.
fn sorted(members: &Members, order: Order) -> Vec<(u64, u64)> {
    let values = members
        .iter()
        .filter_map(|(user, has)| Some((*user, has.value(order).filter(|value| *value > 0)?)));
    let mut all: Vec<(u64, u64)> = values.collect();
    all.sort_by_key(|(user, value)| (std::cmp::Reverse(*value), *user));
    all
}

/// Add what some members earned in one flush, whose messages are from at most two weeks.
async fn flush(store: &Store, members: &mut Members, earned: &BTreeMap<u64, Vec<(i32, u64)>>) {
    let deltas: Vec<(MemberKey, MemberDelta)> = earned
        .iter()
        .map(|(user, awards)| {
            let has = members.entry(*user).or_default();
            let mut delta = MemberDelta {
                messages: awards.len() as u64,
                ..MemberDelta::default()
            };
            has.messages += delta.messages;
            for (week, xp) in awards.iter().filter(|(_, xp)| *xp > 0) {
                delta.xp += xp;
                delta.earned_in(*week, *xp);
                has.xp += xp;
                *has.weeks.entry(*week).or_default() += xp;
            }
            (key(*user), delta)
        })
        .collect();
    let written = store
        .for_flushes()
        .transaction("test", move |tx| {
            Box::pin(async move { write(tx, &deltas).await })
        })
        .await
        .expect("written");
    assert_eq!(written.len(), earned.len());
}

/// Write as a flush does.
async fn write(tx: &Tx<'_>, deltas: &[(MemberKey, MemberDelta)]) -> Result<Vec<Written>, StoreError> {
    let stored = member_xp::stored(tx, deltas.iter().map(|(key, _)| (*key, true))).await?;
    let additions: Vec<Addition> = deltas
        .iter()
        .map(|(key, delta)| {
            let stored = stored.get(key).copied().unwrap_or_default();
            Addition {
                key: *key,
                delta: *delta,
                is_new: stored.last_award.is_none(),
                is_ranked: stored.is_ranked,
            }
        })
        .collect();
    member_xp::write(tx, &additions, Making::Copied).await
}

async fn is_placed(session: &Session) -> bool {
    let sql = "SELECT FROM ranked_guild WHERE guild_id = $1 AND placed";
    let rows = session
        .client
        .query(sql, &[&GUILD.cast_signed()])
        .await
        .expect("read");
    !rows.is_empty()
}

/// How many counts a reader adds up.
async fn counts(session: &Session) -> i64 {
    let rows = session
        .client
        .query_one("SELECT count(*) FROM bucket_count", &[])
        .await;
    rows.expect("read").get(0)
}

/// Every page of every board is that of a plain sort, as is everybody's position.
async fn assert_boards(store: &Store, members: &Members) {
    for order in [
        Order::Xp,
        Order::Messages,
        Order::Week(WEEK),
        Order::Week(WEEK + 1),
    ] {
        let all = sorted(members, order);
        let total = all.len() as u64;
        for skip in (0..total.max(1)).step_by(10) {
            let page = leaderboard::page(store, Id::new(GUILD), order, skip, 10)
                .await
                .expect("a page");
            assert_eq!((page.skipped, page.members), (skip, total), "{order:?}");
            let begin = usize::try_from(skip).expect("small");
            let expected = all.iter().skip(begin).take(10);
            assert_eq!(page.lines.len(), expected.clone().count(), "{order:?}");
            for (line, (user, value)) in page.lines.iter().zip(expected) {
                let better = all.iter().filter(|(_, other)| other > value).count() as u64;
                assert_eq!(
                    (line.standing.user_id.get(), line.value, line.rank),
                    (*user, *value, better + 1),
                    "{order:?} after {skip}"
                );
                assert_eq!(line.standing.xp, members[user].xp);
            }
        }
        for (at, (user, _)) in all.iter().enumerate() {
            let position = leaderboard::position(store, key(*user), order)
                .await
                .expect("read");
            assert_eq!(position, Some(at as u64), "{order:?}");
        }
        // Beyond the end is the last page.
        let last = leaderboard::page(store, Id::new(GUILD), order, u64::MAX, 10)
            .await
            .expect("a page");
        assert_eq!(last.skipped, total.saturating_sub(1) / 10 * 10, "{order:?}");
        assert_eq!(last.lines.is_empty(), total == 0);
    }
}

/// Flushes of random members whose batches straddle a week's end, late messages among them, and many ties.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_board_is_that_of_a_plain_sort() {
    let scene = Scene::new().await;
    let store = scene.store();
    let session = Session::open(&scene.postgres.connection().into()).await;
    let mut members = Members::new();
    assert_boards(&store, &members).await;
    for round in 0..12 {
        if round == 5 {
            // The boards of the half that is sorted, and then of the same members in buckets.
            assert_eq!(
                counts(&session).await,
                0,
                "a guild that is not ranked pays nothing"
            );
            assert_boards(&store, &members).await;
            rank_buckets::tend(&store, Id::new(GUILD)).await.expect("ranked");
            assert!(is_placed(&session).await);
            assert_counted(&session.client).await;
            assert_boards(&store, &members).await;
        }
        let mut earned: BTreeMap<u64, Vec<(i32, u64)>> = BTreeMap::new();
        for _ in 0..60 {
            // Few are active, most are not.
            let user = 1 + u64::from(fastrand::u32(0..150).min(fastrand::u32(0..150)));
            let awards = (0..fastrand::usize(1..6)).map(|_| {
                // In the first half the week ends; after that it has ended, except for late messages.
                let late = fastrand::u32(0..8) == 0;
                let week = WEEK + i32::from(!late && (round > 6 || fastrand::bool()));
                (week, [0, 0, 15, 20, 20, 400][fastrand::usize(0..6)])
            });
            earned.entry(user).or_default().extend(awards);
        }
        flush(&store, &mut members, &earned).await;
        assert_counted(&session.client).await;
    }
    assert!(members.values().any(|has| has.weeks.len() == 2));
    assert_boards(&store, &members).await;
    let before = counts(&session).await;
    rank_buckets::tend(&store, Id::new(GUILD))
        .await
        .expect("added up");
    assert!(counts(&session).await < before / 2, "{before}");
    assert_counted(&session.client).await;
    assert_boards(&store, &members).await;

    // Deleted members are not counted, whoever deleted them.
    session
        .execute("DELETE FROM member_xp WHERE user_id % 3 = 0")
        .await;
    members.retain(|user, _| user % 3 != 0);
    assert_counted(&session.client).await;
    assert_boards(&store, &members).await;
    session.execute("TRUNCATE member_xp").await;
    assert_boards(&store, &Members::new()).await;
    session.close().await;
    scene.stop().await;
}

/// Pages that are read while the guild is written to are each of one moment: in order, and as long as the board is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_while_the_guild_is_written_to() {
    let scene = Scene::new().await;
    let store = scene.store();
    let mut members = Members::new();
    let all: BTreeMap<u64, Vec<(i32, u64)>> = (1..=400).map(|user| (user, vec![(WEEK, user)])).collect();
    flush(&store, &mut members, &all).await;
    let writing = async {
        for round in 0..60_u64 {
            if round == 20 {
                rank_buckets::tend(&store, Id::new(GUILD)).await.expect("ranked");
            }
            let some = (1..=400)
                .filter(|user| (user + round) % 3 == 0)
                .map(|user| (user, vec![(WEEK, (user * 31 + round * 17) % 90)]));
            flush(&store, &mut members, &some.collect()).await;
        }
    };
    let reading = async {
        for round in 0..120_u64 {
            for order in [Order::Xp, Order::Messages, Order::Week(WEEK)] {
                let skip = round * 70 % 400;
                let page = leaderboard::page(&store, Id::new(GUILD), order, skip, 10)
                    .await
                    .expect("a page");
                assert_eq!((page.skipped, page.members, page.lines.len()), (skip, 400, 10));
                assert!(page.lines.is_sorted_by(|a, b| {
                    (b.value, a.standing.user_id) <= (a.value, b.standing.user_id) && a.rank <= b.rank
                }));
                assert!(page.lines[0].rank <= skip + 1);
            }
        }
    };
    tokio::join!(writing, reading);
    let session = Session::open(&scene.postgres.connection().into()).await;
    assert_counted(&session.client).await;
    session.close().await;
    assert_boards(&store, &members).await;
    scene.stop().await;
}

/// A flush that found its guild without buckets is over before the guild has any.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guild_is_ranked_while_a_flush_is_under_way() {
    let scene = Scene::new().await;
    let store = scene.store();
    let session = Session::open(&scene.postgres.connection().into()).await;
    let mut members = Members::new();
    flush(
        &store,
        &mut members,
        &(1..=300).map(|user| (user, vec![(WEEK, user)])).collect(),
    )
    .await;
    let earned = |user: u64| {
        let mut delta = MemberDelta {
            xp: 20,
            messages: 1,
            ..MemberDelta::default()
        };
        delta.earned_in(WEEK, 20);
        (key(user), delta)
    };
    let (begun, ranking) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let flushing = store.for_flushes();
    let (begins, goes_on) = (Arc::clone(&begun), Arc::clone(&ranking));
    let flushing = flushing.transaction("test", move |tx| {
        Box::pin(async move {
            let first: Vec<_> = (200..=400).map(earned).collect();
            write(tx, &first).await?;
            begins.notify_one();
            goes_on.notified().await;
            // These were inserted after the transaction read the rows.
            let second: Vec<_> = (401..=500).map(earned).collect();
            write(tx, &second).await
        })
    });
    let ranked = async {
        begun.notified().await;
        let tending = rank_buckets::tend(&store, Id::new(GUILD));
        let watching = async {
            until("it waits for the flush", async || {
                let sql = "SELECT FROM pg_locks WHERE relation = 'ranked_guild'::regclass AND NOT granted";
                (!session.client.query(sql, &[]).await.expect("read").is_empty()).then_some(())
            })
            .await;
            assert!(!is_placed(&session).await);
            ranking.notify_one();
        };
        let (tended, ()) = tokio::join!(tending, watching);
        tended.expect("ranked");
    };
    let (flushed, ()) = tokio::join!(flushing, ranked);
    assert_eq!(flushed.expect("committed").len(), 100);
    assert!(is_placed(&session).await);
    assert_counted(&session.client).await;
    for user in 200..=500 {
        let has = members.entry(user).or_default();
        (has.xp, has.messages) = (has.xp + 20, has.messages + 1);
        *has.weeks.entry(WEEK).or_default() += 20;
    }
    assert_boards(&store, &members).await;
    session.close().await;
    scene.stop().await;
}

/// The counts match the rows, whoever changes them and whatever the search path is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_from_elsewhere_are_counted() {
    let scene = Scene::new().await;
    let target = Target::from(scene.postgres.connection()).in_schema("Capital Letters");
    migrations::up(&target).await.expect("migrated");
    let store = Store::new(&target, &Config::defaults().database).expect("a pool");
    let mut members = Members::new();
    flush(
        &store,
        &mut members,
        &(1..=300).map(|user| (user, vec![(WEEK, user)])).collect(),
    )
    .await;
    rank_buckets::tend(&store, Id::new(GUILD)).await.expect("ranked");
    let session = Session::open(&target).await;
    let elsewhere = Session::open(&scene.postgres.connection().into()).await;
    for (path, sql) in [
        (
            "public",
            "UPDATE \"Capital Letters\".member_xp SET xp = xp + 500, week_base = week_base + 500, by_xp = \"Capital Letters\".xp_place(xp + 500) WHERE user_id < 50",
        ),
        (
            "pg_catalog",
            "UPDATE \"Capital Letters\".member_xp SET by_xp = -1, by_messages = -1, by_week = -1 WHERE user_id < 20",
        ),
        (
            "\"$user\"",
            "DELETE FROM \"Capital Letters\".member_xp WHERE user_id % 2 = 0",
        ),
    ] {
        elsewhere.execute(&format!("SET search_path = {path}")).await;
        elsewhere.execute(sql).await;
        let row = elsewhere
            .client
            .query_one("SHOW search_path", &[])
            .await
            .expect("read");
        assert_eq!(row.get::<_, &str>(0), path, "it is as it was");
        assert_counted(&session.client).await;
    }
    elsewhere.execute("TRUNCATE \"Capital Letters\".member_xp").await;
    assert_eq!(counts(&session).await, 0);
    store.close();
    session.close().await;
    elsewhere.close().await;
    scene.stop().await;
}

/// If another transaction inserts the same row, the values are added.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_whom_two_flushes_make() {
    let scene = Scene::new().await;
    let store = scene.store();
    let mut members = Members::new();
    let other = async {
        let store = store.for_flushes();
        let deltas: Vec<_> = (1..=10)
            .map(|user| {
                let delta = MemberDelta {
                    xp: 5,
                    messages: 1,
                    ..MemberDelta::default()
                };
                (key(user), delta)
            })
            .collect();
        store
            .transaction("test", move |tx| {
                Box::pin(async move {
                    let additions = deltas.iter().map(|(key, delta)| Addition {
                        key: *key,
                        delta: *delta,
                        // As it was when the other flush read it.
                        is_new: true,
                        is_ranked: false,
                    });
                    member_xp::write(tx, &additions.collect::<Vec<_>>(), Making::Copied).await
                })
            })
            .await
    };
    flush(
        &store,
        &mut members,
        &(1..=10).map(|user| (user, vec![(WEEK, user)])).collect(),
    )
    .await;
    let error = other.await.expect_err("they are there");
    assert!(error.is_unique_violation(), "{error}");
    assert_boards(&store, &members).await;
    scene.stop().await;
}
