//! Effects of one server that Discord limits do not block those of others.

use std::time::Duration;

use discord_simulator::{Limit, RestRules, Simulator, SimulatorConfig};
use eventide::{
    config::Announce,
    features::{
        levels::effects::{announcement::LevelUp, plan},
        moderation::{
            Severity,
            effects::{warned::WarnedDirectly, wording::Wording},
        },
    },
    outbox::{
        kind::EffectBody,
        queue::{self, NewEffect},
    },
    postgres::{Statement, Store},
    settings::Template,
    support::ids::MemberKey,
};
use futures_util::future::join_all;
use tokio::time::Instant;
use tokio_postgres::types::Type;
use twilight_model::id::Id;

use crate::support::{
    Scene,
    bot::{config_for, discord},
    effects::{Announced, Courier, TEMPLATE, announced},
    full_counts, until,
};

/// The number of members whose roles are updated, which exceeds that of workers.
const MEMBERS: u32 = 100;

async fn roles_left(store: &Store, guild: u64) -> u64 {
    queue::roles_left(store, Id::new(guild))
        .await
        .expect("counted")
        .in_line
}

async fn reward(store: &Store, guild: u64, role: u64) {
    let reward = Statement::new(
        "test",
        &[Type::INT8, Type::INT8],
        "INSERT INTO level_role (guild_id, role_id, level) VALUES ($1, $2, 1)",
    );
    store
        .query(reward, &[&guild.cast_signed(), &role.cast_signed()])
        .await
        .expect("a reward");
}

fn new(guild: u64, lane: u64, channel: Option<u64>, user: u64, body: &impl EffectBody) -> NewEffect {
    NewEffect {
        guild_id: Id::new(guild),
        lane_id: lane.cast_signed(),
        channel_id: channel.map(Id::new),
        ..NewEffect::for_member(
            MemberKey {
                guild_id: Id::new(guild),
                user_id: Id::new(user),
            },
            body,
        )
    }
}

async fn add(store: &Store, effects: Vec<NewEffect>, in_bulk: bool) {
    let added = store.transaction("test", move |tx| {
        let effects = effects.clone();
        Box::pin(async move {
            if in_bulk {
                queue::add_bulk(tx, &effects).await
            } else {
                queue::add(tx, &effects).await
            }
        })
    });
    added.await.expect("added");
}

/// Request updates of the roles of this many members who have reached level 1.
async fn sync(store: &Store, discord: &Simulator, guild: u64, members: u32) {
    let earned = Statement::new(
        "test",
        &[Type::INT8, Type::INT8_ARRAY],
        "INSERT INTO member_xp (guild_id, user_id, xp, message_count) SELECT $1, u, 120, 1 FROM unnest($2::int8[]) AS u",
    );
    let users: Vec<i64> = (1..=members)
        .map(|rank| {
            let user = discord.world().member_id(guild, rank);
            user.expect("a member").cast_signed()
        })
        .collect();
    store
        .query(earned, &[&guild.cast_signed(), &users])
        .await
        .expect("earned");
    let roles = users.iter().map(|user| {
        let user = user.cast_unsigned();
        plan::roles_of(MemberKey {
            guild_id: Id::new(guild),
            user_id: Id::new(user),
        })
    });
    add(store, roles.collect(), true).await;
}

/// A server whose roles are updated, while each bucket accepts one request in two seconds: the bot's own member is read from the same
/// bucket as the others, so it must be read before them. Meanwhile a member reaches a level in another server, one does in the same server,
/// and one is warned there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_bucket_delays_no_other() {
    let scene = Scene::new().await;
    let discord = discord(SimulatorConfig {
        guilds: 2,
        members: 4 * MEMBERS,
        rest: RestRules {
            other: Limit {
                requests: 1,
                per: Duration::from_secs(2),
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
    sync(&store, &discord, busy, MEMBERS).await;

    let mut config = config_for(&discord);
    config.levels.announce = Announce::SameChannel;
    config.levels.announce_template = Template::parse(TEMPLATE).expect("a template");
    let courier = Courier::start(&config, &store);
    until("the first members have their role", async || {
        (roles_left(&store, busy).await < u64::from(MEMBERS)).then_some(())
    })
    .await;

    let (first, second) = (guilds[0].channels()[0].id, guilds[1].channels()[0].id);
    let level_up = LevelUp {
        level: 1,
        before: 0,
        xp: 120,
    };
    let warned = WarnedDirectly {
        case_id: 1,
        moderator_id: None,
        reason: "x".to_owned(),
        severity: Severity::Low,
        points: 1,
        expires_at_ms: None,
        locale: "en-US".to_owned(),
        wording: Wording::default(),
        appeal_url: None,
    };
    let one = world.member_id(other, 1).expect("a member");
    let two = world.member_id(busy, 1).expect("a member");
    let three = world.member_id(busy, MEMBERS + 1).expect("a member");
    let effects = [
        new(other, second, Some(second), one, &level_up),
        new(busy, first, Some(first), two, &level_up),
        new(busy, three, None, three, &warned),
    ];
    add(&store, effects.to_vec(), false).await;
    until("all three are delivered", async || {
        let warned = control.bot_messages().iter().any(|message| {
            let content = message["content"].as_str();
            content.is_some_and(|content| content.contains("You were warned"))
        });
        (announced(&discord).len() == 2 && warned).then_some(())
    })
    .await;
    // In one queue with the roles, they would have been delivered after a third of those.
    let left = roles_left(&store, busy).await;
    assert!(left > u64::from(MEMBERS) * 3 / 4, "{left} members are left");
    courier.stop().await;
    store.close();
    scene.stop().await;
}

/// Level-ups of a server, four a second, and how long each took from its commit to Discord. Sorted.
async fn delays(store: &Store, discord: &Simulator, guild: u64, level: u32, count: u32) -> Vec<Duration> {
    let channels: Vec<u64> = discord
        .world()
        .guilds()
        .iter()
        .find(|known| known.id() == guild)
        .expect("a guild")
        .channels()
        .iter()
        .map(|channel| channel.id)
        .collect();
    let one = |nth: u32| {
        let channel = channels[nth as usize % channels.len()];
        let user = discord.world().member_id(guild, 1 + nth).expect("a member");
        async move {
            tokio::time::sleep(Duration::from_millis(250) * nth).await;
            let level_up = LevelUp {
                level,
                before: level - 1,
                xp: 500,
            };
            add(
                store,
                vec![new(guild, channel, Some(channel), user, &level_up)],
                false,
            )
            .await;
            let since = Instant::now();
            until("it is announced", async || {
                let is_it = |it: &Announced| (it.user_id, it.level) == (user, level);
                announced(discord).iter().any(is_it).then_some(())
            })
            .await;
            since.elapsed()
        }
    };
    let mut all = join_all((0..count).map(one)).await;
    all.sort_unstable();
    all
}

/// The cost of a large server's sync for another server. The test asserts that each level-up is announced once; the delays are printed:
/// with `EVENTIDE_TEST_FULL=1` for 10,000 members, for whom Discord accepts ten roles in ten seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn level_ups_beside_a_sync_of_a_large_server() {
    let (members, level_ups) = if full_counts() { (10_000, 120) } else { (300, 12) };
    let scene = Scene::new().await;
    let discord = discord(SimulatorConfig {
        guilds: 2,
        members: 3 * members,
        rest: RestRules {
            other: Limit {
                requests: 10,
                per: Duration::from_secs(10),
            },
            ..RestRules::default()
        },
        ..SimulatorConfig::default()
    })
    .await;
    let (control, world) = (discord.control(), discord.world());
    let (busy, other) = (world.guilds()[0].id(), world.guilds()[1].id());
    let store = scene.store();
    let role = control.create_role(busy, "reward", 1).expect("a role");
    reward(&store, busy, role).await;
    let mut config = config_for(&discord);
    config.levels.announce = Announce::SameChannel;
    config.levels.announce_template = Template::parse(TEMPLATE).expect("a template");
    let courier = Courier::start(&config, &store);
    let alone = delays(&store, &discord, other, 1, level_ups).await;
    sync(&store, &discord, busy, members).await;
    until("the first members have their role", async || {
        (roles_left(&store, busy).await < u64::from(members)).then_some(())
    })
    .await;
    let beside = delays(&store, &discord, other, 2, level_ups).await;
    let left = roles_left(&store, busy).await;
    for (what, all) in [("alone", &alone), ("beside the sync", &beside)] {
        let at = |percent: usize| all[(all.len() - 1) * percent / 100].as_millis();
        println!(
            "{what}: p50 {} ms, p95 {} ms, longest {} ms",
            at(50),
            at(95),
            at(100)
        );
    }
    println!("{left} of {members} members are left to sync");
    assert!(left > 0, "it went on meanwhile");
    let mut seen: Vec<(u64, u32)> = announced(&discord)
        .iter()
        .map(|it| (it.user_id, it.level))
        .collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 2 * level_ups as usize);
    assert_eq!(announced(&discord).len(), seen.len(), "each once");
    courier.stop().await;
    store.close();
    scene.stop().await;
}
