//! A server with moderators, and a bot that has the permissions for everything.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use discord_simulator::{Control, InteractionRequest, InteractionState, RestFault, RestFaultKind};
use eventide::config::Config;
use serde_json::{Value, json};

use crate::support::{
    PATIENCE,
    asking::{Here, here_with, text},
    bot::start,
    effects::delivered,
    session::Session,
    until,
};

pub(super) const MANAGE_CHANNELS: u64 = 1 << 4;
pub(super) const VIEW_CHANNEL: u64 = 1 << 10;
pub(super) const SEND_MESSAGES: u64 = 1 << 11;
pub(super) const MANAGE_MESSAGES: u64 = 1 << 13;
pub(super) const READ_HISTORY: u64 = 1 << 16;
pub(super) const CONNECT: u64 = 1 << 20;
pub(super) const MANAGE_NICKNAMES: u64 = 1 << 27;
pub(super) const MANAGE_ROLES: u64 = 1 << 28;
/// Create public and private threads, and send messages in them.
pub(super) const THREADS: u64 = 1 << 35 | 1 << 36 | 1 << 38;

/// What a lock of a text channel takes.
pub(super) const WRITING: u64 = SEND_MESSAGES | THREADS;
/// What the bot has.
pub(super) const BOT_MAY: u64 = MANAGE_CHANNELS
    | VIEW_CHANNEL
    | MANAGE_MESSAGES
    | READ_HISTORY
    | CONNECT
    | MANAGE_NICKNAMES
    | MANAGE_ROLES
    | WRITING;
/// What moderators have.
pub(super) const MODERATORS_MAY: u64 =
    MANAGE_CHANNELS | MANAGE_MESSAGES | READ_HISTORY | MANAGE_NICKNAMES | MANAGE_ROLES;

/// Members who have the moderators' role: those of the ranks from 1 on. Each may use a command five times in ten seconds.
const MODERATORS: u32 = 25;
/// The position of the moderators' role.
pub(super) const RANK: u32 = 30;

pub(super) struct Stage {
    pub(super) here: Here,
    pub(super) session: Session,
    /// The moderators' role.
    pub(super) role: u64,
    /// The log channel.
    pub(super) log: u64,
    next: AtomicU32,
}

impl Stage {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(configure: impl FnOnce(&mut Config)) -> Self {
        let here = here_with(|config| {
            // The effects of a process that is gone are taken over soon.
            config.fleet.lease = Duration::from_secs(2);
            config.effects.lease = Duration::from_secs(5);
            configure(config);
        })
        .await;
        let session = Session::open(&here.scene.postgres.connection().into()).await;
        let (guild, control) = (here.guild(), here.discord.control());
        assert!(control.set_bot_permissions(guild, BOT_MAY));
        assert!(control.set_bot_position(guild, 50));
        let role = control.create_role(guild, "moderators", RANK).expect("a role");
        assert!(control.set_role_permissions(guild, role, MODERATORS_MAY));
        for rank in 0..40 {
            let roles = if (1..=MODERATORS).contains(&rank) {
                vec![role]
            } else {
                Vec::new()
            };
            assert!(control.set_member_roles(guild, here.member(rank), &roles));
        }
        let log = here.discord.world().guilds()[0].channels()[3].id;
        let stage = Self {
            here,
            session,
            role,
            log,
            next: AtomicU32::new(0),
        };
        stage
            .session
            .execute(&format!(
                "INSERT INTO guild_settings (guild_id, log_channel_id) VALUES ({guild}, {log})"
            ))
            .await;
        stage
    }

    pub(super) fn control(&self) -> Control {
        self.here.discord.control()
    }

    /// The server's text channel of this index.
    pub(super) fn channel(&self, index: usize) -> u64 {
        self.here.discord.world().guilds()[0].channels()[index].id
    }

    /// The member of a rank. 0 owns the server, 1 to 25 moderate, from 26 to 39 they have no role.
    pub(super) fn user(&self, rank: u32) -> u64 {
        self.here.member(rank)
    }

    /// What is asked from now on is not too old after a restart, however long that takes.
    pub(super) fn ask_later(&self) {
        self.control().advance_time(Duration::from_hours(1));
    }

    /// Send the interactions once more, and see that each is refused as answered.
    pub(super) async fn replay(&self, interactions: impl IntoIterator<Item = u64>) {
        let control = self.control();
        for id in interactions {
            assert!(control.interact_again(id));
            // A process whose session began before the interaction has handled it once more already, and ignores this one.
            until("the replay is over", async || {
                let now = control.interaction(id).expect("known");
                (now.refused_callbacks > 0).then_some(())
            })
            .await;
        }
        self.delivered().await;
    }

    /// A command by one moderator after the other.
    pub(super) fn request(&self, command: &str, options: Value) -> InteractionRequest {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        self.request_by(self.user(1 + next % MODERATORS), command, options)
    }

    pub(super) fn request_by(&self, user: u64, command: &str, options: Value) -> InteractionRequest {
        let (name, sub) = command.split_once(' ').unwrap_or((command, ""));
        let options = if sub.is_empty() {
            options
        } else {
            json!([{"name": sub, "type": 1, "options": options}])
        };
        InteractionRequest {
            member_permissions: Some(MODERATORS_MAY.to_string()),
            ..InteractionRequest::command(self.here.guild(), user, name, &options)
        }
    }

    /// Use a command, and wait for its last word.
    pub(super) async fn asked(&self, command: &str, options: Value) -> String {
        text(&self.done(&self.request(command, options)).await)
    }

    /// Ask, and wait until the answer no longer says that it goes on.
    pub(super) async fn done(&self, request: &InteractionRequest) -> InteractionState {
        let id = self.control().interact(request).expect("asked");
        self.last_word(id).await
    }

    pub(super) async fn last_word(&self, id: u64) -> InteractionState {
        let is_over = |state: &InteractionState| {
            let content = state.reply().and_then(|reply| reply["content"].as_str());
            content.is_some_and(|content| !content.ends_with('…'))
        };
        let state = self.control().wait_interaction(id, is_over, PATIENCE).await;
        state.expect("it ends")
    }

    /// Wait until nothing waits to be delivered.
    pub(super) async fn delivered(&self) {
        let store = self.here.scene.store();
        delivered(&store).await;
        store.close();
    }

    /// The first entry of the log with these words.
    pub(super) async fn logged(&self, words: &str) -> String {
        until(words, async || self.in_log(words).into_iter().next()).await
    }

    pub(super) fn in_log(&self, words: &str) -> Vec<String> {
        let messages = self.control().bot_messages();
        let id = self.log.to_string();
        let there = messages
            .iter()
            .filter(|message| message["channel_id"].as_str() == Some(&id));
        there
            .filter_map(|message| message["content"].as_str())
            .filter(|content| content.contains(words))
            .map(str::to_owned)
            .collect()
    }

    pub(super) async fn number(&self, sql: &str) -> i64 {
        self.session.client.query_one(sql, &[]).await.expect(sql).get(0)
    }

    /// How often a route was called.
    pub(super) fn calls(&self, route: &str) -> usize {
        self.control().rest_calls(route).len()
    }

    pub(super) fn fault(&self, route: &str, count: Option<u64>, kind: RestFaultKind) {
        self.control().add_fault(RestFault {
            route: route.to_owned(),
            count,
            delay_ms: 0,
            kind,
        });
    }

    /// Make every timer of a kind due, and wait until it has fired.
    pub(super) async fn fire(&self, kind: &str) {
        self.session.make_due(kind).await;
        until("the timer has fired", async || {
            let sql = format!("SELECT count(*) FROM timer WHERE kind = '{kind}'");
            (self.number(&sql).await == 0).then_some(())
        })
        .await;
        self.delivered().await;
    }

    /// Another process in place of the bot's, which is gone without a word.
    pub(super) async fn killed(mut self) -> Self {
        self.session.has_a_checkpoint().await;
        let Here {
            scene,
            discord,
            config,
            bot,
            managers,
            managing_role,
        } = self.here;
        let resumes = discord.control().stats().resumes;
        drop(bot);
        let bot = start(&config, scene.postgres.connection()).await;
        until("the session is resumed", async || {
            (discord.control().stats().resumes > resumes).then_some(())
        })
        .await;
        self.here = Here {
            scene,
            discord,
            config,
            bot,
            managers,
            managing_role,
        };
        self
    }

    pub(super) async fn end(self) {
        self.session.close().await;
        self.here.end().await;
    }
}

/// An option of one of Discord's types.
pub(super) fn of_type(kind: u8, name: &str, value: impl Into<Value>) -> Value {
    json!({"name": name, "type": kind, "value": value.into()})
}

pub(super) fn in_channel(id: u64) -> Value {
    of_type(7, "channel", id.to_string())
}
