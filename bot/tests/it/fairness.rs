//! Effects of one server that Discord limits hold up nobody else's.

use std::time::Duration;

use discord_simulator::{Limit, RestRules, SimulatorConfig};
use eventide::{
    effects::effect::{Effect, LevelUp, WarnedDirectly},
    moderation::Severity,
    settings::{Announce, Template},
    store::{
        Statement, Store,
        outbox::{self, New},
    },
};
use tokio_postgres::types::Type;
use twilight_model::id::Id;

use crate::support::{
    Scene,
    bot::{config_for, discord},
    effects::{Courier, TEMPLATE, announced},
    until,
};

/// Members whose roles are made right, more than there are workers.
const MEMBERS: u32 = 100;

async fn roles_left(store: &Store, guild: u64) -> u64 {
    outbox::roles_left(store, Id::new(guild))
        .await
        .expect("counted")
        .in_line
}

async fn reward(store: &Store, guild: u64, role: u64) {
    let reward = Statement {
        name: "test",
        types: &[Type::INT8, Type::INT8],
        sql: "INSERT INTO level_role (guild_id, role_id, level) VALUES ($1, $2, 1)",
    };
    store
        .query(reward, &[&guild.cast_signed(), &role.cast_signed()])
        .await
        .expect("a reward");
}

/// A server whose roles are made right, in a bucket that takes two requests in five seconds. Meanwhile somebody reaches a level in
/// another server, somebody does in the same server, and somebody is warned there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_bucket_holds_up_nobody_else() {
    let scene = Scene::new().await;
    let discord = discord(SimulatorConfig {
        guilds: 2,
        members: 4 * MEMBERS,
        rest: RestRules {
            other: Limit {
                requests: 2,
                per: Duration::from_secs(5),
            },
            ..RestRules::default()
        },
        ..SimulatorConfig::default()
    })
    .await;
    let (control, world) = (discord.control(), discord.world());
    let guilds = world.guilds();
    let (busy, other) = (guilds[0].id(), guilds[1].id());
    let store = scene.store();
    let role = control.create_role(busy, "reward", 1).expect("a role");
    reward(&store, busy, role).await;
    let earned = Statement {
        name: "test",
        types: &[Type::INT8, Type::INT8],
        sql: "INSERT INTO member_xp (guild_id, user_id, xp, message_count) VALUES ($1, $2, 120, 1)",
    };
    let new = |guild: u64, lane: u64, channel: Option<u64>, user: u64, effect: &Effect| New {
        guild_id: Id::new(guild),
        lane_id: lane.cast_signed(),
        kind: effect.kind(),
        channel_id: channel.map(Id::new),
        user_id: Some(Id::new(user)),
        body: effect.body(),
    };
    let mut roles = Vec::new();
    for rank in 1..=MEMBERS {
        let user = world.member_id(busy, rank).expect("a member");
        store
            .query(earned, &[&busy.cast_signed(), &user.cast_signed()])
            .await
            .expect("earned");
        roles.push(new(busy, user, None, user, &Effect::Roles));
    }
    let added = store.transaction("test", |tx| {
        Box::pin(async move { outbox::add_bulk(tx, &roles).await })
    });
    added.await.expect("added");

    let mut config = config_for(&discord);
    config.levels.announce = Announce::SameChannel;
    config.levels.announce_template = Template::parse(TEMPLATE).expect("a template");
    let courier = Courier::start(&config, &store);
    until("the first members have their role", async || {
        (roles_left(&store, busy).await < u64::from(MEMBERS)).then_some(())
    })
    .await;

    let (first, second) = (guilds[0].channels()[0].id, guilds[1].channels()[0].id);
    let level_up = Effect::LevelUp(LevelUp {
        level: 1,
        before: 0,
        xp: 120,
    });
    let warned = Effect::WarnedDirectly(WarnedDirectly {
        case_id: 1,
        reason: "x".to_owned(),
        severity: Severity::Low,
        points: 1,
        expires_at_ms: None,
        locale: "en-US".to_owned(),
    });
    let one = world.member_id(other, 1).expect("a member");
    let two = world.member_id(busy, 1).expect("a member");
    let three = world.member_id(busy, MEMBERS + 1).expect("a member");
    let effects = [
        new(other, second, Some(second), one, &level_up),
        new(busy, first, Some(first), two, &level_up),
        new(busy, three, None, three, &warned),
    ];
    let added = store.transaction("test", |tx| {
        Box::pin(async move { outbox::add(tx, &effects).await })
    });
    added.await.expect("added");
    until("all three are delivered", async || {
        let warned = control.bot_messages().iter().any(|message| {
            let content = message["content"].as_str();
            content.is_some_and(|content| content.contains("You were warned"))
        });
        (announced(&discord).len() == 2 && warned).then_some(())
    })
    .await;
    // In line with the roles they would have come when a third of those was done.
    let left = roles_left(&store, busy).await;
    assert!(left > u64::from(MEMBERS) * 3 / 4, "{left} members are left");
    courier.stop().await;
    store.close();
    scene.stop().await;
}
