//! Guilds' settings: what is stored, what holds, and who hears of a change.

use std::collections::HashMap;

use eventide::{
    config::Config,
    settings::{Announce, GuildSettings, RewardMode, Settings, Template},
    store::{
        Store, StoreError,
        guild_settings::{self, Stored, Switch},
    },
};
use futures_util::future::join_all;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, RoleMarker},
};

use crate::support::{Scene, session::Session};

const GUILD: Id<GuildMarker> = Id::new(10);

async fn switch_off(store: &Store, what: Switch, reason: &'static str) -> Result<bool, StoreError> {
    store
        .transaction("test", |tx| {
            Box::pin(guild_settings::switch_off(tx, GUILD, what, reason))
        })
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
                guild_settings::put(tx, &put).await?;
                guild_settings::put_role(tx, GUILD, Id::new(6), 3).await?;
                guild_settings::put_role(tx, GUILD, role, 20).await?;
                guild_settings::put_role(tx, GUILD, role, 10).await?;
                guild_settings::put_role(tx, Id::new(11), Id::new(8), 1).await
            })
        })
        .await
        .expect("written");

    let read = guild_settings::read(&store, &[GUILD]).await.expect("read");
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

/// Of any number that find the same fault at once, one tells the guild.
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
    let read = guild_settings::read(&store, &[GUILD]).await.expect("read");
    let reason = Some("the channel is gone".to_owned());
    assert_eq!(read[0].announce.as_deref(), Some("off"));
    assert_eq!(
        (&read[0].announce_off_reason, &read[0].rewards_off_reason),
        (&reason, &reason)
    );
    let settings = Settings::new(&Config::defaults().levels);
    let own = settings.of(&store, GUILD).await.expect("read");
    assert!(own.announce == Announce::Off && own.rewards.switched_off);

    // Where people switched it off there is nothing to tell.
    let session = Session::open(&scene.postgres.connection().into()).await;
    session
        .execute("UPDATE guild_settings SET announce = 'off', announce_off_reason = NULL, rewards_off_reason = NULL")
        .await;
    assert!(
        !switch_off(&store, Switch::Announcements, "again")
            .await
            .expect("asked")
    );
    // And where people switched it on again it can break again.
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
