//! Bans, kicks, timeouts and their ends, as moderators order them by commands.
//!
//! The transaction of the command makes the case, ends what it replaces, adds the effects (the message to the member, then the action) and
//! arms the timer of what ends later.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use twilight_model::id::{
    Id,
    marker::{InteractionMarker, UserMarker},
};

use super::{
    Act, Denied, appeals,
    effects::{
        action::ModAction,
        action_lift::{ActionLift, Because},
        action_message::ActionMessage,
        case_log::CaseLog,
        evidence::upload,
    },
    evidence::Evidence,
    kind::Kind,
    log::GuildLog,
    once, punishment_timers, reports,
    rows::mod_case,
    settings::ModerationSettings,
    texts,
    warnings::Names,
};
use crate::{
    discord::guilds::authority::PunishPermit,
    outbox::queue::{self, NewEffect},
    postgres::{
        Store, StoreError, Tx,
        request::{Completed, Work},
        timer,
    },
    settings::Settings,
    support::{
        i18n::Language,
        ids::{self, MemberKey},
    },
};

/// The time for which a server limits the actions of a moderator.
pub(super) const LIMITED: Duration = Duration::from_hours(1);

/// An action to be taken.
#[derive(Clone, Debug)]
pub struct NewAction {
    /// Its kind.
    pub kind: Kind,
    /// The user concerned.
    pub user_id: Id<UserMarker>,
    /// The names that the user and the moderator have.
    pub names: Names,
    /// The reason; at most [`LONGEST_REASON`](super::LONGEST_REASON) characters, empty for none.
    pub reason: String,
    /// How long it lasts; `None` without an end.
    pub duration: Option<Duration>,
    /// The messages that a ban deletes, in seconds before it.
    pub delete_seconds: u32,
    /// Whether the member gets a direct message.
    pub direct: bool,
    /// The moderator's permission; `None` if it was refused. An interaction that was carried out before gets its first answer all the
    /// same, since it changed what the permission depends on.
    pub permit: Option<PunishPermit>,
    /// The report to which the moderator reacts, and which is closed with it.
    pub report_id: Option<Id<InteractionMarker>>,
    /// The appeal that the moderator accepts, with the answer to the user. Any other unban accepts the user's open appeal.
    pub appeal: Option<(Id<InteractionMarker>, String)>,
    /// A file to be kept with the case.
    pub evidence: Option<Evidence>,
    /// Where the user can appeal against it; `None` for nowhere.
    pub appeal_url: Option<String>,
}

/// An action that was ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ordered {
    /// The number of the case.
    pub case_id: i64,
    /// Its kind.
    pub kind: Kind,
    /// The user concerned.
    pub user_id: Id<UserMarker>,
    /// When it ends, in milliseconds since 1970; `None` without an end.
    pub ends_at_ms: Option<i64>,
    /// Whether the member gets a direct message.
    pub direct: bool,
}

/// What an interaction led to, kept for a replay.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Answer {
    Ordered(Ordered),
    /// The moderator has reached the server's limit for an hour.
    Limited {
        limit: i64,
    },
}

/// Order an action, once per interaction however often this is called. `language` applies if the guild chose none.
pub async fn order(
    store: &Store,
    settings: &Settings,
    (act, language): (Act, Language),
    new: NewAction,
) -> Result<Result<Ordered, Denied>, StoreError> {
    let of = (act, new.kind.word());
    let done = once(store, settings, of, new, move |tx, settings, new| {
        Box::pin(order_in(tx, settings, (act, language), new))
    });
    Ok(done.await?.and_then(|answer| match answer {
        Answer::Ordered(ordered) => Ok(ordered),
        Answer::Limited { limit } => Err(Denied::Limit(limit)),
    }))
}

async fn order_in(
    tx: &Tx<'_>,
    settings: &Settings,
    (act, language): (Act, Language),
    new: &NewAction,
) -> Work<Answer, Denied> {
    let Some(permit) = new.permit else {
        return Ok(Err(Denied::Refused));
    };
    let at = act.at();
    let policy = ModerationSettings::within(tx, settings, act.guild_id).await?;
    let log = policy
        .log(tx, settings, (act.guild_id, language), new.kind)
        .await?;
    if new.evidence.is_some() && !log.has_channel() {
        return Ok(Err(Denied::NoLog));
    }
    if let Some((limit, kinds)) = policy.limit(new.kind)
        && mod_case::count_since(tx, (act.guild_id, act.moderator_id), kinds, (at - LIMITED, at)).await?
            >= limit
    {
        let entry = log.entry(|language| texts::limited(language, &act, (new.kind, new.user_id), limit));
        queue::add(tx, entry.as_slice()).await?;
        return Ok(Ok(Completed::kept(Answer::Limited { limit })));
    }
    if !reports::close(tx, &policy, &act, (new.report_id, language)).await? {
        return Ok(Err(Denied::Removed));
    }
    if new.kind == Kind::Unban && !appeals::lifted(tx, &act, new.user_id, new.appeal.as_ref()).await? {
        return Ok(Err(Denied::Removed));
    }
    let ends_at = new.duration.map(|duration| at + duration);
    let replaced = punishment_timers::replace(tx, act.guild_id, &[new.user_id], new.kind, at).await?;
    let case = mod_case::New {
        guild_id: act.guild_id,
        kind: new.kind,
        user_id: new.user_id,
        moderator_id: act.moderator_id,
        names: new.names.as_stored(),
        reason: &new.reason,
        at,
        expires_at: None,
        ends_at,
        audit_entry_id: None,
    };
    let case_id = mod_case::add(tx, &case).await?;
    reports::led_to(tx, act.guild_id, new.report_id, case_id).await?;
    let ordered = Ordered {
        case_id,
        kind: new.kind,
        user_id: new.user_id,
        ends_at_ms: ends_at.map(ids::to_millis),
        direct: new.direct,
    };
    let locale = log.language.locales().first().copied().unwrap_or_default();
    let mut effects = on_member(&act, new, &ordered, (permit, log, locale), &policy);
    effects.extend(log.entry_as(|language| CaseLog {
        case_id,
        text: texts::ordered(language, &ordered, act.moderator_id, &new.reason),
        locale: language.code().to_owned(),
    }));
    let of = (new.evidence.as_ref(), new.names.moderator.as_deref());
    effects.extend(upload(&log, (&act, case_id), of));
    effects.extend(replaced);
    queue::add(tx, &effects).await?;
    timer::arm(tx, punishment_timers::first(&act, &ordered, locale).as_slice()).await?;
    Ok(Ok(Completed::kept(Answer::Ordered(ordered)).about(case_id)))
}

/// The effects on the user: the message first, since the bot cannot write to users with whom it shares no server. One lane keeps the order.
fn on_member(
    act: &Act,
    new: &NewAction,
    ordered: &Ordered,
    (permit, log, locale): (PunishPermit, GuildLog, &str),
    policy: &ModerationSettings,
) -> Vec<NewEffect> {
    let key = MemberKey {
        guild_id: act.guild_id,
        user_id: new.user_id,
    };
    let message = new.direct.then(|| {
        let message = ActionMessage {
            kind: new.kind,
            case_id: ordered.case_id,
            reason: new.reason.clone(),
            until_ms: ordered.ends_at_ms,
            moderator_id: log.moderators_shown.then_some(act.moderator_id),
            locale: locale.to_owned(),
            wording: policy.wording(new.kind),
            new_end: false,
            appeal_url: new.appeal_url.clone(),
        };
        NewEffect::for_member(key, &message)
    });
    let moderator = new.names.moderator.clone().unwrap_or_default();
    let action = if new.kind.lifts() {
        let lift = ActionLift {
            kind: new.kind,
            case_id: ordered.case_id,
            because: Because::Command {
                moderator,
                reason: new.reason.clone(),
            },
            locale: locale.to_owned(),
            permit: Some(permit),
            ends_at_ms: None,
        };
        NewEffect::for_member(key, &lift)
    } else {
        let action = ModAction {
            kind: new.kind,
            case_id: ordered.case_id,
            until_ms: ordered.ends_at_ms,
            at_ms: ids::millis(act.interaction_id),
            delete_seconds: new.delete_seconds,
            reason: new.reason.clone(),
            moderator,
            prolongs: false,
            replaces: false,
            locale: locale.to_owned(),
            permit: Some(permit),
            request_id: None,
            moved: None,
        };
        NewEffect::for_member(key, &action)
    };
    message.into_iter().chain([action]).collect()
}
