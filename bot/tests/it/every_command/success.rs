//! What each command, entry of a menu and button leads to when it succeeds: requests that change data, and effects on Discord. They are those
//! that are registered, so a new one without a line fails; and each kind of effect follows from a line, or from events.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use discord_simulator::{InteractionRequest, InteractionState};
use eventide::{app::features, config::Config, postgres::Store, settings::Settings};
use serde_json::Value;

use super::{Control, Here, Leaf, Roles, Session, answered, controls, given, leaves, said, submitted};
use crate::support::{asking::here_in, effects::delivered, until};

/// Members who are acted on; each attempt has its own.
const TARGETS: u32 = 250;
/// The rank of the first of them.
const FIRST: u32 = 20;

/// A command, an entry of a menu, or a button.
struct Line {
    what: &'static str,
    /// Those that come before, about the same member.
    before: &'static [&'static str],
    /// The options that are given besides the required ones.
    options: &'static [&'static str],
    /// Whether it changes data, which is a request.
    changes: bool,
    /// The kinds of effects that follow.
    effects: &'static [&'static str],
}

const fn line(what: &'static str) -> Line {
    Line {
        what,
        before: &[],
        options: &[],
        changes: false,
        effects: &[],
    }
}

impl Line {
    const fn after(mut self, before: &'static [&'static str]) -> Self {
        self.before = before;
        self
    }

    const fn with(mut self, options: &'static [&'static str]) -> Self {
        self.options = options;
        self
    }

    const fn leads_to(mut self, effects: &'static [&'static str]) -> Self {
        self.changes = true;
        self.effects = effects;
        self
    }
}

/// Effects that follow from events, timers and failures.
const OTHERWISE: [&str; 3] = ["channel_slowmode_end", "notice", "welcome"];

const ACTION: &[&str] = &["mod_action", "mod_case_log", "mod_message"];
const LOGGED: &[&str] = &["mod_case_log_edit", "mod_log"];

const COMMANDS: &[Line] = &[
    line("ban").leads_to(ACTION),
    line("Ban").leads_to(ACTION),
    line("tempban").leads_to(ACTION),
    line("softban").leads_to(&["mod_action", "mod_case_log", "mod_lift", "mod_message"]),
    line("unban")
        .after(&["ban"])
        .leads_to(&["mod_case_log", "mod_case_log_edit", "mod_lift"]),
    line("kick").leads_to(ACTION),
    line("timeout").leads_to(ACTION),
    line("Timeout").leads_to(ACTION),
    line("untimeout")
        .after(&["timeout"])
        .leads_to(&["mod_case_log", "mod_case_log_edit", "mod_lift"]),
    line("massban").leads_to(&[]),
    line("warn")
        .with(&["points"])
        .leads_to(&["mod_case_log", "punishment", "warned"]),
    line("Warn").leads_to(&["mod_case_log", "warned"]),
    line("warning edit")
        .after(&["warn"])
        .with(&["reason"])
        .leads_to(LOGGED),
    line("warning remove").after(&["warn:points"]).leads_to(LOGGED),
    line("warnings").after(&["warn"]),
    line("case view").after(&["warn"]),
    line("case list").after(&["warn"]),
    line("case edit")
        .after(&["tempban"])
        .with(&["duration"])
        .leads_to(&["mod_case_log_edit", "mod_log", "mod_message"]),
    line("case note").after(&["warn"]).leads_to(LOGGED),
    line("case evidence")
        .after(&["warn"])
        .leads_to(&["mod_case_log_edit", "mod_evidence"]),
    line("case hide").after(&["warn"]).leads_to(LOGGED),
    line("case delete").after(&["warn"]),
    line("history").after(&["warn"]),
    line("History").after(&["warn"]),
    line("modlog"),
    line("report").leads_to(&["report"]),
    line("Report message").leads_to(&["report"]),
    line("lock").leads_to(&["channel_lock", "mod_log"]),
    line("unlock").leads_to(&["channel_unlock", "mod_log"]),
    line("slowmode").leads_to(&["channel_slowmode", "mod_log"]),
    line("role add").leads_to(&["mod_log", "role_change"]),
    line("role remove")
        .after(&["role add"])
        .leads_to(&["mod_log", "role_change"]),
    line("role temp").leads_to(&["mod_log", "role_change"]),
    line("nick")
        .with(&["nickname"])
        .leads_to(&["mod_log", "nick_change"]),
    line("purge").leads_to(&["mod_log", "purge"]),
    line("Purge from here").leads_to(&[]),
    line("scheduled list").after(&["tempban"]),
    line("scheduled change")
        .after(&["tempban"])
        .leads_to(&["mod_case_log_edit", "mod_log", "mod_message"]),
    line("scheduled cancel")
        .after(&["tempban"])
        .leads_to(&["mod_case_log_edit", "mod_log", "mod_message"]),
    line("undo")
        .after(&["warning threshold add"])
        .leads_to(&["mod_log"]),
];

/// Buttons by their IDs without numbers. A line that names commands presses the button below the answer of the first one, after the others.
const BUTTONS: &[Line] = &[
    line("massban:no"),
    line("massban:yes")
        .after(&["massban"])
        .leads_to(&["massban", "mod_log"]),
    line("massban:undo").leads_to(&["mod_lift", "mod_log"]),
    line("warning:lift").leads_to(&["mod_log", "timeout_lift"]),
    line("report:claim").leads_to(&["report"]),
    line("report:dismiss").leads_to(&["report", "report_closed"]),
];

struct Server {
    here: Here,
    session: Session,
    store: Store,
    roles: Roles,
    leaves: BTreeMap<String, Leaf>,
    next: u32,
}

/// What an attempt led to.
#[derive(Debug, PartialEq, Eq)]
struct Led {
    requests: i64,
    effects: BTreeSet<String>,
}

impl Server {
    async fn new() -> Self {
        let here = here_in(1, FIRST + TARGETS + 20, |_| {}).await;
        let session = Session::open(&here.scene.postgres.connection().into()).await;
        let (guild, control) = (here.guild(), here.discord.control());
        let roles = Roles {
            low: control.create_role(guild, "low", 1).expect("a role"),
        };
        assert!(control.set_bot_permissions(guild, 1 << 3) && control.set_bot_position(guild, 50));
        let channels = here.discord.world().guilds()[0].channels();
        let (log, reports) = (channels[1].id, channels[2].id);
        session
            .execute(&format!(
                "CREATE TABLE led_to (kind TEXT NOT NULL);
                 CREATE FUNCTION led_to() RETURNS trigger LANGUAGE plpgsql AS
                 $$BEGIN INSERT INTO led_to VALUES (NEW.kind); RETURN NULL; END$$;
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
            roles,
            leaves,
            next: 0,
        }
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
            (Some(6), _) => given["value"] = target.to_string().into(),
            (_, "case") => given["value"] = case().await.into(),
            (_, "timer") => given["value"] = format!("tempban_end:{}", case().await).into(),
            (_, "users") => given["value"] = target.to_string().into(),
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

    /// Use a command about a member, with its form if it opens one. Returns its last answer, and the member who asked.
    async fn run(&self, name: &str, options: &[&str], target: u64) -> (InteractionState, u64) {
        let leaf = self
            .leaves
            .get(name)
            .unwrap_or_else(|| panic!("no command {name}"));
        if leaf.command == "purge" {
            let control = self.here.discord.control();
            let written = control.write_message(self.here.channel(), target, "hello", &Value::Null);
            assert!(written.is_some());
        }
        let mut values = Vec::new();
        for option in &leaf.options {
            let optional = option["name"].as_str().expect("a name");
            if option["required"] == true || options.contains(&optional) {
                values.push(self.value(leaf, option, target).await);
            }
        }
        let mut request = leaf.ask(&self.here, values);
        if leaf.kind == 2 {
            request.data["target_id"] = target.to_string().into();
        }
        if leaf.kind == 3 {
            let control = self.here.discord.control();
            let id = control.write_message(self.here.channel(), target, "rude", &Value::Null);
            request.data["target_id"] = id.expect("written").to_string().into();
        }
        self.answer(&request).await
    }

    async fn answer(&self, request: &InteractionRequest) -> (InteractionState, u64) {
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
        let id = state.id;
        until(&format!("{} is over", request.data), async || {
            let state = control.interaction(id)?;
            let text = state.reply()?["content"].as_str().unwrap_or_default();
            (!text.ends_with('…')).then_some(())
        })
        .await;
        delivered(&self.store).await;
        (control.interaction(id).expect("known"), request.user_id)
    }

    /// The same for one that comes before another: `command:option`.
    async fn before(&self, written: &str, target: u64) {
        let (name, option) = written.split_once(':').unwrap_or((written, ""));
        self.run(name, &[option], target).await;
    }

    /// The member whom the next attempt is about.
    fn target(&mut self) -> u64 {
        let target = self.here.member(FIRST + self.next % TARGETS);
        self.next += 1;
        let control = self.here.discord.control();
        assert!(control.set_member_roles(self.here.guild(), target, &[]));
        target
    }

    async fn begin(&self) -> i64 {
        self.session.execute("DELETE FROM led_to").await;
        self.number("SELECT count(*) FROM request").await
    }

    async fn led_to(&self, before: i64) -> Led {
        let rows = self
            .session
            .client
            .query("SELECT DISTINCT kind FROM led_to", &[])
            .await;
        Led {
            requests: self.number("SELECT count(*) FROM request").await - before,
            effects: rows.expect("read").iter().map(|row| row.get(0)).collect(),
        }
    }
}

impl Leaf {
    fn name(&self) -> String {
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

/// Write down a difference to what a line says.
fn compare(differences: &mut String, line: Option<&Line>, what: &str, led: &Led, said: &str) {
    let expected = line.map(|line| {
        (
            line.changes,
            line.effects.iter().copied().collect::<BTreeSet<_>>(),
        )
    });
    let effects: BTreeSet<&str> = led.effects.iter().map(String::as_str).collect();
    if expected != Some((led.requests > 0, effects)) {
        writeln!(differences, "{what}: {led:?}: {said}").expect("a String takes everything");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_leads_to_what_it_is_for() {
    let mut server = Server::new().await;
    let mut differences = String::new();
    let mut found: BTreeMap<String, Control> = BTreeMap::new();
    let names: BTreeSet<&str> = COMMANDS.iter().map(|line| line.what).collect();
    let unknown: Vec<String> = server
        .leaves
        .keys()
        .filter(|name| !names.contains(name.as_str()))
        .cloned()
        .collect();
    for name in &unknown {
        let target = server.target();
        let before = server.begin().await;
        let (state, asker) = server.run(name, &[], target).await;
        let led = server.led_to(before).await;
        compare(&mut differences, None, name, &led, &said(&state));
        found.extend(
            controls(&state, asker)
                .into_iter()
                .map(|control| (key(&control), control)),
        );
    }
    for line in COMMANDS {
        let target = server.target();
        for before in line.before {
            server.before(before, target).await;
        }
        let before = server.begin().await;
        let (state, asker) = server.run(line.what, line.options, target).await;
        let led = server.led_to(before).await;
        compare(&mut differences, Some(line), line.what, &led, &said(&state));
        found.extend(
            controls(&state, asker)
                .into_iter()
                .map(|control| (key(&control), control)),
        );
    }
    // Those of the bot's own messages.
    for message in server.here.discord.control().bot_messages() {
        let state = InteractionState {
            callback: Some(Value::Null),
            original: Some(message),
            ..InteractionState::default()
        };
        let asker = server.here.next_member();
        found.extend(
            controls(&state, asker)
                .into_iter()
                .map(|control| (key(&control), control)),
        );
    }
    for line in BUTTONS {
        let target = server.target();
        if let [command, others @ ..] = line.before {
            for before in others {
                server.before(before, target).await;
            }
            let (state, asker) = server.run(command, line.options, target).await;
            found.extend(
                controls(&state, asker)
                    .into_iter()
                    .map(|control| (key(&control), control)),
            );
        }
        let Some(control) = found.get(line.what).cloned() else {
            writeln!(differences, "no button {}", line.what).expect("a String takes everything");
            continue;
        };
        let before = server.begin().await;
        let (state, asker) = server.answer(&control.press(&server.here, server.roles)).await;
        let led = server.led_to(before).await;
        compare(&mut differences, Some(line), line.what, &led, &said(&state));
        found.extend(
            controls(&state, asker)
                .into_iter()
                .map(|control| (key(&control), control)),
        );
    }
    let named: BTreeSet<&str> = BUTTONS.iter().map(|line| line.what).collect();
    let unknown = found.keys().filter(|name| !named.contains(name.as_str()));
    differences.extend(unknown.map(|name| format!("no line for the button {name}\n")));
    let registered = names.iter().filter(|name| !server.leaves.contains_key(**name));
    differences.extend(registered.map(|name| format!("{name} is not registered\n")));
    let all = COMMANDS.iter().chain(BUTTONS).flat_map(|line| line.effects);
    let led: BTreeSet<&str> = all.copied().chain(OTHERWISE).collect();
    let kinds = features::effect_kinds(&Settings::new(&Config::defaults().levels));
    let missing = kinds.names().filter(|kind| !led.contains(kind));
    differences.extend(missing.map(|kind| format!("nothing leads to the effect {kind}\n")));
    assert!(differences.is_empty(), "{differences}");
    server.session.close().await;
    server.store.close();
    server.here.end().await;
}
