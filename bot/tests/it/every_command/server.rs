//! A server in which every command can succeed, and what an attempt at one led to.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::atomic::{AtomicU32, Ordering},
};

use discord_simulator::{InteractionRequest, InteractionState};
use eventide::{config::Config, postgres::Store};
use serde_json::Value;

use super::{
    asked::{Control, Leaf, Roles, answered, controls, given, leaves, submitted},
    lines::Line,
};
use crate::support::{
    asking::{Here, here_in},
    effects::delivered,
    session::Session,
    until,
};

/// The ranks of those who ask, each of whom may use a command five times in ten seconds.
const MODERATORS: Range<u32> = 10..40;
/// The rank of the first member who is acted on; each attempt has its own.
const FIRST: u32 = MODERATORS.end;
const TARGETS: u32 = 900;

/// The controls that were shown, by their IDs without numbers.
pub(super) type Found = BTreeMap<String, Control>;

pub(super) struct Server {
    pub(super) here: Here,
    pub(super) session: Session,
    pub(super) store: Store,
    pub(super) leaves: BTreeMap<String, Leaf>,
    roles: Roles,
    asked: AtomicU32,
    acted_on: u32,
}

/// What an attempt led to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Led {
    pub(super) requests: i64,
    pub(super) effects: BTreeSet<String>,
}

impl Server {
    pub(super) async fn new(configure: impl FnOnce(&mut Config)) -> Self {
        let here = here_in(1, FIRST + TARGETS, configure).await;
        let session = Session::open(&here.scene.postgres.connection().into()).await;
        let (guild, control) = (here.guild(), here.discord.control());
        let roles = Roles {
            low: control.create_role(guild, "low", 1).expect("a role"),
        };
        assert!(control.set_bot_permissions(guild, 1 << 3) && control.set_bot_position(guild, 50));
        for rank in MODERATORS {
            assert!(control.set_member_roles(guild, here.member(rank), &[here.managing_role]));
        }
        let channels = here.discord.world().guilds()[0].channels();
        let (log, reports) = (channels[1].id, channels[2].id);
        session
            .execute(&format!(
                "CREATE TABLE led_to (kind TEXT NOT NULL, by_transaction BIGINT NOT NULL, is_past BOOLEAN NOT NULL DEFAULT false);
                 CREATE FUNCTION led_to() RETURNS trigger LANGUAGE plpgsql AS
                 $$BEGIN INSERT INTO led_to (kind, by_transaction) VALUES (NEW.kind, txid_current()); RETURN NULL; END$$;
                 CREATE TRIGGER led_to AFTER INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION led_to();
                 INSERT INTO guild_settings (guild_id, log_channel_id, announce) VALUES ({guild}, {log}, 'same_channel');
                 INSERT INTO guild_section (guild_id, section, settings)
                 VALUES ({guild}, 'moderation', '{{\"reports\": {reports}, \"report_replies\": true}}');
                 INSERT INTO level_role (guild_id, role_id, level) VALUES ({guild}, {}, 1);
                 INSERT INTO warning_threshold (guild_id, points, action, duration_seconds) VALUES ({guild}, 50, 'timeout', 3600)",
                roles.low
            ))
            .await;
        let store = here.scene.store();
        let leaves = leaves(&here)
            .into_iter()
            .map(|leaf| (leaf.name(), leaf))
            .collect();
        Self {
            here,
            session,
            store,
            leaves,
            roles,
            asked: AtomicU32::new(0),
            acted_on: 0,
        }
    }

    /// One after the other.
    pub(super) fn moderator(&self) -> u64 {
        let next = self.asked.fetch_add(1, Ordering::Relaxed);
        self.here
            .member(MODERATORS.start + next % (MODERATORS.end - MODERATORS.start))
    }

    async fn number(&self, sql: &str) -> i64 {
        self.session.client.query_one(sql, &[]).await.expect(sql).get(0)
    }

    /// An option with a value that is useful for this command.
    async fn value(&self, leaf: &Leaf, option: &Value, target: u64) -> Value {
        let mut given = given(&self.here, self.roles, option);
        let name = option["name"].as_str().expect("a name");
        let case = async || {
            let sql = format!("SELECT coalesce(max(case_id), 0) FROM mod_case WHERE user_id = {target}");
            self.number(&sql).await
        };
        match (option["type"].as_u64(), name) {
            (Some(6), _) | (_, "users") => given["value"] = target.to_string().into(),
            (_, "case") => given["value"] = case().await.into(),
            (_, "timer") => given["value"] = format!("tempban_end:{}", case().await).into(),
            (_, "amount") => given["value"] = 1_000.into(),
            (_, "change") => {
                let newest = self.number("SELECT max(request_id) FROM request").await;
                given["value"] = newest.to_string().into();
            }
            (_, "points") if leaf.command == "warn" => given["value"] = 50.into(),
            (_, "duration") if leaf.command == "slowmode" => given["value"] = "30s".into(),
            _ => {}
        }
        given
    }

    /// The use of a command about a member, with what it needs on Discord.
    pub(super) async fn request(&self, name: &str, options: &[&str], target: u64) -> InteractionRequest {
        let leaf = self.leaves.get(name).expect(name);
        let control = self.here.discord.control();
        let write = |text: &str| {
            let written = control.write_message(self.here.channel(), target, text, &Value::Null);
            written.expect("written")
        };
        if leaf.command == "purge" {
            write("hello");
        }
        let mut values = Vec::new();
        for option in &leaf.options {
            let optional = option["name"].as_str().expect("a name");
            if option["required"] == true || options.contains(&optional) {
                values.push(self.value(leaf, option, target).await);
            }
        }
        let mut request = leaf.question(&self.here, values);
        request.user_id = self.moderator();
        match leaf.kind {
            2 => request.data["target_id"] = target.to_string().into(),
            3 => request.data["target_id"] = write("rude").to_string().into(),
            _ => {}
        }
        request
    }

    /// Ask, fill in the form if there is one, and wait for the end of work that goes on after the first answer.
    pub(super) async fn asked(&self, request: &InteractionRequest) -> InteractionState {
        let mut state = answered(&self.here, request).await;
        let callback = state.callback.clone().expect("an answer");
        if callback["type"] == 9 {
            let form = submitted(
                &self.here,
                request.user_id,
                (&callback["data"], request.message.as_ref()),
            );
            state = answered(&self.here, &form).await;
        }
        let control = self.here.discord.control();
        until(&format!("{} is over", request.data), async || {
            let state = control.interaction(state.id)?;
            let text = state.reply()?["content"].as_str().unwrap_or_default();
            (!text.ends_with('…')).then_some(())
        })
        .await;
        control.interaction(state.id).expect("known")
    }

    /// Ask, and wait until everything that follows is done.
    pub(super) async fn answer(&self, request: &InteractionRequest) -> InteractionState {
        let state = self.asked(request).await;
        delivered(&self.store).await;
        self.here.discord.control().interaction(state.id).expect("known")
    }

    /// What a line asks for, about a member of its own, after all that comes before. `None` if the button is not there, not even among those
    /// that are `known`.
    pub(super) async fn ready(&mut self, line: &Line<'_>, known: &Found) -> Option<InteractionRequest> {
        let (target, found) = self.prepared(line).await;
        if self.leaves.contains_key(line.what) {
            return Some(self.request(line.what, line.options, target).await);
        }
        let control = found.get(line.what).or_else(|| known.get(line.what))?;
        Some(control.press(&self.here, self.roles))
    }

    /// A member about whom everything was asked that comes before a line, and the controls that were shown.
    pub(super) async fn prepared(&mut self, line: &Line<'_>) -> (u64, Found) {
        let (target, mut found) = (self.target(), Found::new());
        for step in line.before {
            let request = if let Some(control) = found.get(*step) {
                control.press(&self.here, self.roles)
            } else {
                let (name, option) = step.split_once(':').unwrap_or((step, ""));
                self.request(name, &[option], target).await
            };
            let state = self.answer(&request).await;
            found.extend(self.shown(&state, request.user_id));
        }
        (target, found)
    }

    /// The controls of an answer, and those below the bot's own messages.
    pub(super) fn shown(&self, state: &InteractionState, asker: u64) -> Found {
        let (messages, presser) = (self.here.discord.control().bot_messages(), self.moderator());
        let own = messages.into_iter().flat_map(|message| {
            let state = InteractionState {
                callback: Some(Value::Null),
                original: Some(message),
                ..InteractionState::default()
            };
            controls(&state, presser)
        });
        own.chain(controls(state, asker))
            .map(|control| (key(&control), control))
            .collect()
    }

    /// The member whom the next attempt is about.
    fn target(&mut self) -> u64 {
        let target = self.here.member(FIRST + self.acted_on);
        self.acted_on += 1;
        let control = self.here.discord.control();
        assert!(control.set_member_roles(self.here.guild(), target, &[]));
        target
    }

    pub(super) async fn begin(&self) -> i64 {
        self.session.execute("UPDATE led_to SET is_past = true").await;
        self.number("SELECT count(*) FROM request").await
    }

    /// The kinds of effects that were added in the transaction of an interaction; `None` if it changed nothing.
    pub(super) async fn added_by(&self, interaction: u64) -> Option<BTreeSet<String>> {
        let sql = "SELECT coalesce(array_agg(DISTINCT kind) FILTER (WHERE kind IS NOT NULL), '{}')
                   FROM request AS r LEFT JOIN led_to ON by_transaction = r.xmin::text::int8
                   WHERE request_id = $1 GROUP BY request_id";
        let rows = self
            .session
            .client
            .query(sql, &[&interaction.cast_signed()])
            .await;
        let rows = rows.expect("read");
        rows.first()
            .map(|row| row.get::<_, Vec<String>>(0).into_iter().collect())
    }

    pub(super) async fn led_to(&self, before: i64) -> Led {
        let rows = self
            .session
            .client
            .query("SELECT DISTINCT kind FROM led_to WHERE NOT is_past", &[])
            .await;
        Led {
            requests: self.number("SELECT count(*) FROM request").await - before,
            effects: rows.expect("read").iter().map(|row| row.get(0)).collect(),
        }
    }

    /// The number of effects of a kind that were ever added.
    pub(super) async fn added(&self, kind: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM led_to WHERE kind = '{kind}'"))
            .await
    }

    pub(super) async fn end(self) {
        self.session.close().await;
        self.store.close();
        self.here.end().await;
    }
}

impl Leaf {
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.command, self.path).trim().to_owned()
    }
}

/// The ID of a control without numbers.
fn key(control: &Control) -> String {
    let id = control.definition["custom_id"].as_str().expect("an ID");
    let words = id
        .split(':')
        .filter(|part| !part.chars().all(|c| c.is_ascii_digit()));
    words.collect::<Vec<_>>().join(":")
}
