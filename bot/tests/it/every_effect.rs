//! Every kind of effect against a Discord that refuses, limits or fails: it ends as it should, and happens once. The kinds are those of the
//! manifests, so a new one without a case fails.

mod cases;
mod others;

use std::{cell::RefCell, collections::BTreeSet};

use discord_simulator::{
    InteractionRequest, InteractionState, LimitScope, RestCall, RestFault, RestFaultKind,
};
use eventide::{
    app::features,
    config::{Announce, Config},
    outbox::queue::{self, NewEffect},
    settings::{Settings, Template},
};
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use twilight_model::id::Id;

use crate::support::{
    effects::TEMPLATE,
    moderators::{Stage, of_type},
    until,
};

const ADMINISTRATOR: u64 = 1 << 3;
/// The rank of the first member who is acted on: they have no roles.
const FIRST: u32 = 27;
/// The channels of the log, of reports, and of locks.
const LOG: usize = 0;
const REPORTS: usize = 1;
const CHANNEL: usize = 2;
/// The bot writes nothing for some minutes in a channel that has refused an announcement, so each attempt has its own.
const ELSEWHERE: [usize; 2] = [CHANNEL, 3];

/// A kind of effect.
struct Case {
    kind: &'static str,
    /// The request that carries it out, as method and path; `*` stands for the rest.
    route: fn(&Try<'_>) -> String,
    /// What has to be so before.
    before: Step,
    /// What leads to the effect.
    cause: Step,
    /// How often it is seen on Discord.
    seen: fn(&Try<'_>) -> usize,
    /// How it ends if Discord refuses it with this status and code.
    refused: &'static [(u16, u64, End)],
}

type Step = for<'t> fn(&'t Try<'t>) -> LocalBoxFuture<'t, ()>;

/// The end of an effect that Discord refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It is abandoned, and an entry of the log channel has these words.
    Told(&'static str),
    /// It is abandoned; there is nobody to tell.
    Abandoned,
    /// Nothing is left to be done.
    Over,
    /// It waits until it is possible.
    Waits,
}

/// One attempt at a case, with a member of its own.
struct Try<'a> {
    stage: &'a Stage,
    /// Its number among the attempts at the case.
    number: usize,
    user: u64,
    /// The role that is given.
    role: u64,
    /// What the member has written.
    written: RefCell<Vec<u64>>,
}

impl Try<'_> {
    fn guild(&self) -> u64 {
        self.stage.guild()
    }

    fn channel(&self, index: usize) -> u64 {
        self.stage.discord.world().guilds()[0].channels()[index].id
    }

    /// Where this attempt is announced.
    fn elsewhere(&self) -> u64 {
        self.channel(ELSEWHERE[self.number])
    }

    /// The channel of direct messages to the member.
    fn direct(&self) -> u64 {
        self.stage.control().direct_channel(self.user).expect("a channel")
    }

    /// Use a command such as `case note`, by a moderator with every permission, and wait for the first answer.
    async fn command(&self, name: &str, options: Value) -> InteractionState {
        self.command_by(self.stage.moderator(), name, options).await
    }

    async fn command_by(&self, user: u64, name: &str, options: Value) -> InteractionState {
        self.stage.ask(&self.request(user, name, options)).await
    }

    fn request(&self, user: u64, name: &str, options: Value) -> InteractionRequest {
        let mut words = name.split(' ');
        let name = words.next().expect("a name");
        let mut nested = options;
        for (depth, word) in words.rev().enumerate() {
            let kind = if depth == 0 { 1 } else { 2 };
            nested = json!([{"name": word, "type": kind, "options": nested}]);
        }
        InteractionRequest {
            member_permissions: Some(ADMINISTRATOR.to_string()),
            ..InteractionRequest::command(self.guild(), user, name, &nested)
        }
    }

    /// Press a button below a message.
    async fn press(&self, user: u64, message: &Value, button: usize) {
        let id = message["components"][0]["components"][button]["custom_id"].as_str();
        let id = id.expect("a button");
        let request = InteractionRequest {
            member_permissions: Some(ADMINISTRATOR.to_string()),
            ..InteractionRequest::component(self.guild(), user, id, &[], message.clone())
        };
        self.stage.ask(&request).await;
    }

    /// The member as an option.
    fn member(&self, name: &str) -> Value {
        of_type(6, name, self.user.to_string())
    }

    /// The bot's messages in a channel that have all of these words.
    fn messages(&self, channel: u64, words: &[&str]) -> Vec<Value> {
        let channel = channel.to_string();
        let has = |message: &Value| {
            let text = text(message);
            message["channel_id"] == *channel && words.iter().all(|word| text.contains(word))
        };
        self.stage
            .control()
            .bot_messages()
            .into_iter()
            .filter(has)
            .collect()
    }

    /// The number of messages in a channel that mention the member and have these words.
    fn about(&self, channel: u64, words: &str) -> usize {
        self.messages(channel, &[words, &self.user.to_string()]).len()
    }

    /// The newest case about the member.
    async fn case(&self) -> i64 {
        let user = self.user;
        let sql = format!("SELECT coalesce(max(case_id), 0) FROM mod_case WHERE user_id = {user}");
        self.stage.number(&sql).await
    }

    /// Add an effect about the member directly, as events do.
    async fn add(&self, kind: &'static str, channel: Option<u64>, body: Value) {
        let effect = NewEffect {
            guild_id: Id::new(self.guild()),
            lane_id: channel.unwrap_or(self.user).cast_signed(),
            kind,
            channel_id: channel.map(Id::new),
            user_id: Some(Id::new(self.user)),
            body: body.to_string(),
        };
        let store = self.stage.scene.store();
        let added = store.transaction("test", move |tx| {
            let effect = effect.clone();
            Box::pin(async move { queue::add(tx, &[effect]).await })
        });
        added.await.expect("added");
        store.close();
    }

    /// The requests of a case since this one.
    fn calls(&self, case: &Case, since: u64) -> Vec<RestCall> {
        let route = (case.route)(self);
        let is_meant = |call: &RestCall| {
            let path = call.path.trim_start_matches("/api/v10");
            let path = path.split('?').next().unwrap_or_default();
            let name = format!("{} {path}", call.method);
            match route.strip_suffix('*') {
                Some(start) => name.starts_with(start),
                None => name == route,
            }
        };
        let calls = self.stage.control().rest_calls_after(since).into_iter();
        calls.filter(is_meant).collect()
    }
}

fn all() -> impl Iterator<Item = &'static Case> {
    let first = others::WELCOMES.iter();
    first.chain(cases::CASES).chain(others::CASES)
}

/// A server in which everything is possible, and something follows from everything.
async fn stage() -> Stage {
    let configure = |config: &mut Config| {
        config.levels.announce = Announce::SameChannel;
        config.levels.announce_template = Template::parse(TEMPLATE).expect("a template");
    };
    let stage = Stage::with(configure).await;
    let (guild, control) = (stage.guild(), stage.control());
    assert!(control.set_bot_permissions(guild, ADMINISTRATOR) && control.set_bot_position(guild, 50));
    assert!(control.set_role_permissions(guild, stage.role, ADMINISTRATOR));
    assert!(control.set_role_position(guild, stage.role, 30));
    let reward = control.create_role(guild, "reward", 1).expect("a role");
    stage
        .execute(&format!(
            "INSERT INTO level_role (guild_id, role_id, level) VALUES ({guild}, {reward}, 1)"
        ))
        .await;
    stage.log_to(LOG).await;
    let reports = stage.discord.world().guilds()[0].channels()[REPORTS].id;
    stage.set("reports", &format!("<#{reports}>")).await;
    stage.set("report_replies", "on").await;
    let threshold = json!([
        of_type(4, "points", 50),
        of_type(3, "action", "timeout"),
        of_type(3, "duration", "1h")
    ]);
    let it = Try {
        stage: &stage,
        number: 0,
        user: stage.user(FIRST),
        role: reward,
        written: RefCell::default(),
    };
    it.command("warning threshold add", threshold).await;
    stage.delivered().await;
    stage
}

/// Try each case with each of its faults. A fault has the number of requests that it affects, and the end of an effect that is not carried
/// out. `check` gets the statuses that Discord answered.
async fn with_each_case(
    faults: impl Fn(&Case) -> Vec<(RestFaultKind, u64, Option<End>)>,
    check: impl Fn(&Case, &Try<'_>, &[u16]),
) {
    let stage = stage().await;
    let (guild, control) = (stage.guild(), stage.control());
    let role = control.create_role(guild, "given", 1).expect("a role");
    let mut ranks = FIRST + 1..;
    for case in all() {
        for (number, (kind, count, end)) in faults(case).into_iter().enumerate() {
            let user = stage.user(ranks.next().expect("endless"));
            assert!(control.set_member_roles(guild, user, &[]));
            let written = RefCell::default();
            let it = Try {
                stage: &stage,
                number,
                user,
                role,
                written,
            };
            (case.before)(&it).await;
            stage.delivered().await;
            let log = it.messages(it.channel(LOG), &[]);
            let since = control.newest_rest_call();
            control.add_fault(RestFault {
                route: (case.route)(&it),
                count: Some(count),
                delay_ms: 0,
                kind: kind.clone(),
            });
            (case.cause)(&it).await;
            let what = format!("{} about {user} with {kind:?}", case.kind);
            ended(case, &it, end, (&what, since)).await;
            if let Some(End::Told(words)) = end {
                let told = |message: &Value| !log.contains(message) && text(message).contains(words);
                until(&format!("the log says {words:?}: {what}"), async || {
                    let entries = it.messages(it.channel(LOG), &[]);
                    entries.iter().any(told).then_some(())
                })
                .await;
            }
            let calls = it.calls(case, since);
            let statuses: Vec<u16> = calls.iter().map(|call| call.status).collect();
            assert_eq!(
                (case.seen)(&it),
                usize::from(end.is_none()),
                "{what}: {statuses:?}"
            );
            check(case, &it, &statuses);
            control.clear_faults();
            // What a refusal leaves in the channel is of no concern to the next one.
            stage
                .execute("DELETE FROM outbox; DELETE FROM channel_lock; DELETE FROM channel_slowmode; DELETE FROM timer WHERE guild_id <> 0")
                .await;
            let channel = it.channel(CHANNEL);
            control.remove_overwrite(channel, guild);
            control.set_slowmode(channel, 0);
        }
    }
    stage.end().await;
}

/// Wait for the end of an effect; `None` if it is carried out.
async fn ended(case: &Case, it: &Try<'_>, end: Option<End>, (what, since): (&str, u64)) {
    let stage = it.stage;
    until(&format!("Discord was asked: {what}"), async || {
        it.calls(case, since)
            .iter()
            .any(|call| call.status > 0)
            .then_some(())
    })
    .await;
    let rows = |what: &str| {
        format!(
            "SELECT count(*) FROM outbox WHERE kind = '{}' AND {what}",
            case.kind
        )
    };
    if end == Some(End::Waits) {
        // In a lane of its own, where it holds up nothing.
        let aside = rows("failed_at IS NULL AND lane_id < 0");
        until(what, async || (stage.number(&aside).await == 1).then_some(())).await;
        return;
    }
    stage.delivered().await;
    let failed = stage.number(&rows("failed_at IS NOT NULL")).await;
    let abandoned = matches!(end, Some(End::Told(_) | End::Abandoned));
    assert_eq!(failed, i64::from(abandoned), "{what}");
}

fn text(message: &Value) -> &str {
    message["content"].as_str().unwrap_or_default()
}

#[test]
fn every_kind_has_a_case() {
    let kinds = features::effect_kinds(&Settings::new(&Config::defaults().levels));
    let kinds: BTreeSet<&str> = kinds.names().collect();
    let cases: BTreeSet<&str> = all().map(|case| case.kind).collect();
    assert_eq!(kinds, cases);
    assert_eq!(cases.len(), all().count(), "each once");
    // Missing permissions, and something that is gone.
    for case in all() {
        let statuses: BTreeSet<u16> = case.refused.iter().map(|(status, ..)| *status).collect();
        assert!(statuses.contains(&403), "{}", case.kind);
        assert!(statuses.contains(&404), "{}", case.kind);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_ends_and_is_not_repeated() {
    let refusals = |case: &Case| {
        let refused = case.refused.iter();
        let refused =
            refused.map(|&(status, code, end)| (RestFaultKind::Refused { status, code }, 1, Some(end)));
        refused.collect()
    };
    Box::pin(with_each_case(refusals, |case, it, statuses| {
        let refused = statuses.iter().filter(|status| **status >= 400).count();
        assert_eq!(refused, 1, "{} about {}: {statuses:?}", case.kind, it.user);
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_limited_waits_and_happens_once() {
    let limits = |_: &Case| {
        let limit = RestFaultKind::RateLimit {
            scope: LimitScope::User,
            retry_after: 0.2,
        };
        vec![(limit, 1, None)]
    };
    Box::pin(with_each_case(limits, |case, _, statuses| {
        assert!(
            matches!(statuses, [429, 200..=299]),
            "{}: {statuses:?}",
            case.kind
        );
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_is_tried_again_and_happens_once() {
    let failures = |_: &Case| vec![(RestFaultKind::Status(502), 2, None)];
    Box::pin(with_each_case(failures, |case, _, statuses| {
        assert!(
            matches!(statuses, [502, 502, 200..=299]),
            "{}: {statuses:?}",
            case.kind
        );
    }))
    .await;
}

/// Discord has done it, and its answer is lost: another attempt does not do it twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happened_without_an_answer_is_not_repeated() {
    let lost = |_: &Case| vec![(RestFaultKind::StatusAfter(502), 1, None)];
    Box::pin(with_each_case(lost, |case, _, statuses| {
        assert_eq!(statuses.first(), Some(&502), "{}: {statuses:?}", case.kind);
    }))
    .await;
}
