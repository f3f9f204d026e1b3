//! Changes that PostgreSQL rejects do not stop others, are stored, and count once when they are applied.

use std::{fs::File, os::unix::fs::FileExt as _, sync::Arc};

use discord_simulator::{LevelRules, Rate, Simulator, SimulatorConfig};
use eventide::{
    config::Config,
    discord::shards::ShardStatus,
    features::levels::{
        pending::{Earns, MemberMessage},
        rows::{member_xp, rank_buckets},
    },
    pipeline::{
        rows::shard_checkpoint::{self, Advance},
        writer::transaction::flush,
    },
    postgres::Store,
    settings::Settings,
    support::ids::{MemberKey, ShardKey},
};
use twilight_model::id::Id;

use crate::support::{
    PATIENCE, Scene,
    bot::{command, compare, config_for, discord, settle_exactly, start, up, url},
    ledger::small_ledger,
    session::{Session, every_session_is_stored},
    until,
};

/// A world in which the order of messages does not matter, since changes applied later are out of order.
async fn world() -> Simulator {
    discord(SimulatorConfig {
        shards: 2,
        levels: LevelRules {
            cooldown_ms: 0,
            ..LevelRules::default()
        },
        ..SimulatorConfig::default()
    })
    .await
}

async fn in_quarantine(session: &Session) -> i64 {
    let rows = session.client.query_one("SELECT count(*) FROM quarantine", &[]);
    rows.await.expect("counted").get(0)
}

async fn type_in(scene: &Scene, arguments: &[&str]) -> String {
    let output = command(arguments)
        .env("DATABASE_URL", url(&scene.postgres.connection()))
        .output()
        .await
        .expect("ran");
    String::from_utf8(output.stdout).expect("text")
}

/// What an operator, or a disk, does to the tables; the statement that undoes it; and PostgreSQL's error.
const FAULTS: [(&str, &str, &str); 4] = [
    (
        "ALTER TABLE member_xp ADD CONSTRAINT odd CHECK (user_id % 3 <> 0) NOT VALID",
        "ALTER TABLE member_xp DROP CONSTRAINT odd",
        "23514",
    ),
    (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN IF NEW.user_id % 3 = 1 THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$;
         CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON member_xp FOR EACH ROW EXECUTE FUNCTION refuse()",
        "DROP TRIGGER refuse ON member_xp",
        "P0001",
    ),
    (
        "CREATE FUNCTION refuse_late() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN IF NEW.user_id % 3 = 2 THEN PERFORM 1 / (NEW.user_id - NEW.user_id); END IF; RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER refuse_late AFTER INSERT OR UPDATE ON member_xp DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION refuse_late()",
        "DROP TRIGGER refuse_late ON member_xp",
        "22012",
    ),
    (
        "REVOKE INSERT, UPDATE ON member_xp FROM runner",
        "GRANT INSERT, UPDATE ON member_xp TO runner",
        "42501",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_changes_are_kept_and_applied_once() {
    let scene = Scene::new().await;
    let session = Session::open(&scene.postgres.connection().into()).await;
    session
        .execute("CREATE ROLE runner; GRANT ALL ON ALL TABLES IN SCHEMA public TO runner; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO runner")
        .await;
    let discord = world().await;
    let control = discord.control();
    let mut connection = scene.postgres.connection();
    connection.options("-c role=runner");
    let bot = start(&config_for(&discord), connection).await;
    up(&discord, 2).await;
    let store = scene.store();
    for (breaks, repairs, sqlstate) in FAULTS {
        session.execute(breaks).await;
        control.set_rate(Rate::PerSecond(100.0));
        until("changes are refused", async || {
            (in_quarantine(&session).await > 20).then_some(())
        })
        .await;
        let sent = discord.oracle().sent();
        until("the others go on", async || {
            (discord.oracle().sent() > sent + 50).then_some(())
        })
        .await;
        control.set_rate(Rate::Paused);
        until("all is committed or refused", async || {
            control.drained().then_some(())
        })
        .await;
        let report = compare(&discord, &store).await;
        assert!(report.counted < report.sent, "{sqlstate}: nothing was refused");
        let listed = type_in(&scene, &["quarantine", "list"]).await;
        assert!(listed.contains(sqlstate), "{listed}");
        session.execute(repairs).await;
        until("all is applied", async || {
            type_in(&scene, &["quarantine", "retry", "--all"]).await;
            let report = compare(&discord, &store).await;
            (report.counted >= report.sent && in_quarantine(&session).await == 0).then_some(())
        })
        .await;
        settle_exactly(&discord, &store).await;
    }
    let nothing = type_in(&scene, &["quarantine", "retry", "1"]).await;
    assert_eq!(nothing, "1: not in quarantine\n");
    bot.drain(PATIENCE).await.expect("a clean end");
    settle_exactly(&discord, &store).await;
    session.close().await;
    scene.stop().await;
}

/// If not even the quarantine can be written, nothing is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_quarantine_the_flush_waits() {
    let scene = Scene::new().await;
    let session = Session::open(&scene.postgres.connection().into()).await;
    let discord = world().await;
    let control = discord.control();
    let bot = start(&config_for(&discord), scene.postgres.connection()).await;
    up(&discord, 2).await;
    session
        .execute(
            "ALTER TABLE quarantine ADD CONSTRAINT closed CHECK (false);
             ALTER TABLE member_xp ADD CONSTRAINT odd CHECK (user_id % 3 <> 0) NOT VALID",
        )
        .await;
    control.set_rate(Rate::PerSecond(100.0));
    until("something is sent", async || {
        (discord.oracle().sent() > 300).then_some(())
    })
    .await;
    control.set_rate(Rate::Paused);
    session.execute("ALTER TABLE member_xp DROP CONSTRAINT odd").await;
    settle_exactly(&discord, &scene.store()).await;
    assert_eq!(in_quarantine(&session).await, 0);
    bot.drain(PATIENCE).await.expect("a clean end");
    session.close().await;
    scene.stop().await;
}

/// A page of a table is damaged on disk: changes on it are quarantined, everything else continues, and they count once when the page is
/// restored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_belongs_on_a_damaged_page_is_kept() {
    const PAGE: usize = 8192;
    let mut scene = Scene::new().await;
    let discord = world().await;
    let control = discord.control();
    let bot = start(&config_for(&discord), scene.postgres.connection()).await;
    up(&discord, 2).await;
    control.generate(3_000);
    until("there are members", async || {
        (discord.oracle().sent() > 1_000).then_some(())
    })
    .await;
    settle_exactly(&discord, &scene.store()).await;
    let session = Session::open(&scene.postgres.connection().into()).await;
    let found = session.client.query_one(
        "SELECT current_setting('data_directory') || '/' || pg_relation_filepath('member_xp'),
                current_setting('data_checksums'), pg_relation_size('member_xp')",
        &[],
    );
    let found = found.await.expect("found");
    let (path, checksums, size): (String, String, i64) = (found.get(0), found.get(1), found.get(2));
    assert_eq!(checksums, "on");
    assert!(size > 4 * 8192, "other pages are whole");
    session.close().await;

    let mut page = vec![0; PAGE];
    scene = scene
        .while_stopped(|| {
            let file = File::options()
                .read(true)
                .write(true)
                .open(&path)
                .expect("the table");
            file.read_exact_at(&mut page, 0).expect("its first page");
            file.write_all_at(&[0xA5; PAGE / 2], 512).expect("damaged");
        })
        .await;
    control.set_rate(Rate::PerSecond(200.0));
    let session = Session::open(&scene.postgres.connection().into()).await;
    until("changes are refused", async || {
        (in_quarantine(&session).await > 20).then_some(())
    })
    .await;
    let sent = discord.oracle().sent();
    until("the others go on", async || {
        (discord.oracle().sent() > sent + 100).then_some(())
    })
    .await;
    control.set_rate(Rate::Paused);
    until("all is committed or refused", async || {
        let waits = |shard: &Arc<ShardStatus>| shard.dirty_since().is_some();
        (control.drained() && !bot.shards.list().iter().any(waits)).then_some(())
    })
    .await;
    let states = session
        .client
        .query("SELECT DISTINCT sqlstate FROM quarantine", &[]);
    let states: Vec<String> = states.await.expect("read").iter().map(|row| row.get(0)).collect();
    assert_eq!(states, ["XX001"]);
    session.close().await;

    scene = scene
        .while_stopped(|| {
            let file = File::options().write(true).open(&path).expect("the table");
            file.write_all_at(&page, 0).expect("restored");
        })
        .await;
    let session = Session::open(&scene.postgres.connection().into()).await;
    until("all is applied", async || {
        type_in(&scene, &["quarantine", "retry", "--all"]).await;
        (in_quarantine(&session).await == 0).then_some(())
    })
    .await;
    settle_exactly(&discord, &scene.store()).await;
    bot.drain(PATIENCE).await.expect("a clean end");
    session.close().await;
    scene.stop().await;
}

/// A shard whose checkpoint cannot be moved waits, and another one in the same lane continues.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_that_is_refused_stops_only_its_shard() {
    let scene = Scene::new().await;
    let session = Session::open(&scene.postgres.connection().into()).await;
    let discord = world().await;
    let control = discord.control();
    let mut config = config_for(&discord);
    config.ledger.writers = 1;
    let bot = start(&config, scene.postgres.connection()).await;
    up(&discord, 2).await;
    let store = scene.store();
    every_session_is_stored(&discord, &store).await;
    session
        .execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN IF NEW.shard_id = 1 THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$;
             CREATE TRIGGER refuse BEFORE UPDATE ON shard_checkpoint FOR EACH ROW
             WHEN (NEW.revision <> OLD.revision) EXECUTE FUNCTION refuse()",
        )
        .await;
    let revisions = async || -> [i64; 2] {
        let sql = "SELECT revision FROM shard_checkpoint ORDER BY shard_id";
        let rows = session.client.query(sql, &[]).await.expect("read");
        [rows[0].get(0), rows[1].get(0)]
    };
    let before = revisions().await;
    control.set_rate(Rate::PerSecond(200.0));
    until("the other shard goes on", async || {
        (revisions().await[0] > before[0] + 20).then_some(())
    })
    .await;
    assert_eq!(revisions().await[1], before[1]);
    let refused = bot.shards.list().into_iter().find(|shard| shard.key().id == 1);
    assert!(refused.expect("shard 1").dirty_since().is_some());
    assert_eq!(in_quarantine(&session).await, 0);
    control.set_rate(Rate::Paused);
    session.execute("DROP TRIGGER refuse ON shard_checkpoint").await;
    settle_exactly(&discord, &store).await;
    assert_eq!(control.stats().sessions_started(), 2, "no session was lost");
    bot.drain(PATIENCE).await.expect("a clean end");
    session.close().await;
    scene.stop().await;
}

/// A member with as much XP as a BIGINT can hold cannot make a flush fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sums_saturate() {
    const SHARD: ShardKey = ShardKey { count: 1, id: 0 };
    let scene = Scene::new().await;
    let store: Store = scene.store();
    let session = Session::open(&scene.postgres.connection().into()).await;
    rank_buckets::tend(&store, Id::new(7)).await.expect("ranked");
    let at = 1_790_000_000_000;
    let week = eventide::features::levels::rules::week::week_of(at);
    // One in the same week, one in an earlier, one in a later.
    for (user, week) in [(1, week), (2, week - 1), (3, week + 1)] {
        session
            .execute(&format!(
                "INSERT INTO member_xp (guild_id, user_id, xp, message_count, week, week_base, by_xp, by_messages, by_week)
                 VALUES (7, {user}, 9223372036854775800, 9223372036854775807, {week}, 5,
                         xp_place(9223372036854775800), message_place(9223372036854775807), week_place(9223372036854775795))"
            ))
            .await;
    }
    let taken = store.transaction("take", |tx| Box::pin(shard_checkpoint::take(tx, SHARD)));
    let taken = taken.await.expect("taken");
    let mut ledger = small_ledger();
    for user in 1..=3 {
        let key = MemberKey {
            guild_id: Id::new(7),
            user_id: Id::new(user),
        };
        let message = MemberMessage {
            at,
            channel_id: Id::new(9),
            earns: Earns::Xp { xp: 20, cooldown: 0 },
        };
        ledger.member_message(key, message);
    }
    let advance = Advance {
        shard: SHARD,
        fence: taken.fence,
        revision: taken.revision + 1,
        session: None,
        last_message_id: None,
    };
    let settings = Settings::new(&Config::defaults().levels);
    flush(&store, &settings, Arc::new(vec![(advance, ledger.take())]))
        .await
        .expect("flushed");
    for (key, row) in member_xp::all(&store).await.expect("rows") {
        let most = i64::MAX.cast_unsigned();
        assert_eq!((row.xp, row.messages), (most, most), "{key:?}");
        assert!(row.week_xp <= row.xp, "{key:?}: {row:?}");
    }
    let rows = session
        .client
        .query_one(
            "SELECT count(*) FROM member_xp
             WHERE by_xp = xp_place(xp) AND by_messages = message_place(message_count) AND by_week = week_place(xp - week_base)",
            &[],
        )
        .await
        .expect("read");
    assert_eq!(rows.get::<_, i64>(0), 3, "the places are those of the sums");
    session.close().await;
    scene.stop().await;
}
