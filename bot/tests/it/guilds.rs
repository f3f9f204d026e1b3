//! Cached guild data: read once, cached, and kept up to date by events.

use std::time::Duration;

use discord_simulator::{Guild, RestFault, RestFaultKind, RestRules, Simulator, SimulatorConfig};
use eventide::discord::{
    events::guild_news::GuildNews,
    guilds::{Assignable, Guilds, Sendable},
    rest::{Priority, Rest, RestError, Retry},
};
use futures_util::future::join_all;
use serde_json::json;
use twilight_model::id::Id;

use crate::support::{
    PATIENCE, Scene,
    bot::{config_for, discord, settle_exactly, start, up},
    until,
};

const SEND_MESSAGES: u64 = 1 << 11;
const VIEW_CHANNEL: u64 = 1 << 10;

async fn world() -> Simulator {
    discord(SimulatorConfig {
        shards: 2,
        guilds: 6,
        rest: RestRules {
            enforce: false,
            ..RestRules::default()
        },
        ..SimulatorConfig::default()
    })
    .await
}

fn guilds(discord: &Simulator) -> Guilds {
    let config = config_for(discord);
    Guilds::new(Rest::new(
        &config.discord,
        config.require_token().expect("a token"),
    ))
}

/// The number of requests for each part: guilds, members, channels, one channel, the bot itself.
fn asked(discord: &Simulator) -> [usize; 5] {
    [
        "GET /guilds/{id}",
        "GET /guilds/{id}/members/{id}",
        "GET /guilds/{id}/channels",
        "GET /channels/{id}",
        "GET /users/@me",
    ]
    .map(|route| discord.control().rest_calls(route).len())
}

async fn assignable(guilds: &Guilds, guild: &Guild, role: u64) -> Assignable {
    guilds
        .assignable(Id::new(guild.id()), Id::new(role), Priority::Effect)
        .await
        .expect("told")
}

async fn can_send(guilds: &Guilds, guild: &Guild, channel: u64) -> Sendable {
    guilds
        .can_send(Id::new(guild.id()), Id::new(channel), Priority::Effect)
        .await
        .expect("told")
}

fn without(route: &str, field: &str) -> RestFault {
    RestFault {
        route: route.to_owned(),
        count: Some(1),
        delay_ms: 0,
        kind: RestFaultKind::WithoutField(field.to_owned()),
    }
}

/// A Discord that renamed unused fields, and a server that sends roles separately from the guild.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_fields_that_are_used_are_needed() {
    let discord = world().await;
    let guilds = guilds(&discord);
    let guild = &discord.world().guilds()[0];
    for (route, field) in [
        ("GET /guilds/{id}", "roles"),
        ("GET /guilds/{id}/roles", "colors"),
        ("GET /guilds/{id}/channels", "permission_overwrites"),
        ("GET /guilds/{id}/members/{id}", "joined_at"),
    ] {
        discord.control().add_fault(without(route, field));
    }
    let role = guild.roles()[2].id;
    assert_eq!(assignable(&guilds, guild, role).await, Assignable::Yes);
    let channel = guild.channels()[0].id;
    assert_eq!(can_send(&guilds, guild, channel).await, Sendable::Yes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_that_is_missing_is_named_and_asked_for_again() {
    let discord = world().await;
    let guilds = guilds(&discord);
    let id = Id::new(discord.world().guilds()[0].id());
    discord
        .control()
        .add_fault(without("GET /guilds/{id}", "owner_id"));
    let error = guilds.name(id, Priority::Effect).await.expect_err("unreadable");
    assert_eq!(error.retry(), Retry::Later);
    assert!(
        error.to_string().contains("the field `owner_id` is missing"),
        "{error}"
    );
    assert!(guilds.name(id, Priority::Effect).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_askers_are_one_request_and_the_answer_is_kept() {
    let discord = world().await;
    let guilds = guilds(&discord);
    let guild = &discord.world().guilds()[0];
    let role = guild.roles()[2].id;
    let asks = (0..50).map(|_| assignable(&guilds, guild, role));
    assert!(join_all(asks).await.into_iter().all(|it| it == Assignable::Yes));
    assert_eq!(asked(&discord), [1, 1, 0, 0, 1]);

    let id = Id::new(guild.id());
    let name = guilds.name(id, Priority::Effect).await.expect("told");
    assert_eq!(name.as_plain(), guild.name());
    let sends = guild.channels().iter().map(|it| can_send(&guilds, guild, it.id));
    assert!(join_all(sends).await.into_iter().all(|it| it == Sendable::Yes));
    assert_eq!(
        asked(&discord),
        [1, 1, 1, 0, 1],
        "channels only when they are asked about"
    );

    // Without events the cache is out of date, until it is told to discard the data.
    discord.control().set_bot_permissions(guild.id(), 0);
    assert_eq!(assignable(&guilds, guild, role).await, Assignable::Yes);
    guilds.forget(id);
    assert_eq!(assignable(&guilds, guild, role).await, Assignable::NoPermission);
    assert_eq!(asked(&discord), [2, 2, 1, 0, 1]);

    let other = &discord.world().guilds()[1];
    assert_eq!(
        can_send(&guilds, other, guild.channels()[0].id).await,
        Sendable::UnknownChannel,
        "another guild's"
    );
    assert_eq!(can_send(&guilds, other, 5).await, Sendable::UnknownChannel);
    let user = discord.world().member_id(guild.id(), 4).expect("a member");
    let name = guilds
        .member_name(id, Id::new(user), Priority::Effect)
        .await
        .expect("told");
    assert_eq!(
        Some(name.as_plain().to_owned()),
        discord.world().member_name(guild.id(), user)
    );
}

/// Settings take only roles that are here, whatever else is cached.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_of_another_server_is_not_here() {
    let discord = world().await;
    let guilds = guilds(&discord);
    let (one, other) = (&discord.world().guilds()[0], &discord.world().guilds()[1]);
    let roles = [Id::new(one.roles()[2].id), Id::new(other.roles()[2].id)];
    // At the second round, both are cached.
    for _round in 0..2 {
        for (guild, expected) in [(one, [true, false]), (other, [false, true])] {
            let order = guilds.order(Id::new(guild.id()), &roles, Priority::Effect);
            let order = order.await.expect("told");
            let are_here: Vec<bool> = order.iter().map(Option::is_some).collect();
            assert_eq!(are_here, expected);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unanswered_lookup_is_an_error_for_all_and_not_cached() {
    let discord = world().await;
    let guilds = guilds(&discord);
    let guild = &discord.world().guilds()[0];
    discord.control().add_fault(RestFault {
        route: "GET /guilds/{id}/members/{id}".to_owned(),
        count: Some(1),
        delay_ms: 50,
        kind: RestFaultKind::Status(503),
    });
    let ask = || {
        guilds.assignable(
            Id::new(guild.id()),
            Id::new(guild.roles()[2].id),
            Priority::Effect,
        )
    };
    for told in join_all((0..5).map(|_| ask())).await {
        assert!(
            matches!(told, Err(RestError::Unavailable { status: 503, .. })),
            "{told:?}"
        );
    }
    assert_eq!(ask().await, Ok(Assignable::Yes));
    discord.control().kick_bot(guild.id());
    guilds.forget(Id::new(guild.id()));
    let before = asked(&discord);
    assert!(matches!(
        ask().await,
        Err(RestError::Refused {
            code: Some(10_004),
            ..
        })
    ));
    let mut after = before;
    after[0] += 1;
    assert_eq!(
        asked(&discord),
        after,
        "nothing is asked for that would be refused"
    );
}

/// The bot's own shards keep it right, without another request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_keep_guilds_right() {
    let scene = Scene::new().await;
    let discord = world().await;
    let control = discord.control();
    let bot = start(&config_for(&discord), scene.postgres.connection()).await;
    up(&discord, 2).await;
    // Events at startup would invalidate the guild, which is correct but not the subject here, so they come first.
    control.generate(500);
    settle_exactly(&discord, &scene.store()).await;
    let guild = &discord.world().guilds()[0];
    let (role, channel) = (guild.roles()[3].id, guild.channels()[0].id);
    let guilds = &bot.guilds;
    assert_eq!(assignable(guilds, guild, role).await, Assignable::Yes);
    assert_eq!(can_send(guilds, guild, channel).await, Sendable::Yes);
    let before = asked(&discord);

    let becomes = async |wanted: Assignable| {
        until("it is known", async || {
            (assignable(guilds, guild, role).await == wanted).then_some(())
        })
        .await;
    };
    let top = guild.bot_role().position;
    control.set_role_position(guild.id(), role, top + 1);
    becomes(Assignable::RoleAboveBot {
        role: i64::from(top) + 1,
        bot: i64::from(top),
    })
    .await;
    control.set_bot_position(guild.id(), top + 2);
    becomes(Assignable::Yes).await;
    control.set_bot_permissions(guild.id(), VIEW_CHANNEL | SEND_MESSAGES);
    becomes(Assignable::NoPermission).await;
    control.set_role_managed(guild.id(), role, true);
    becomes(Assignable::Managed).await;
    control.delete_role(guild.id(), role);
    becomes(Assignable::UnknownRole).await;

    let can = async |wanted: Sendable| {
        until("it is known", async || {
            (can_send(guilds, guild, channel).await == wanted).then_some(())
        })
        .await;
    };
    control.deny_in_channel(channel, SEND_MESSAGES);
    can(Sendable::NoPermission).await;
    control.deny_in_channel(channel, VIEW_CHANNEL);
    can(Sendable::Hidden).await;
    control.deny_in_channel(channel, 0);
    can(Sendable::Yes).await;
    control.set_bot_roles(guild.id(), &[]);
    control.set_role_permissions(guild.id(), guild.id(), VIEW_CHANNEL);
    can(Sendable::NoPermission).await;
    control.rename_guild(guild.id(), "Another");
    until("the name is known", async || {
        let name = guilds
            .name(Id::new(guild.id()), Priority::Effect)
            .await
            .expect("told");
        (name.as_plain() == "Another").then_some(())
    })
    .await;
    assert_eq!(asked(&discord), before, "events told everything");
    control.delete_channel(channel);
    can(Sendable::UnknownChannel).await;
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}

/// A response that was requested before an event must not replace it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_older_than_an_event_is_not_kept() {
    let discord = world().await;
    let guilds = guilds(&discord);
    let guild = &discord.world().guilds()[0];
    let role = guild.roles()[2].id;
    assert_eq!(assignable(&guilds, guild, role).await, Assignable::Yes);
    guilds.forget(Id::new(guild.id()));
    let slow = |count| RestFault {
        route: "GET /guilds/{id}/members/{id}".to_owned(),
        count,
        delay_ms: 300,
        kind: RestFaultKind::None,
    };
    let event = json!({"guild_id": guild.id().to_string(), "role_id": "5"});
    let text = format!(r#"{{"t":"GUILD_ROLE_DELETE","s":1,"op":0,"d":{event}}}"#);
    let news = GuildNews::scan("GUILD_ROLE_DELETE", &text)
        .expect("readable")
        .expect("a guild's");
    let hear_at_each = async |before: usize, times: usize| {
        for nth in 0..times {
            until("the guild has been asked for", async || {
                (asked(&discord)[0] > before + nth).then_some(())
            })
            .await;
            assert!(guilds.update(&news));
        }
    };

    let before = asked(&discord);
    discord.control().add_fault(slow(Some(1)));
    let (told, ()) = tokio::join!(assignable(&guilds, guild, role), hear_at_each(before[0], 1));
    assert_eq!(told, Assignable::Yes);
    assert_eq!(asked(&discord)[0] - before[0], 2, "once more");
    assert_eq!(assignable(&guilds, guild, role).await, Assignable::Yes);
    assert_eq!(asked(&discord)[0] - before[0], 2, "and then it is kept");

    // A guild that never stops changing is returned nevertheless.
    guilds.forget(Id::new(guild.id()));
    discord.control().add_fault(slow(None));
    let before = asked(&discord);
    let told = tokio::time::timeout(Duration::from_secs(30), async {
        tokio::select! {
            told = assignable(&guilds, guild, role) => told,
            () = hear_at_each(before[0], usize::MAX) => unreachable!("it goes on for ever"),
        }
    });
    assert_eq!(told.await.expect("in time"), Assignable::Yes);
    assert_eq!(asked(&discord)[0] - before[0], 4);
}
