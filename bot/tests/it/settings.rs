//! Guilds' settings: storage, effective values, and notifications of changes.

mod command_line;
mod history;
mod sections;

use std::{collections::HashMap, sync::Arc, time::Duration};

use discord_simulator::SimulatorConfig;
use eventide::{
    app::notifications::Notifications,
    config::{Announce, Config},
    discord::guilds::authority::{RewardPermit, XpPermit},
    postgres::{NOTIFYING, Store, StoreError, connect::Target, request::Request},
    settings::{
        GuildSettings, RewardMode, Settings, Template,
        change::{self, Change, add_reward, change_card_colour, remove_reward},
        table::{self, Stored, Switch},
        values::colour::Colour,
    },
    support::i18n::Language,
    telemetry::task::{self, Task},
};
use futures_util::future::join_all;
use serde_json::json;
use tokio::{sync::watch, time::Instant};
use tokio_postgres::config::Host;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, RoleMarker},
};

use crate::support::{
    PATIENCE, Scene,
    bot::{config_for, discord, start},
    pgbouncer::PgBouncer,
    session::Session,
    unsteady::{Unsteady, Way},
    until,
};

const GUILD: Id<GuildMarker> = Id::new(10);

async fn switch_off(store: &Store, what: Switch, reason: &'static str) -> Result<bool, StoreError> {
    store
        .transaction("test", |tx| Box::pin(table::switch_off(tx, GUILD, what, reason)))
        .await
}

/// What a flush would read.
async fn within(settings: &Settings, store: &Store, guilds: &[u64]) -> HashMap<u64, GuildSettings> {
    let (settings, guilds) = (settings.clone(), guilds.to_vec());
    let found = store
        .transaction("test", move |tx| {
            Box::pin(async move { settings.within(tx, guilds.into_iter().map(Id::new)).await })
        })
        .await
        .expect("read");
    found
        .into_iter()
        .map(|(guild, settings)| (guild.get(), (*settings).clone()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_stored_is_what_holds() {
    let scene = Scene::new().await;
    let store = scene.store();
    let mut levels = Config::defaults().levels;
    levels.announce = Announce::SameChannel;
    let settings = Settings::new(&levels);
    let stored = Stored {
        announce: Some("channel".to_owned()),
        announce_channel_id: Some(Id::new(77)),
        announce_template: Some("{level}!".to_owned()),
        announce_ping: true,
        rewards: "replace".to_owned(),
        log_channel_id: Some(Id::new(78)),
        ..Stored::nothing(GUILD)
    };
    let role: Id<RoleMarker> = Id::new(5);
    let put = stored.clone();
    store
        .transaction("test", move |tx| {
            Box::pin(async move {
                table::put(tx, &put).await?;
                table::put_role(tx, GUILD, Id::new(6), 3, None).await?;
                table::put_role(tx, GUILD, role, 20, None).await?;
                table::put_role(tx, GUILD, role, 10, None).await?;
                table::put_role(tx, Id::new(11), Id::new(8), 1, None).await
            })
        })
        .await
        .expect("written");

    let read = table::read(&store, &[GUILD]).await.expect("read");
    let roles = vec![(3, Id::new(6)), (10, role)];
    assert_eq!(read, [Stored { roles, ..stored }]);

    let found = within(&settings, &store, &[10, 11, 12, 10]).await;
    assert_eq!(found.len(), 3);
    let own = &found[&10];
    assert_eq!(own.announce, Announce::Channel(Id::new(77)));
    assert_eq!(own.template, Template::parse("{level}!").expect("a template"));
    assert_eq!((own.ping, own.log_channel_id), (true, Some(Id::new(78))));
    assert_eq!(own.rewards.mode, RewardMode::Replace);
    assert_eq!(own.rewards.deserved(12), [role]);
    // One that has roles and no row, and one that has nothing.
    assert_eq!(found[&11].announce, Announce::SameChannel);
    assert_eq!(found[&11].rewards.roles(), [(1, Id::new(8))]);
    assert_eq!(found[&12], **settings.defaults());
    assert_eq!(*settings.of(&store, GUILD).await.expect("read"), *own);
    assert_eq!(settings.cached(GUILD).as_deref(), Some(own), "remembered");
    scene.stop().await;
}

/// Of several processes that find the same error at the same time, one notifies the guild.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switching_off_happens_once() {
    let scene = Scene::new().await;
    let store = scene.store();
    for what in [Switch::Announcements, Switch::Rewards] {
        let tries = (0..8).map(|_| switch_off(&store, what, "the channel is gone"));
        let changed = join_all(tries)
            .await
            .into_iter()
            .filter(|changed| matches!(changed, Ok(true)))
            .count();
        assert_eq!(changed, 1, "{what:?}");
    }
    let read = table::read(&store, &[GUILD]).await.expect("read");
    let reason = Some("the channel is gone".to_owned());
    assert_eq!(read[0].announce.as_deref(), Some("off"));
    assert_eq!(
        (&read[0].announce_off_reason, &read[0].rewards_off_reason),
        (&reason, &reason)
    );
    let settings = Settings::new(&Config::defaults().levels);
    let own = settings.of(&store, GUILD).await.expect("read");
    assert!(own.announce == Announce::Off && own.rewards.switched_off);

    // If a member switched it off, there is nothing to report.
    let session = Session::open(&scene.postgres.connection().into()).await;
    session
        .execute("UPDATE guild_settings SET announce = 'off', announce_off_reason = NULL, rewards_off_reason = NULL")
        .await;
    assert!(
        !switch_off(&store, Switch::Announcements, "again")
            .await
            .expect("asked")
    );
    // If a member switched it on again, it can fail again.
    session
        .execute("UPDATE guild_settings SET announce = 'direct'")
        .await;
    assert!(
        switch_off(&store, Switch::Announcements, "again")
            .await
            .expect("asked")
    );
    session.close().await;
    scene.stop().await;
}

/// Settings with notifications, as in a process.
struct Told {
    settings: Settings,
    store: Store,
    stop: watch::Sender<bool>,
    listening: Task<()>,
}

impl Told {
    async fn by(store: Store) -> Self {
        let settings = Settings::new(&Config::defaults().levels);
        let (stop, stopped) = watch::channel(false);
        let listener = Notifications {
            settings: settings.clone(),
            fleet: Arc::default(),
            timers: Arc::default(),
        };
        let listening = task::spawn("settings", store.listen(Arc::new(listener), stopped));
        let told = Self {
            settings,
            store,
            stop,
            listening,
        };
        told.hears().await;
        told
    }

    async fn hears(&self) {
        until("notifications are received", async || {
            self.settings.receives_notifications().then_some(())
        })
        .await;
    }

    async fn announce(&self) -> Announce {
        self.settings.of(&self.store, GUILD).await.expect("read").announce
    }

    /// Wait until the process knows.
    async fn sees(&self, announce: Announce) {
        until("the change is seen", async || {
            (self.announce().await == announce).then_some(())
        })
        .await;
    }

    async fn stop(self) {
        self.stop.send_replace(true);
        self.listening.join().await.expect("it ends");
        assert!(!self.settings.receives_notifications());
    }
}

/// A process sees what it has changed itself before any notification: here none arrives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_sees_its_own_changes_at_once() {
    let scene = Scene::new().await;
    let pooled = Target::from(scene.postgres.connection()).pooled();
    let store = Store::new(pooled, &Config::defaults().database).expect("a pool");
    let (stop, stopped) = watch::channel(false);
    let settings = Settings::new(&Config::defaults().levels);
    let listener = Notifications {
        settings: settings.clone(),
        fleet: Arc::default(),
        timers: Arc::default(),
    };
    let listening = task::spawn("settings", store.listen(Arc::new(listener), stopped));
    settings.trust_until(Instant::now() + Duration::from_hours(1));
    let mut numbers = 1_000..;
    let mut request = || Request {
        request_id: Id::new(numbers.next().expect("a number")),
        ..Request::of_operator(GUILD, "test", &json!({}))
    };
    let now = async || settings.of(&store, GUILD).await.expect("read");

    assert_eq!(now().await.language, None);
    let (german, mode) = (
        Change::Language(Some(Language::German)),
        Change::Rewards(XpPermit::of_operator(), RewardMode::Replace),
    );
    change::change(&store, request(), vec![german, mode])
        .await
        .expect("changed");
    assert_eq!(now().await.language, Some(Language::German));
    let colour = Colour::new(1, 2, 3);
    change_card_colour(&store, request(), Some(colour))
        .await
        .expect("changed");
    assert_eq!(now().await.card_colour, Some(colour));
    let role: Id<RoleMarker> = Id::new(5);
    add_reward(&store, request(), 3, RewardPermit::of_operator(role))
        .await
        .expect("added");
    assert_eq!(now().await.rewards.roles(), [(3, role)]);
    assert!(remove_reward(&store, request(), role).await.expect("removed"));
    assert_eq!(now().await.rewards.roles(), []);
    switch_off(&store, Switch::Announcements, "the channel is gone")
        .await
        .expect("switched off");
    assert_eq!(now().await.announce, Announce::Off);

    // The other guilds stay in the cache.
    settings.of(&store, Id::new(11)).await.expect("read");
    switch_off(&store, Switch::Rewards, "no permission")
        .await
        .expect("switched off");
    assert!(settings.cached(Id::new(11)).is_some() && now().await.rewards.switched_off);
    stop.send_replace(true);
    listening.join().await.expect("it ends");
    scene.stop().await;
}

/// The statements that change settings are recognized by the tables that have the trigger.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tables_that_notify_are_the_known_ones() {
    let scene = Scene::new().await;
    let session = Session::open(&scene.postgres.connection().into()).await;
    let sql = "SELECT string_agg(DISTINCT tgrelid::regclass::text, ' ') FROM pg_trigger
               WHERE tgfoid = 'notify_guild_settings'::regproc";
    let row = session.client.query_one(sql, &[]).await.expect("a row");
    let tables: String = row.get(0);
    let mut known = NOTIFYING;
    known.sort_unstable();
    assert_eq!(tables, known.join(" "));
    session.close().await;
    scene.stop().await;
}

/// Whatever changes the settings, every process knows, without reading cached ones again by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_seen_by_every_process() {
    let scene = Scene::new().await;
    let server = scene.postgres.connection();
    let bouncer = PgBouncer::start(&server).await;
    let behind = Target::from(bouncer.connection(&server)).pooled();
    let behind = Store::new(behind, &Config::defaults().database).expect("a pool");
    let all = [
        Told::by(scene.store()).await,
        Told::by(behind.with_direct(Target::from(&server))).await,
    ];
    let session = Session::open(&(&server).into()).await;
    for (sql, announce) in [
        (
            "INSERT INTO guild_settings (guild_id, announce) VALUES (10, 'direct')",
            Announce::Direct,
        ),
        (
            "UPDATE guild_settings SET announce = 'same_channel'",
            Announce::SameChannel,
        ),
        ("UPDATE guild_settings SET guild_id = 11", Announce::Off),
        ("UPDATE guild_settings SET guild_id = 10", Announce::SameChannel),
        ("TRUNCATE guild_settings", Announce::Off),
    ] {
        let before = all[0].announce().await;
        assert!(before != announce && all[1].announce().await == before);
        session.execute(sql).await;
        for told in &all {
            told.sees(announce).await;
        }
    }
    let roles = async |told: &Told| {
        told.settings
            .of(&told.store, GUILD)
            .await
            .expect("read")
            .rewards
            .roles()
            .len()
    };
    for (sql, count) in [
        (
            "INSERT INTO level_role (guild_id, role_id, level) VALUES (10, 1, 1), (10, 2, 2)",
            2,
        ),
        ("DELETE FROM level_role WHERE role_id = 1", 1),
        ("TRUNCATE level_role", 0),
    ] {
        session.execute(sql).await;
        for told in &all {
            until(sql, async || (roles(told).await == count).then_some(())).await;
        }
    }
    session.close().await;
    for told in all {
        told.stop().await;
    }
    scene.stop().await;
}

/// Changes during a lost connection are seen meanwhile and afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_connection_hides_no_change() {
    let scene = Scene::new().await;
    let server = scene.postgres.connection();
    let Host::Unix(socket) = server.get_hosts()[0].clone() else {
        unreachable!("the private server is on a socket")
    };
    let way = Unsteady::start(&socket);
    let told = Told::by(scene.store().with_direct(Target::from(way.lead(&server)))).await;
    let session = Session::open(&(&server).into()).await;
    let put = async |announce: &str| {
        let sql = format!(
            "INSERT INTO guild_settings (guild_id, announce) VALUES (10, '{announce}')
             ON CONFLICT (guild_id) DO UPDATE SET announce = excluded.announce"
        );
        session.execute(&sql).await;
    };
    let deaf = async || {
        until("nothing is heard", async || {
            (!told.settings.receives_notifications()).then_some(())
        })
        .await;
    };

    // The server ends it.
    assert_eq!(told.announce().await, Announce::Off);
    session
        .execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name LIKE '%settings in public'",
        )
        .await;
    put("direct").await;
    told.sees(Announce::Direct).await;
    told.hears().await;

    // The connection is cut, and cannot be opened for a while.
    way.be(Way::Cut);
    deaf().await;
    // Settings are read again within a second.
    until("it is not served any more", async || {
        told.settings.cached(GUILD).is_none().then_some(())
    })
    .await;
    assert_eq!(told.announce().await, Announce::Direct);
    put("same_channel").await;
    told.sees(Announce::SameChannel).await;
    put("off").await;
    way.be(Way::Open);
    told.hears().await;
    told.sees(Announce::Off).await;

    // The connection is half open: neither side notices that nothing arrives.
    way.be(Way::Swallowing);
    put("direct").await;
    told.sees(Announce::Direct).await;
    deaf().await;
    put("same_channel").await;
    told.sees(Announce::SameChannel).await;
    way.be(Way::Open);
    told.hears().await;
    put("off").await;
    told.sees(Announce::Off).await;

    session.close().await;
    told.stop().await;
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_bot_sees_the_change() {
    let scene = Scene::new().await;
    let discord = discord(SimulatorConfig::default()).await;
    let bot = start(&config_for(&discord), scene.postgres.connection()).await;
    let store = scene.store();
    until("notifications are received", async || {
        bot.settings.receives_notifications().then_some(())
    })
    .await;
    assert_eq!(
        bot.settings.of(&store, GUILD).await.expect("read").announce,
        Announce::Off
    );
    assert!(
        switch_off(&store, Switch::Rewards, "no right")
            .await
            .expect("switched")
    );
    until("the bot knows", async || {
        let settings = bot.settings.of(&store, GUILD).await.expect("read");
        settings.rewards.switched_off.then_some(())
    })
    .await;
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}
