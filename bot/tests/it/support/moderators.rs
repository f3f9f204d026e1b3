//! A server with moderators between a simulated Discord and a bot.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use discord_simulator::{Control, InteractionRequest, InteractionState, Simulator, SimulatorConfig};
use eventide::{app::bot::Bot, config::Config, discord::shards::ShardState, postgres::connect::Target};
use serde_json::{Value, json};
use twilight_model::id::Id;

use super::{
    PATIENCE, Scene,
    bot::{config_for, discord, quick_limits, start},
    browser::Browser,
    effects::delivered,
    session::Session,
    until,
};

/// Members with the moderators' role: those with ranks from 1 on. Each may use a command five times in ten seconds.
const MODERATORS: u32 = 25;

/// Time out members, manage the server.
const MODERATOR_MAY: u64 = 1 << 40 | 1 << 5;
const KICK: u64 = 1 << 1;
const BAN: u64 = 1 << 2;

/// Ends of timeouts in Unix milliseconds: in 2033, and in 2020.
pub(crate) const IN_TIMEOUT_UNTIL: u64 = 2_000_000_000_000;
pub(crate) const OUT_OF_TIMEOUT_SINCE: u64 = 1_600_000_000_000;

pub(crate) struct Stage {
    pub(crate) scene: Scene,
    pub(crate) discord: Simulator,
    pub(crate) config: Config,
    /// The moderators' role.
    pub(crate) role: u64,
    bot: Option<Bot>,
    session: Session,
    next: AtomicU32,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The same with another configuration.
    pub(crate) async fn with(configure: impl FnOnce(&mut Config)) -> Self {
        let scene = Scene::new().await;
        let discord = discord(SimulatorConfig {
            guilds: 2,
            members: 300,
            rest: quick_limits(),
            ..SimulatorConfig::default()
        })
        .await;
        let mut config = config_for(&discord);
        // Nobody of a process that is gone is dead before its lease is over.
        config.fleet.lease = Duration::from_secs(2);
        configure(&mut config);
        let session = session(&scene).await;
        let bot = start(&config, scene.postgres.connection()).await;
        up(&bot, &discord).await;
        let guild = discord.world().guilds()[0].id();
        let control = discord.control();
        let role = control.create_role(guild, "moderators", 2).expect("a role");
        assert!(control.set_role_permissions(guild, role, MODERATOR_MAY | KICK | BAN));
        let user = |rank| discord.world().member_id(guild, rank).expect("a member");
        for rank in 0..40 {
            let roles = if (1..=MODERATORS).contains(&rank) {
                vec![role]
            } else {
                Vec::new()
            };
            assert!(control.set_member_roles(guild, user(rank), &roles));
        }
        Self {
            scene,
            role,
            config,
            bot: Some(bot),
            session,
            next: AtomicU32::new(0),
            discord,
        }
    }

    pub(crate) fn control(&self) -> Control {
        self.discord.control()
    }

    pub(crate) fn guild(&self) -> u64 {
        self.discord.world().guilds()[0].id()
    }

    /// The member of a rank. 0 owns the server, 1 to 25 moderate, from 26 on they have no role.
    pub(crate) fn user(&self, rank: u32) -> u64 {
        let id = self.discord.world().member_id(self.guild(), rank);
        id.expect("a member")
    }

    /// One moderator after the other.
    pub(crate) fn moderator(&self) -> u64 {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        self.user(1 + next % MODERATORS)
    }

    pub(crate) async fn ask(&self, request: &InteractionRequest) -> InteractionState {
        let id = self.interact(request);
        let answer = self
            .control()
            .wait_interaction(id, |answer| answer.reply().is_some(), PATIENCE)
            .await;
        answer.expect("an answer")
    }

    /// Use a command, with a moderator's permissions if the request has none, without waiting.
    pub(crate) fn interact(&self, request: &InteractionRequest) -> u64 {
        let mut request = request.clone();
        request
            .member_permissions
            .get_or_insert_with(|| MODERATOR_MAY.to_string());
        self.control().interact(&request).expect("asked")
    }

    pub(crate) async fn asked(&self, user: u64, name: &str, options: Value) -> InteractionState {
        let request = InteractionRequest::command(self.guild(), user, name, &options);
        self.ask(&request).await
    }

    /// Warn a member with more options. Returns the reply.
    pub(crate) async fn warn(&self, user: u64, more: Value) -> String {
        let mut options = vec![member(user), of_type(3, "reason", "x")];
        options.extend(more.as_array().into_iter().flatten().cloned());
        let moderator = self.moderator();
        text(&self.asked(moderator, "warn", options.into()).await)
    }

    /// Choose a setting of moderation, as a member who manages the server.
    pub(crate) async fn set(&self, name: &str, value: &str) {
        let options = json!([
            of_type(3, "setting", format!("moderation.{name}")),
            of_type(3, "value", value)
        ]);
        let state = self.asked(self.moderator(), "settings", options).await;
        let reply = state.reply().expect("a reply");
        let shown = format!("{}{}", reply["content"], reply["embeds"]);
        assert!(shown.contains("**Moderation**"), "{shown}");
    }

    /// The list of a member's warnings, as shown to a member.
    pub(crate) async fn list(&self, asker: u64, of: Option<u64>) -> String {
        let options: Vec<Value> = of.map(member).into_iter().collect();
        let state = self.asked(asker, "warnings", options.into()).await;
        let reply = state.reply().expect("a reply");
        reply["embeds"][0]["description"]
            .as_str()
            .expect("a list")
            .to_owned()
    }

    /// Let the server's log go to its channel of this index. Returns its id.
    pub(crate) async fn log_to(&self, channel: usize) -> u64 {
        let id = self.discord.world().guilds()[0].channels()[channel].id;
        let guild = self.guild();
        self.session
            .execute(&format!(
                "INSERT INTO guild_settings (guild_id, log_channel_id) VALUES ({guild}, {id})
                 ON CONFLICT (guild_id) DO UPDATE SET log_channel_id = excluded.log_channel_id"
            ))
            .await;
        let (store, settings) = (self.scene.store(), &self.bot.as_ref().expect("a bot").settings);
        until("the bot has heard of it", async || {
            let known = settings.of(&store, Id::new(guild)).await.ok()?;
            (known.log_channel_id == Some(Id::new(id))).then_some(())
        })
        .await;
        store.close();
        id
    }

    pub(crate) async fn execute(&self, sql: &str) {
        self.session.execute(sql).await;
    }

    /// Make the timers of a kind due.
    pub(crate) async fn make_due(&self, kind: &str) {
        self.session.make_due(kind).await;
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.session.client.query_one(sql, &[]).await.expect(sql).get(0)
    }

    pub(crate) async fn text_of(&self, sql: &str) -> String {
        self.session.client.query_one(sql, &[]).await.expect(sql).get(0)
    }

    /// The number of a member's warnings, and their points.
    pub(crate) async fn counts(&self, user: u64) -> (i64, i64) {
        let sql = format!(
            "SELECT warnings, points FROM member_warnings WHERE guild_id = {} AND user_id = {user}",
            self.guild()
        );
        let rows = self.session.client.query(&sql, &[]).await.expect("read");
        rows.first().map_or((0, 0), |row| (row.get(0), row.get(1)))
    }

    /// Wait until nothing waits to be delivered.
    pub(crate) async fn delivered(&self) {
        let store = self.scene.store();
        delivered(&store).await;
        store.close();
    }

    /// What the bot wrote in a channel.
    pub(crate) fn in_channel(&self, channel: u64) -> Vec<String> {
        let messages = self.control().bot_messages();
        let id = channel.to_string();
        let there = messages
            .iter()
            .filter(|message| message["channel_id"].as_str() == Some(&id));
        there
            .filter_map(|message| message["content"].as_str().map(str::to_owned))
            .collect()
    }

    /// The first entry of the log with these words.
    pub(crate) async fn logged(&self, channel: u64, words: &str) -> String {
        until(words, async || {
            self.in_channel(channel)
                .into_iter()
                .find(|entry| entry.contains(words))
        })
        .await
    }

    /// What the bot wrote anywhere with this text.
    pub(crate) fn sent(&self, words: &str) -> Vec<String> {
        let messages = self.control().bot_messages();
        let contents = messages.iter().filter_map(|message| message["content"].as_str());
        contents
            .filter(|content| content.contains(words))
            .map(str::to_owned)
            .collect()
    }

    /// A browser of the bot's website, in which nobody has signed in.
    pub(crate) fn stranger(&self) -> Browser {
        let bot = self.bot.as_ref().expect("a bot");
        Browser::new(bot.web_address().expect("a website"))
    }

    /// A browser in which this user has signed in.
    pub(crate) async fn browser(&self, user: u64) -> Browser {
        let bot = self.bot.as_ref().expect("a bot");
        let address = bot.web_address().expect("a website");
        Browser::signed_in_at(address, &self.session, user).await
    }

    /// A member with a role that has these permissions.
    pub(crate) fn with_permissions(&self, rank: u32, permissions: u64) -> u64 {
        let (control, user) = (self.control(), self.user(rank));
        let role = control.create_role(self.guild(), "helpers", 1).expect("a role");
        assert!(control.set_role_permissions(self.guild(), role, permissions));
        assert!(control.set_member_roles(self.guild(), user, &[role]));
        user
    }

    /// Connect to the database again after it was unavailable.
    pub(crate) async fn reconnect(&mut self) {
        self.session = session(&self.scene).await;
    }

    /// Wait until everything that was sent is committed.
    pub(crate) async fn flushed(&self) {
        let bot = self.bot.as_ref().expect("it runs");
        until("everything is committed", async || {
            let sessions = self.discord.control().sessions();
            let all = bot.shards.list().iter().all(|shard| {
                let mut sent = sessions.iter().filter(|session| session.alive);
                let is_read = sent.all(|session| shard.sequence() >= session.last_seq);
                is_read && shard.dirty_since().is_none()
            });
            all.then_some(())
        })
        .await;
    }

    /// Wait until a new process has handled an interaction once more. It has, if its session began before the interaction; it ignores a
    /// second one then.
    pub(crate) async fn replayed(&self, interaction: u64) {
        until("the replay is over", async || {
            let state = self.control().interaction(interaction).expect("known");
            (state.refused_callbacks > 0).then_some(())
        })
        .await;
    }

    /// Another process in place of the bot's, which is gone without a word.
    pub(crate) async fn restart(&mut self, resumes: u64) {
        self.session.has_a_checkpoint().await;
        self.bot = None;
        let bot = start(&self.config, self.scene.postgres.connection()).await;
        let control = self.control();
        until("the session is resumed", async || {
            (control.stats().resumes > resumes).then_some(())
        })
        .await;
        self.bot = Some(bot);
    }

    pub(crate) async fn end(self) {
        self.session.close().await;
        if let Some(bot) = self.bot {
            bot.drain(PATIENCE).await.expect("a clean end");
        }
        self.scene.stop().await;
    }
}

async fn session(scene: &Scene) -> Session {
    Session::open(&Target::from(scene.postgres.connection())).await
}

async fn up(bot: &Bot, discord: &Simulator) {
    until("the shard is up and the commands are registered", async || {
        let up = bot
            .shards
            .list()
            .iter()
            .all(|shard| shard.state() == ShardState::Up);
        (up && !discord.control().commands(None).is_empty()).then_some(())
    })
    .await;
}

/// The option `member`.
pub(crate) fn member(id: u64) -> Value {
    of_type(6, "member", id.to_string())
}

/// An option of one of Discord's types.
pub(crate) fn of_type(kind: u8, name: &str, value: impl Into<Value>) -> Value {
    json!({"name": name, "type": kind, "value": value.into()})
}

pub(crate) fn text(state: &InteractionState) -> String {
    let reply = state.reply().expect("a reply");
    assert_eq!(
        reply["mentions"].as_array().map_or(0, Vec::len),
        0,
        "nobody is pinged"
    );
    reply["content"].as_str().expect("text").to_owned()
}
