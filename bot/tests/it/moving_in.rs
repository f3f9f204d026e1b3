//! Imports and exports on a real PostgreSQL, with the real binary where a process matters.

mod formats;
mod refusals;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Output,
};

use discord_simulator::{Rate, SimulatorConfig};
use eventide::{
    config::Config,
    features::levels::{
        import::{
            self, ImportError, Options, Progress, fields::Format, report::Report, validation::XpMeaning,
        },
        rows::{
            import_job,
            member_xp::{self, moving::Mode},
        },
    },
    postgres::{Statement, Store},
    settings::Settings,
};
use tempfile::TempDir;
use tokio_postgres::types::ToSql;
use twilight_model::id::Id;

use crate::support::{
    PATIENCE, Scene,
    boards::assert_counted,
    bot::{command, compare, config_for, discord, start, url},
    commit_cutter::CommitCutter,
    session::Session,
    until,
};

const GUILD: u64 = 197_038_439_483_310_086;

/// The ID of a member, created at a different time for each, as by Discord.
const fn user(index: u64) -> u64 {
    ((150_000_000_000 + index * 7_919) << 22) | ((index * 40_503) % (1 << 22))
}

/// XP and messages by guild and user.
type Members = BTreeMap<(u64, u64), (u64, u64)>;

fn settings() -> Settings {
    Settings::new(&Config::defaults().levels)
}

struct Place {
    scene: Scene,
    store: Store,
    directory: TempDir,
}

impl Place {
    async fn new() -> Self {
        let scene = Scene::new().await;
        Self {
            store: scene.store(),
            scene,
            directory: TempDir::new().expect("a directory"),
        }
    }

    fn file(&self, name: &str, contents: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, contents).expect("written");
        path
    }

    fn options(file: &Path, mode: Mode) -> Options {
        Options {
            file: file.to_owned(),
            format: Format::Auto,
            table: None,
            mapped: Vec::new(),
            guild: None,
            mode,
            xp: XpMeaning::Total,
            dry_run: false,
            rejects: None,
            batch: 100,
            again: false,
            trust_ids: false,
        }
    }

    async fn import(&self, file: &Path, mode: Mode) -> Result<Report, ImportError> {
        self.run(&Self::options(file, mode)).await
    }

    async fn run(&self, options: &Options) -> Result<Report, ImportError> {
        import::run(&self.store, &settings(), options, &mut Progress::new()).await
    }

    /// The real binary.
    fn command(&self, arguments: &[&str]) -> tokio::process::Command {
        let mut command = command(arguments);
        command
            .current_dir(self.directory.path())
            .env("DATABASE_URL", url(&self.scene.postgres.connection()))
            .env("EVENTIDE__LOG__LEVEL", "error");
        command
    }

    async fn eventide(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().await.expect("the binary runs")
    }

    async fn execute(&self, sql: &'static str, params: &[&(dyn ToSql + Sync)]) {
        let statement = Statement::new("test", &[], sql);
        self.store.query(statement, params).await.expect(sql);
    }

    /// The stored members. Each has to be counted in their bucket.
    async fn members(&self) -> Members {
        let statement = Statement::new(
            "members",
            &[],
            "SELECT guild_id, user_id, xp, message_count FROM member_xp",
        );
        let rows = self.store.query(statement, &[]).await.expect("read");
        let session = Session::open(&self.scene.postgres.connection().into()).await;
        assert_counted(&session.client).await;
        session.close().await;
        rows.iter()
            .map(|row| {
                let [guild, user, xp, messages] = [0, 1, 2, 3].map(|column| row.get::<_, i64>(column));
                (
                    (guild.unsigned_abs(), user.unsigned_abs()),
                    (xp.unsigned_abs(), messages.unsigned_abs()),
                )
            })
            .collect()
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn csv(members: impl IntoIterator<Item = (u64, u64, u64)>) -> String {
    let row = |(user, xp, messages)| format!("{GUILD},{user},{xp},{messages}\n");
    format!(
        "guild_id,user_id,xp,messages\n{}",
        members.into_iter().map(row).collect::<String>()
    )
}

/// 1,000 members of the file; every second one is here already.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_modes_on_members_who_are_here_already() {
    let place = Place::new().await;
    let file = place.file("levels.csv", &csv((0..1_000).map(|n| (user(n), n * n, n))));
    for mode in [Mode::Add, Mode::Replace, Mode::KeepHigher] {
        place.execute("DELETE FROM member_xp", &[]).await;
        let mut expected = Members::new();
        for n in (0..1_000_u64).step_by(2) {
            place
                .execute(
                    "INSERT INTO member_xp (guild_id, user_id, xp, message_count, by_xp, by_messages, last_award_at)
                     VALUES ($1, $2, 100000, 500, xp_place(100000), message_place(500), '2026-01-01Z')",
                    &[&GUILD.cast_signed(), &user(n).cast_signed()],
                )
                .await;
            expected.insert((GUILD, user(n)), (100_000, 500));
        }
        let mut unchanged = 0;
        for n in 0..1_000 {
            let (xp, messages) = expected.entry((GUILD, user(n))).or_default();
            let before = (*xp, *messages);
            (*xp, *messages) = match mode {
                Mode::Add => (*xp + n * n, *messages + n),
                Mode::Replace => (n * n, n),
                Mode::KeepHigher => ((*xp).max(n * n), (*messages).max(n)),
            };
            unchanged += u64::from(n % 2 == 0 && before == (*xp, *messages));
        }
        let report = place
            .run(&Options {
                again: true,
                ..Place::options(&file, mode)
            })
            .await
            .expect("imported");
        assert_eq!(place.members().await, expected, "{mode:?}");
        assert_eq!((report.rows, report.rejects()), (1_000, 0));
        assert_eq!(
            (report.new, report.changed, report.unchanged),
            (500, 500 - unchanged, unchanged),
            "{mode:?}"
        );
        let awards = Statement::new(
            "awards",
            &[],
            "SELECT count(*) FROM member_xp WHERE last_award_at = '2026-01-01Z'",
        );
        let rows = place.store.query(awards, &[]).await.expect("read");
        assert_eq!(rows[0].get::<_, i64>(0), 500, "last awards are left alone");
    }

    // Without messages in the file, those that are here stay.
    let only_xp = place.file("xp.json", &format!(r#"[{{"user_id": "{}", "xp": 7}}]"#, user(2)));
    let options = Options {
        guild: Some(Id::new(GUILD)),
        ..Place::options(&only_xp, Mode::Replace)
    };
    place.run(&options).await.expect("imported");
    assert_eq!(place.members().await[&(GUILD, user(2))], (7, 500));
    place.scene.stop().await;
}

/// Killed with SIGKILL again and again: nothing is lost, and nothing is added twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_import_goes_on_where_it_ended() {
    const ROWS: u64 = 30_000;
    let place = Place::new().await;
    let mut expected = Members::new();
    for n in 0..ROWS {
        expected.insert((GUILD, user(n)), (n + 1, 2));
    }
    place.file("levels.csv", &csv((0..ROWS).map(|n| (user(n), n + 1, 2))));
    let arguments = ["import", "levels.csv", "--mode", "add", "--batch", "10"];
    let mut done = 0;
    for _ in 0..5 {
        let mut process = place.command(&arguments).spawn().expect("the binary starts");
        until("another batch is committed", async || {
            let jobs = import_job::all(&place.store).await.expect("read");
            let rows = jobs.first().map_or(0, |job| job.rows_done);
            (rows > done + 50).then(|| done = rows)
        })
        .await;
        process.kill().await.expect("SIGKILL");
    }
    let jobs = import_job::all(&place.store).await.expect("read");
    assert!(
        jobs[0].rows_done < ROWS && jobs[0].finished_at.is_none(),
        "it was killed in the middle: {jobs:?}"
    );

    // Other options would do something else with the rest.
    let other = place
        .eventide(&["import", "levels.csv", "--mode", "replace"])
        .await;
    assert_eq!(other.status.code(), Some(1));
    assert!(text(&other).contains("was interrupted after"), "{}", text(&other));

    let ended = place.eventide(&arguments).await;
    assert_eq!(ended.status.code(), Some(0), "{}", text(&ended));
    assert!(
        text(&ended).contains("were done by an earlier run"),
        "{}",
        text(&ended)
    );
    assert!(place.members().await == expected, "every row exactly once");
    let session = Session::open(&place.scene.postgres.connection().into()).await;
    let analyzed = "SELECT FROM pg_stat_user_tables WHERE relname = 'member_xp' AND last_analyze IS NOT NULL";
    until("the planner knows of them", async || {
        session
            .client
            .query_opt(analyzed, &[])
            .await
            .expect("read")
            .map(drop)
    })
    .await;
    session.close().await;

    // It is finished: not again by accident, and again if that is meant.
    let again = place.eventide(&arguments).await;
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again).contains("already imported"), "{}", text(&again));
    let meant = ["import", "levels.csv", "--mode", "add", "--again"];
    assert_eq!(place.eventide(&meant).await.status.code(), Some(0));
    for (xp, messages) in expected.values_mut() {
        (*xp, *messages) = (*xp * 2, *messages * 2);
    }
    assert!(place.members().await == expected, "every row exactly twice");
    place.scene.stop().await;
}

/// Nobody knows whether a COMMIT went through whose connection broke: the job's row does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_without_an_answer() {
    let place = Place::new().await;
    let cutter = CommitCutter::start(place.scene.postgres.socket_directory());
    let through = cutter.connection(&place.scene.postgres.connection());
    let store = Store::new(&through, &Config::defaults().database).expect("a pool");
    let file = place.file("levels.csv", &csv((0..2_000).map(|n| (user(n), n, 1))));
    let mut options = Place::options(&file, Mode::Add);
    options.batch = 200;
    // The first COMMIT is the claim's, which is not tried again: it has done nothing that another run does not do.
    let import = async {
        until("the import has begun", async || {
            let jobs = import_job::all(&place.store).await.expect("read");
            (!jobs.is_empty()).then(|| (0..6).for_each(|_| cutter.cut_next()))
        })
        .await;
    };
    let mut progress = Progress::new();
    let settings = settings();
    let (report, ()) = tokio::join!(import::run(&store, &settings, &options, &mut progress), import);
    assert_eq!(report.expect("imported").new, 2_000);
    let expected: Members = (0..2_000).map(|n| ((GUILD, user(n)), (n, 1))).collect();
    assert_eq!(place.members().await, expected);
    place.scene.stop().await;
}

/// Two imports add XP to members whom the bot is counting at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beside_a_running_bot() {
    let place = Place::new().await;
    let discord = discord(SimulatorConfig {
        guilds: 20,
        members: 2_000,
        ..SimulatorConfig::default()
    })
    .await;
    let bot = start(&config_for(&discord), place.scene.postgres.connection()).await;
    discord.control().set_rate(Rate::PerSecond(2_000.0));
    let known = until("a thousand members have rows", async || {
        let all = member_xp::all(&place.store).await.expect("read");
        (all.len() >= 1_000).then_some(all)
    })
    .await;
    let file = |name: &str, xp: u64| {
        let rows = known
            .iter()
            .map(|(key, _)| format!("{},{},{xp},1\n", key.guild_id, key.user_id));
        place.file(
            name,
            &format!("guild_id,user_id,xp,messages\n{}", rows.collect::<String>()),
        )
    };
    let (one, two) = (file("one.csv", 1_000), file("two.csv", 20_000));
    let received = discord.control().stats().delivered;
    let (first, second) = tokio::join!(place.import(&one, Mode::Add), place.import(&two, Mode::Add));
    assert_eq!(first.expect("imported").changed, known.len() as u64);
    assert_eq!(second.expect("imported").changed, known.len() as u64);
    until("the bot went on meanwhile", async || {
        (discord.control().stats().delivered > received).then_some(())
    })
    .await;
    discord.control().set_rate(Rate::Paused);
    until("everything is received", async || {
        discord.control().drained().then_some(())
    })
    .await;
    bot.drain(PATIENCE).await.expect("a clean end");
    place.members().await;
    // Without the imports, the rest is what the bot counted.
    for (key, _) in &known {
        let ids = [key.guild_id.get().cast_signed(), key.user_id.get().cast_signed()];
        place
            .execute(
                "UPDATE member_xp SET xp = xp - 21000, message_count = message_count - 2 WHERE guild_id = $1 AND user_id = $2",
                &[&ids[0], &ids[1]],
            )
            .await;
    }
    let report = compare(&discord, &place.store).await;
    assert!(report.is_exact(), "{report}: {:?}", report.examples);
    place.scene.stop().await;
}

/// If a member passes a level with a reward, their roles are updated once, even if the import is killed and continued.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reward_roles_follow() {
    const ELSEWHERE: u64 = GUILD + 1;
    let place = Place::new().await;
    let session = Session::open(&place.scene.postgres.connection().into()).await;
    // A reward at level 3 (475 XP) in one guild, none in the other, and one guild with rewards switched off.
    session
        .execute(&format!(
            "INSERT INTO level_role (guild_id, role_id, level) VALUES ({GUILD}, 7, 3), ({}, 8, 1);
             INSERT INTO guild_settings (guild_id, rewards_off_reason) VALUES ({}, 'test');
             INSERT INTO member_xp (guild_id, user_id, xp) VALUES ({GUILD}, {}, 500)",
            ELSEWHERE + 1,
            ELSEWHERE + 1,
            user(9)
        ))
        .await;
    let row = |guild: u64, member: u64, xp: u64| format!("{guild},{},{xp}\n", user(member));
    let rows = [
        row(GUILD, 1, 474),
        row(GUILD, 2, 475),
        row(ELSEWHERE, 3, 5_000),
        row(GUILD, 4, 9_999),
        row(ELSEWHERE + 1, 5, 5_000),
        // Level 3 before and after, and one who drops below it.
        row(GUILD, 9, 501),
    ];
    let file = place.file("levels.csv", &format!("guild_id,user_id,xp\n{}", rows.concat()));
    let mut options = Place::options(&file, Mode::Replace);
    options.batch = 2;
    options.dry_run = true;
    let foretold = place.run(&options).await.expect("read");
    assert_eq!(foretold.roles, 2);
    assert!(
        foretold
            .summary(true)
            .contains("the reward roles of 2 members would follow")
    );
    options.dry_run = false;
    assert_eq!(place.run(&options).await.expect("imported").roles, 2);
    let waiting = async || -> Vec<(u64, u64)> {
        let sql = "SELECT guild_id, user_id FROM outbox WHERE kind = 'roles' ORDER BY guild_id, user_id";
        let rows = session.client.query(sql, &[]).await.expect("read");
        let id = |row: &tokio_postgres::Row, column| row.get::<_, i64>(column).cast_unsigned();
        rows.iter().map(|row| (id(row, 0), id(row, 1))).collect()
    };
    let due = [(GUILD, user(2)), (GUILD, user(4))];
    assert_eq!(waiting().await, due);
    // They are delivered after effects caused by members.
    let urgencies = session
        .client
        .query("SELECT DISTINCT urgency FROM outbox_lane", &[])
        .await
        .expect("read");
    assert_eq!(urgencies.len(), 1);
    assert_eq!(urgencies[0].get::<_, i64>(0), 2);

    // The same import again changes no level, and less XP removes what the level gave.
    options.again = true;
    assert_eq!(place.run(&options).await.expect("imported").roles, 0);
    assert_eq!(waiting().await, due);
    let less = format!("guild_id,user_id,xp\n{}", row(GUILD, 9, 10));
    let less = place.import(&place.file("less.csv", &less), Mode::Replace).await;
    assert_eq!(less.expect("imported").roles, 1);
    assert_eq!(waiting().await.len(), 3);
    session.close().await;
    place.scene.stop().await;
}
