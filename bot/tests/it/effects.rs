//! The effects of a level on Discord: each once and in order, whatever breaks.

mod lanes;
mod refused;

use std::time::Duration;

use discord_simulator::{
    Control, Guild, LevelRules, Limit, LimitScope, Rate, RestFault, RestFaultKind, RestRules, Simulator,
    SimulatorConfig,
};
use eventide::{
    app::bot::Bot,
    config::{Announce, Config},
    features::levels::effects::announcement::LevelUp,
    outbox::queue::{self, NewEffect},
    postgres::{Statement, Store},
    settings::Template,
};
use tokio::process::Child;
use twilight_model::id::Id;

use crate::support::{
    PATIENCE, Scene,
    bot::{command_on, config_for, discord, quiet, settle_exactly, start, up},
    effects::{Announced, Courier, EffectsReport, TEMPLATE, announced, delivered, effects},
    session::{Session, every_session_is_stored},
    until,
};

const MESSAGES: &str = "POST /channels/{id}/messages";

/// A Discord without limits in the way, so that the test is fast.
fn world() -> SimulatorConfig {
    SimulatorConfig {
        shards: 2,
        guilds: 6,
        members: 120,
        levels: LevelRules {
            cooldown_ms: 0,
            ..LevelRules::default()
        },
        rest: RestRules {
            messages: Limit {
                requests: 1_000,
                per: Duration::from_secs(1),
            },
            global_per_second: 1_000,
            ..RestRules::default()
        },
        ..SimulatorConfig::default()
    }
}

fn announcing(discord: &Simulator) -> Config {
    let mut config = config_for(discord);
    config.levels.announce = Announce::SameChannel;
    config.levels.announce_template = Template::parse(TEMPLATE).expect("a template");
    config.discord.requests_per_second = 1_000;
    config.discord.request_timeout = Duration::from_secs(1);
    config.effects.lease = Duration::from_secs(5);
    config
}

fn fault(kind: RestFaultKind, count: Option<u64>) -> RestFault {
    RestFault {
        route: MESSAGES.to_owned(),
        count,
        delay_ms: 0,
        kind,
    }
}

fn level_up(guild: &Guild, channel: u64, user: u64, level: u32) -> NewEffect {
    let body = LevelUp {
        level,
        before: level - 1,
        xp: u64::from(level),
    };
    NewEffect {
        user_id: Some(Id::new(user)),
        ..NewEffect::for_channel(Id::new(guild.id()), Id::new(channel), &body)
    }
}

/// A simulated Discord and a database, before there is a bot.
struct Stage {
    scene: Scene,
    discord: Simulator,
    store: Store,
    config: Config,
}

impl Stage {
    async fn new() -> Self {
        let scene = Scene::new().await;
        let discord = discord(world()).await;
        Self {
            store: scene.store(),
            config: announcing(&discord),
            scene,
            discord,
        }
    }

    fn control(&self) -> Control {
        self.discord.control()
    }

    /// The bot in this process.
    async fn start(&self) -> Bot {
        let bot = start(&self.config, self.scene.postgres.connection()).await;
        up(&self.discord, 2).await;
        bot
    }

    /// The real binary with the same settings.
    fn spawn(&self) -> Child {
        command_on(&self.discord, &self.scene.postgres.connection())
            .env("EVENTIDE__LEVELS__ANNOUNCE", "same_channel")
            .env("EVENTIDE__LEVELS__ANNOUNCE_TEMPLATE", TEMPLATE)
            .env("EVENTIDE__DISCORD__REQUESTS_PER_SECOND", "1000")
            .env("EVENTIDE__DISCORD__REQUEST_TIMEOUT_SECONDS", "1")
            .env("EVENTIDE__EFFECTS__LEASE_SECONDS", "5")
            .spawn()
            .expect("the binary starts")
    }

    /// A deliverer without a bot.
    fn courier(&self) -> Courier {
        Courier::start(&self.config, &self.store)
    }

    fn guild(&self) -> &Guild {
        &self.discord.world().guilds()[0]
    }

    async fn add(&self, effects: Vec<NewEffect>) {
        let added = self.store.transaction("test", |tx| {
            Box::pin(async move { queue::add(tx, &effects).await })
        });
        added.await.expect("added");
    }

    /// Wait until nothing waits to be delivered.
    async fn delivered(&self) {
        delivered(&self.store).await;
    }

    fn announced(&self) -> Vec<Announced> {
        announced(&self.discord)
    }

    /// Wait until all messages are counted and all effects delivered: each level was announced once.
    async fn settle(&self) -> EffectsReport {
        settle_exactly(&self.discord, &self.store).await;
        self.delivered().await;
        let report = effects(&self.discord);
        assert!(report.is_exact(), "{report}");
        report
    }

    async fn run_sql(&self, sql: &str) {
        let session = Session::open(&self.scene.postgres.connection().into()).await;
        session.execute(sql).await;
        session.close().await;
    }

    async fn count(&self, sql: &'static str) -> i64 {
        let statement = Statement::new("test", &[], sql);
        self.store.query(statement, &[]).await.expect("read")[0].get(0)
    }

    async fn end(self) {
        self.store.close();
        self.scene.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_level_is_announced_once_where_it_was_reached() {
    let stage = Stage::new().await;
    let bot = stage.start().await;
    stage.control().generate(3_000);
    let report = stage.settle().await;
    assert!(report.announced > 100, "{report}");
    assert!(stage.announced().iter().all(|it| it.guild_id != 0), "in a guild");
    let calls = stage.control().rest_calls(MESSAGES);
    for call in &calls {
        assert_eq!(call.body["enforce_nonce"], true);
        assert!(call.body["nonce"].as_str().is_some_and(|nonce| nonce.len() <= 25));
        assert_eq!(call.body["allowed_mentions"]["parse"], serde_json::json!([]));
        assert_eq!(call.body["allowed_mentions"]["users"], serde_json::Value::Null);
    }
    until("nothing is left behind", async || {
        (stage.count("SELECT count(*) FROM outbox_lane").await == 0).then_some(())
    })
    .await;
    bot.drain(PATIENCE).await.expect("a clean end");
    stage.end().await;
}

/// An ambiguous request is sent again with the same nonce, and appears once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_timeouts_and_limits_neither_lose_nor_double() {
    let stage = Stage::new().await;
    let bot = stage.start().await;
    for kind in [
        RestFaultKind::Status(500),
        RestFaultKind::StatusAfter(502),
        RestFaultKind::HalfBody,
        RestFaultKind::Silence,
        RestFaultKind::RateLimit {
            scope: LimitScope::User,
            retry_after: 0.2,
        },
        RestFaultKind::RateLimit {
            scope: LimitScope::Global,
            retry_after: 0.2,
        },
        RestFaultKind::RateLimit {
            scope: LimitScope::Shared,
            retry_after: 20.0,
        },
    ] {
        stage.control().add_fault(fault(kind, Some(4)));
    }
    stage.control().generate(1_500);
    stage.settle().await;
    bot.drain(PATIENCE).await.expect("a clean end");
    stage.end().await;
}

/// Kills fall between sending and marking, since Discord takes its time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again() {
    let stage = Stage::new().await;
    let control = stage.control();
    control.add_fault(RestFault {
        delay_ms: 100,
        ..fault(RestFaultKind::None, None)
    });
    let mut bot = stage.spawn();
    for kill in 1..=4 {
        up(&stage.discord, 2).await;
        control.set_rate(Rate::PerSecond(500.0));
        until("it is in the middle of delivering", async || {
            (control.bot_messages().len() > 40 * kill).then_some(())
        })
        .await;
        every_session_is_stored(&stage.discord, &stage.store).await;
        bot.kill().await.expect("SIGKILL");
        bot = stage.spawn();
    }
    up(&stage.discord, 2).await;
    quiet(&stage.discord).await;
    stage.settle().await;
    bot.kill().await.expect("SIGKILL");
    stage.end().await;
}

/// In direct messages: the channel is requested once per member.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_direct_messages() {
    let mut stage = Stage::new().await;
    stage.config.levels.announce = Announce::Direct;
    let bot = stage.start().await;
    stage.control().generate(1_000);
    settle_exactly(&stage.discord, &stage.store).await;
    stage.delivered().await;
    let announced = stage.announced();
    assert!(announced.len() > 20);
    assert!(
        announced.iter().all(|it| it.guild_id == 0),
        "in no guild's channel"
    );
    let mut members: Vec<u64> = announced.iter().map(|it| it.user_id).collect();
    members.sort_unstable();
    members.dedup();
    assert_eq!(
        stage.control().rest_calls("POST /users/@me/channels").len(),
        members.len()
    );
    bot.drain(PATIENCE).await.expect("a clean end");
    stage.end().await;
}
