//! Reward roles are given once they are deserved, however long that takes.

mod blocked;

use std::time::Duration;

use discord_simulator::{Guild, RestFault, RestFaultKind, Simulator, SimulatorConfig};
use eventide::{
    config::Config,
    features::levels::effects::{announcement::LevelUp, plan},
    outbox::queue::{self, NewEffect},
    postgres::{Statement, Store},
    support::ids::MemberKey,
};
use tokio_postgres::types::Type;
use twilight_model::id::Id;

use crate::support::{
    PATIENCE, Scene,
    bot::{config_for, discord, settle_exactly, start},
    effects::{Courier, delivered},
    session::Session,
    until,
};

const PUT: &str = "PUT /guilds/{id}/members/{id}/roles/{id}";
const DELETE: &str = "DELETE /guilds/{id}/members/{id}/roles/{id}";

/// A server with rewards for the levels 1, 2 and 3.
struct Server {
    scene: Scene,
    discord: Simulator,
    store: Store,
    guild_id: u64,
    roles: Vec<u64>,
}

impl Server {
    async fn new(mode: &'static str) -> Self {
        let scene = Scene::new().await;
        let discord = discord(SimulatorConfig::default()).await;
        let store = scene.store();
        let guild: &Guild = &discord.world().guilds()[0];
        let guild_id = guild.id();
        let control = discord.control();
        let roles: Vec<u64> = (1..=3_u32)
            .map(|at| {
                let name = format!("level {at}");
                control.create_role(guild_id, &name, at + 1).expect("a role")
            })
            .collect();
        let choose = Statement::new(
            "test",
            &[Type::INT8, Type::TEXT, Type::INT8],
            "INSERT INTO guild_settings (guild_id, rewards, log_channel_id) VALUES ($1, $2, $3)",
        );
        let log = guild.channels()[0].id.cast_signed();
        store
            .query(choose, &[&guild_id.cast_signed(), &mode, &log])
            .await
            .expect("chosen");
        let reward = Statement::new(
            "test",
            &[Type::INT8, Type::INT8, Type::INT8],
            "INSERT INTO level_role (guild_id, role_id, level) VALUES ($1, $2, $3)",
        );
        for (level, role) in (1_i64..).zip(&roles) {
            store
                .query(reward, &[&guild_id.cast_signed(), &role.cast_signed(), &level])
                .await
                .expect("a reward");
        }
        Self {
            scene,
            discord,
            store,
            guild_id,
            roles,
        }
    }

    fn config(&self) -> Config {
        let mut config = config_for(&self.discord);
        config.effects.retry_blocked = Duration::from_secs(1);
        config.effects.failures_until_off = 3;
        config
    }

    /// A member who is recorded as having passed a level.
    async fn member_with(&self, at: u32, xp: i64) -> u64 {
        let user = self
            .discord
            .world()
            .member_id(self.guild_id, at)
            .expect("a member");
        let earned = Statement::new(
            "test",
            &[Type::INT8, Type::INT8, Type::INT8],
            "INSERT INTO member_xp (guild_id, user_id, xp, message_count) VALUES ($1, $2, $3, 1)",
        );
        let ids = [self.guild_id.cast_signed(), user.cast_signed()];
        self.store
            .query(earned, &[&ids[0], &ids[1], &xp])
            .await
            .expect("earned");
        let effect = plan::roles_of(MemberKey {
            guild_id: Id::new(self.guild_id),
            user_id: Id::new(user),
        });
        let added = self.store.transaction("test", |tx| {
            Box::pin(async move { queue::add(tx, &[effect]).await })
        });
        added.await.expect("added");
        user
    }

    /// Which of the rewards a member has.
    fn rewards_of(&self, user: u64) -> Vec<usize> {
        let has = self
            .discord
            .control()
            .member_roles(self.guild_id, user)
            .expect("a member");
        (1..)
            .zip(&self.roles)
            .filter(|(_, role)| has.contains(role))
            .map(|(level, _)| level)
            .collect()
    }

    fn notices(&self) -> Vec<String> {
        let messages = self.discord.control().bot_messages();
        let texts = messages.iter().filter_map(|message| message["content"].as_str());
        texts.map(str::to_owned).collect()
    }

    async fn end(self) {
        self.store.close();
        self.scene.stop().await;
    }
}

/// From messages to roles, through the whole bot.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_get_what_their_level_gives() {
    let server = Server::new("stack").await;
    let mut config = server.config();
    config.levels.cooldown = Duration::from_mins(1);
    config.levels.xp_per_message = (15, 25);
    let bot = start(&config, server.scene.postgres.connection()).await;
    let control = server.discord.control();
    until("the shard has a session", async || {
        (control.stats().connections_open == 1).then_some(())
    })
    .await;
    control.advance_time(Duration::from_mins(1));
    for _ in 0..12 {
        control.generate(600);
        settle_exactly(&server.discord, &server.store).await;
        control.advance_time(Duration::from_mins(2));
    }
    delivered(&server.store).await;
    let mut rewarded = 0;
    for ((guild, user), member) in server.discord.oracle().expected() {
        if guild == server.guild_id {
            let level = usize::try_from(eventide::settings::values::curve::Curve::Mee6.level_of(member.xp))
                .expect("few");
            let wanted: Vec<usize> = (1..=level.min(3)).collect();
            assert_eq!(server.rewards_of(user), wanted, "{} XP", member.xp);
            rewarded += usize::from(level > 0);
        }
    }
    assert!(rewarded > 3, "{rewarded} members");
    bot.drain(PATIENCE).await.expect("a clean end");
    server.end().await;
}

/// An answer that lacks a field is the bot's problem: no server loses its rewards over it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_cannot_be_read_turn_nothing_off() {
    let server = Server::new("stack").await;
    let config = server.config();
    let failures = config.effects.failures_until_off;
    server.discord.control().add_fault(RestFault {
        route: "GET /guilds/{id}/members/{id}".to_owned(),
        count: Some(failures.into()),
        delay_ms: 0,
        kind: RestFaultKind::WithoutField("roles".to_owned()),
    });
    let courier = Courier::start(&config, &server.store);
    for at in 1..=failures {
        let user = server.member_with(at, 100).await;
        until("the role is given", async || {
            (server.rewards_of(user) == [1]).then_some(())
        })
        .await;
    }
    delivered(&server.store).await;
    assert_eq!(server.notices(), Vec::<String>::new());
    courier.stop().await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replaced_and_given_once() {
    let server = Server::new("replace").await;
    let user = server.member_with(1, 300).await;
    let courier = Courier::start(&server.config(), &server.store);
    delivered(&server.store).await;
    assert_eq!(server.rewards_of(user), [2], "300 XP are level 2");
    let reached = Statement::new(
        "test",
        &[],
        "WITH up AS (UPDATE member_xp SET xp = 500)
              INSERT INTO outbox_lane AS l (guild_id, lane_id)
              SELECT guild_id, user_id FROM member_xp
              ON CONFLICT (guild_id, lane_id) DO UPDATE SET version = l.version + 1",
    );
    let wanted = Statement::new(
        "test",
        &[],
        "INSERT INTO outbox (guild_id, lane_id, kind, user_id, body)
              SELECT guild_id, user_id, 'roles', user_id, '{}' FROM member_xp",
    );
    server.store.query(wanted, &[]).await.expect("wanted");
    server.store.query(reached, &[]).await.expect("level 3");
    delivered(&server.store).await;
    assert_eq!(server.rewards_of(user), [3]);
    let control = server.discord.control();
    assert_eq!(control.rest_calls(PUT).len(), 2);
    assert_eq!(control.rest_calls(DELETE).len(), 1);
    courier.stop().await;
    server.end().await;
}

/// `{roles}` in an announcement names the roles that the level gives and the bot may give: none above the bot's, none that belong to an
/// integration, none with dangerous permissions that the owner did not choose, and none if rewards are switched off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_announcement_names_only_roles_that_are_given() {
    let server = Server::new("stack").await;
    let control = server.discord.control();
    let guild = server.guild_id;
    let extra = |at: u32| control.create_role(guild, "extra", at).expect("a role");
    let (above, managed, dangerous) = (extra(60), extra(5), extra(6));
    assert!(control.set_role_managed(guild, managed, true));
    assert!(control.set_role_permissions(guild, dangerous, 1 << 2));
    let session = Session::open(&server.scene.postgres.connection().into()).await;
    session
        .execute(&format!(
            "INSERT INTO level_role (guild_id, role_id, level) VALUES ({guild}, {above}, 2), ({guild}, {managed}, 3), ({guild}, {dangerous}, 3);
             UPDATE guild_settings SET announce = 'channel', announce_channel_id = log_channel_id, announce_template = 'now: {{roles}}'"
        ))
        .await;
    let user = server.discord.world().member_id(guild, 1).expect("a member");
    let channel = server.discord.world().guilds()[0].channels()[0].id;
    let announce = async |before| {
        let level_up = LevelUp {
            level: 3,
            before,
            xp: 500,
        };
        let new = NewEffect {
            user_id: Some(Id::new(user)),
            ..NewEffect::for_channel(Id::new(guild), Id::new(channel), &level_up)
        };
        let added = server
            .store
            .transaction("test", |tx| Box::pin(async move { queue::add(tx, &[new]).await }));
        added.await.expect("added");
        let courier = Courier::start(&server.config(), &server.store);
        delivered(&server.store).await;
        courier.stop().await;
        server.notices().pop().expect("an announcement")
    };
    let role = |at: usize| format!("<@&{}>", server.roles[at]);
    let all = announce(0).await;
    assert_eq!(all, format!("now: {} {} {}", role(0), role(1), role(2)));
    // Those of the levels that were passed now.
    assert_eq!(announce(1).await, format!("now: {} {}", role(1), role(2)));
    session
        .execute("UPDATE guild_settings SET rewards = 'replace'")
        .await;
    assert_eq!(announce(1).await, format!("now: {}", role(2)));
    session
        .execute("UPDATE guild_settings SET rewards_off_reason = 'test'")
        .await;
    assert_eq!(announce(0).await.trim_end(), "now:");
    session.close().await;
    server.end().await;
}

/// A member who should have another role keeps the current one until the other can be given.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_is_not_taken_before_the_next_is_given() {
    let server = Server::new("replace").await;
    let control = server.discord.control();
    let user = server.member_with(1, 300).await;
    assert!(control.set_member_roles(server.guild_id, user, &[server.roles[0]]));
    assert!(control.set_role_position(server.guild_id, server.roles[1], 60));
    let mut config = server.config();
    config.effects.failures_until_off = 1_000;
    let courier = Courier::start(&config, &server.store);
    let tried = Statement::new(
        "test",
        &[],
        "SELECT coalesce(max(attempts), 0) FROM outbox WHERE failed_at IS NULL",
    );
    until("it was tried twice", async || {
        let rows = server.store.query(tried, &[]).await.expect("read");
        (rows[0].get::<_, i64>(0) > 1).then_some(())
    })
    .await;
    assert_eq!(server.rewards_of(user), [1]);
    assert_eq!(control.rest_calls(DELETE).len(), 0);
    assert!(control.set_role_position(server.guild_id, server.roles[1], 3));
    courier.stop().await;
    // Without a gateway there is no event about the change.
    let courier = Courier::start(&config, &server.store);
    delivered(&server.store).await;
    assert_eq!(server.rewards_of(user), [2]);
    courier.stop().await;
    server.end().await;
}

/// In replace mode the next lower role is deserved when the role of the level is deleted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reward_that_disappears_leaves_the_one_before() {
    let server = Server::new("replace").await;
    let control = server.discord.control();
    let user = server.member_with(1, 300).await;
    assert!(control.set_member_roles(server.guild_id, user, &[server.roles[0]]));
    control.delete_role(server.guild_id, server.roles[1]);
    let courier = Courier::start(&server.config(), &server.store);
    delivered(&server.store).await;
    assert_eq!(server.rewards_of(user), [1]);
    assert_eq!(control.rest_calls(DELETE).len(), 0);
    courier.stop().await;
    server.end().await;
}
