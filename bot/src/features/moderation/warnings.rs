//! Warnings: giving one, editing one, and removing one. `thresholds.rs` has what a warning leads to.

mod entries;

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use twilight_model::id::{
    Id,
    marker::{InteractionMarker, UserMarker},
};

use self::entries::changed_in_log;
pub(super) use self::entries::{Given, in_log};
use super::{
    Act, Denied, Done, Severity,
    duration::Expiry,
    kind::Kind,
    log::GuildLog,
    once, punishment_timers, reports, texts,
    thresholds::{self, Crossing},
};
use crate::{
    discord::guilds::authority::{Action, PunishPermit, Sanctions},
    features::moderation::{
        effects::{
            case_log::CaseLog, case_log_edit, evidence::upload, punishment::Punishment,
            warned::WarnedDirectly,
        },
        evidence::Evidence,
        rows::{
            member_warnings, mod_case,
            warning::{self, Counting, Warning},
        },
        settings::ModerationSettings,
    },
    outbox::queue::{self, NewEffect},
    postgres::{
        Store, StoreError, Tx,
        request::{Completed, Work},
    },
    settings::Settings,
    support::{
        i18n::Language,
        ids::{self, MemberKey},
    },
};

/// A warning to be given.
#[derive(Clone, Debug)]
pub struct NewWarning {
    /// The warned member.
    pub user_id: Id<UserMarker>,
    /// The names that the member and the moderator have.
    pub names: Names,
    /// The reason; at most [`LONGEST_REASON`](super::LONGEST_REASON) characters.
    pub reason: String,
    /// The severity.
    pub severity: Severity,
    /// The points, 0 to [`MOST_POINTS`](super::MOST_POINTS).
    pub points: i64,
    /// When it expires.
    pub expiry: Expiry,
    /// Whether the member gets a direct message.
    pub direct: bool,
    /// The punishments that the moderator may apply and the bot can carry out if a threshold is reached.
    pub sanctions: Sanctions,
    /// The report to which the moderator reacts, and which is closed with it.
    pub report_id: Option<Id<InteractionMarker>>,
    /// A file to be kept with the case.
    pub evidence: Option<Evidence>,
    /// Where the user can appeal if it leads to a ban; `None` for nowhere.
    pub appeal_url: Option<String>,
}

/// The names that a member and a moderator have when a case is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// The member's username.
    pub user: Option<String>,
    /// The moderator's username.
    pub moderator: Option<String>,
}

impl Names {
    pub(super) fn as_stored(&self) -> mod_case::Names<'_> {
        mod_case::Names {
            user: self.user.as_deref(),
            moderator: self.moderator.as_deref(),
        }
    }
}

/// A warning that was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warned {
    /// The number of the case.
    pub case_id: i64,
    /// The warned member.
    pub user_id: Id<UserMarker>,
    /// The severity.
    pub severity: Severity,
    /// The points.
    pub points: i64,
    /// When it expires, in milliseconds since 1970; `None` if it never does.
    pub expires_at_ms: Option<i64>,
    /// The number of the member's active warnings, including this one.
    pub counting_warnings: i64,
    /// The total points of these warnings.
    pub counting_points: i64,
    /// The consequences: at most one punishment, and more severe ones that could not be carried out.
    pub crossed: Vec<Crossing>,
}

/// The changes to a warning; `None` keeps a value.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// The reason.
    pub reason: Option<String>,
    /// The severity. The points follow it, unless they are given.
    pub severity: Option<Severity>,
    /// The points.
    pub points: Option<i64>,
    /// The expiry, counted from now.
    pub expiry: Option<Expiry>,
}

/// The editable parts of a warning at a point in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The number of the case.
    pub case_id: i64,
    /// The warned member.
    pub user_id: Id<UserMarker>,
    /// The reason, as the moderator wrote it.
    pub reason: String,
    /// The severity.
    pub severity: Severity,
    /// The points.
    pub points: i64,
    /// When it expires, in milliseconds since 1970; `None` if it never does.
    pub expires_at_ms: Option<i64>,
}

/// A request to change an existing case.
#[derive(Clone, Copy, Debug)]
pub struct Asker {
    /// The interaction.
    pub act: Act,
    /// Whether the moderator is the guild's owner, who may change warnings about themselves.
    pub is_owner: bool,
    /// The language of the log channel if the guild has not chosen one.
    pub language: Language,
}

impl State {
    fn of(warning: &Warning) -> Self {
        Self {
            case_id: warning.case_id,
            user_id: warning.user_id,
            reason: warning.reason.clone(),
            // The table's check allows no other values.
            severity: Severity::of(&warning.severity).unwrap_or(Severity::Low),
            points: warning.points,
            expires_at_ms: warning.expires_at.map(ids::to_millis),
        }
    }

    /// When it expires; `None` if it never does.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at_ms.map(ids::to_time)
    }
}

impl Warned {
    /// When it expires; `None` if it never does.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at_ms.map(ids::to_time)
    }
}

/// Warn a member, once per interaction however often this is called. `language` applies if the guild has not chosen one.
pub async fn warn(
    store: &Store,
    settings: &Settings,
    (act, language): (Act, Language),
    new: NewWarning,
) -> Result<Result<Warned, Denied>, StoreError> {
    once(store, settings, (act, "warn"), new, move |tx, settings, new| {
        Box::pin(give(tx, settings, (act, language), new))
    })
    .await
}

async fn give(
    tx: &Tx<'_>,
    settings: &Settings,
    (act, language): (Act, Language),
    new: &NewWarning,
) -> Work<Warned, Denied> {
    let policy = ModerationSettings::within(tx, settings, act.guild_id).await?;
    let log = policy
        .log(tx, settings, (act.guild_id, language), Kind::Warning)
        .await?;
    if new.evidence.is_some() && !log.has_channel() {
        return Ok(Err(Denied::NoLog));
    }
    if !reports::close(tx, &policy, &act, (new.report_id, language)).await? {
        return Ok(Err(Denied::Removed));
    }
    let at = act.at();
    let expires_at = expires_at(at, new.expiry);
    let crossed = warning::crossed(tx, act.guild_id, new.user_id, at, new.points).await?;
    let case = mod_case::New {
        guild_id: act.guild_id,
        kind: Kind::Warning,
        user_id: new.user_id,
        moderator_id: act.moderator_id,
        names: new.names.as_stored(),
        reason: &new.reason,
        at,
        expires_at,
        ends_at: None,
        audit_entry_id: None,
    };
    let case_id = mod_case::add(tx, &case).await?;
    reports::led_to(tx, act.guild_id, new.report_id, case_id).await?;
    warning::add(tx, (act.guild_id, case_id), new.severity.word(), new.points).await?;
    member_warnings::add(tx, act.guild_id, new.user_id, new.points, at).await?;
    let Counting { warnings, points } = warning::counting(tx, act.guild_id, new.user_id, at).await?;
    let led_to = thresholds::led_to(&crossed, at, &new.sanctions);
    let is_ban = |(crossing, permit): &(Crossing, Option<PunishPermit>)| {
        crossing.action == Action::Ban && permit.is_some()
    };
    let replaced = if led_to.iter().any(is_ban) {
        // The end of a temporary ban from before must not lift this one, which has no case of its own.
        punishment_timers::replace(tx, act.guild_id, &[new.user_id], Kind::Ban, at).await?
    } else {
        Vec::new()
    };
    let warned = Warned {
        case_id,
        user_id: new.user_id,
        severity: new.severity,
        points: new.points,
        expires_at_ms: expires_at.map(ids::to_millis),
        counting_warnings: warnings,
        counting_points: points,
        crossed: led_to.iter().map(|(crossing, _)| *crossing).collect(),
    };
    let mut effects = to_member(&act, new, &warned, &led_to, (log, &policy));
    effects.extend(log.entry_as(|language| CaseLog {
        case_id,
        text: in_log(language, &Given::new(&act, new, &warned), Some(&warned)),
        locale: language.code().to_owned(),
    }));
    let of = (new.evidence.as_ref(), new.names.moderator.as_deref());
    effects.extend(upload(&log, (&act, case_id), of));
    effects.extend(replaced);
    queue::add(tx, &effects).await?;
    Ok(Ok(Completed::kept(warned).about(case_id)))
}

/// The effects for the member. The message comes first, since a removed member cannot receive one. They share a lane, which keeps the
/// order.
fn to_member(
    act: &Act,
    new: &NewWarning,
    warned: &Warned,
    led_to: &[(Crossing, Option<PunishPermit>)],
    (log, policy): (GuildLog, &ModerationSettings),
) -> Vec<NewEffect> {
    let locale = log.language.locales().first().copied().unwrap_or_default();
    let key = MemberKey {
        guild_id: act.guild_id,
        user_id: new.user_id,
    };
    let permits = led_to
        .iter()
        .filter_map(|(crossing, permit)| Some((*crossing, (*permit)?)));
    let is_banned = permits
        .clone()
        .any(|(crossing, _)| crossing.action == Action::Ban);
    let direct = new.direct.then(|| {
        let warned = WarnedDirectly {
            case_id: warned.case_id,
            moderator_id: log.moderators_shown.then_some(act.moderator_id),
            reason: new.reason.clone(),
            severity: warned.severity,
            points: warned.points,
            expires_at_ms: warned.expires_at_ms,
            locale: locale.to_owned(),
            wording: policy.wording(Kind::Warning),
            appeal_url: new.appeal_url.clone().filter(|_| is_banned),
        };
        NewEffect::for_member(key, &warned)
    });
    let punishments = permits.map(|(crossing, permit)| {
        let punishment = Punishment {
            action: crossing.action,
            until_ms: crossing.until_ms,
            at_ms: ids::millis(act.interaction_id),
            case_id: warned.case_id,
            threshold: crossing.points,
            locale: locale.to_owned(),
            permit,
        };
        NewEffect::for_member(key, &punishment)
    });
    direct.into_iter().chain(punishments).collect()
}

/// Edit a warning.
pub async fn edit(
    store: &Store,
    settings: &Settings,
    asker: Asker,
    case_id: i64,
    edit: Edit,
) -> Result<Result<State, Denied>, StoreError> {
    let of = (asker.act, "warning_edit");
    once(store, settings, of, edit, move |tx, settings, edit| {
        Box::pin(change(tx, settings, asker, case_id, edit))
    })
    .await
}

async fn change(
    tx: &Tx<'_>,
    settings: &Settings,
    asker: Asker,
    case_id: i64,
    edit: &Edit,
) -> Work<State, Denied> {
    let act = asker.act;
    let before = match held(tx, asker, case_id).await? {
        Err(denied) => return Ok(Err(denied)),
        Ok(state) => state,
    };
    let severity = edit.severity.unwrap_or(before.severity);
    let points = edit.severity.map_or(before.points, Severity::points);
    let after = State {
        reason: edit.reason.clone().unwrap_or_else(|| before.reason.clone()),
        severity,
        points: edit.points.unwrap_or(points),
        expires_at_ms: edit.expiry.map_or(before.expires_at_ms, |expiry| {
            expires_at(act.at(), expiry).map(ids::to_millis)
        }),
        ..before.clone()
    };
    let key = (act.guild_id, case_id);
    mod_case::change(tx, key, &after.reason, after.expires_at()).await?;
    warning::change(tx, key, after.severity.word(), after.points).await?;
    member_warnings::change(tx, act.guild_id, after.user_id, 0, after.points - before.points).await?;
    let log =
        ModerationSettings::log_within(tx, settings, (act.guild_id, asker.language), Kind::Warning).await?;
    let entry = log.entry(|language| changed_in_log(language, &act, &before, &after));
    case_log_edit::add(tx, key, entry).await?;
    Ok(Ok(Completed::kept(after).about(case_id).instead_of(&before)))
}

/// Remove a warning. It stays visible, with the moderator who removed it and the reason.
pub async fn remove(
    store: &Store,
    settings: &Settings,
    asker: Asker,
    case_id: i64,
    reason: Option<String>,
) -> Result<Result<State, Denied>, StoreError> {
    let of = (asker.act, "warning_remove");
    once(store, settings, of, reason, move |tx, settings, reason| {
        Box::pin(take_back(tx, settings, asker, case_id, reason.as_deref()))
    })
    .await
}

async fn take_back(
    tx: &Tx<'_>,
    settings: &Settings,
    asker: Asker,
    case_id: i64,
    reason: Option<&str>,
) -> Work<State, Denied> {
    let act = asker.act;
    let state = match held(tx, asker, case_id).await? {
        Err(denied) => return Ok(Err(denied)),
        Ok(state) => state,
    };
    mod_case::remove(tx, (act.guild_id, case_id), act.moderator_id, act.at(), reason).await?;
    member_warnings::change(tx, act.guild_id, state.user_id, -1, -state.points).await?;
    let log =
        ModerationSettings::log_within(tx, settings, (act.guild_id, asker.language), Kind::Warning).await?;
    let entry = log.entry(|language| {
        let why = reason.map_or_else(
            || language.text("warning-log-no-reason"),
            |reason| texts::quoted(reason, super::LONGEST_QUOTATION),
        );
        let values = [
            ("case", case_id.to_string().into()),
            ("moderator", act.moderator_id.to_string().into()),
            ("user", state.user_id.to_string().into()),
            ("points", texts::points(language, state.points).into()),
            ("reason", why.into()),
        ];
        language.filled("warning-log-removed", &values)
    });
    case_log_edit::add(tx, (act.guild_id, case_id), entry).await?;
    let before = state.clone();
    Ok(Ok(Completed::kept(state).about(case_id).instead_of(&before)))
}

/// The state of a case that the asker may change. No other transaction changes it until this one ends.
async fn held(tx: &Tx<'_>, asker: Asker, case_id: i64) -> Result<Done<State>, StoreError> {
    let act = asker.act;
    Ok(match warning::get(tx, act.guild_id, case_id).await? {
        None => Err(Denied::UnknownCase),
        Some(warning) if warning.removed_at.is_some() => Err(Denied::Removed),
        Some(warning) if warning.user_id == act.moderator_id && !asker.is_owner => Err(Denied::Own),
        Some(warning) => Ok(State::of(&warning)),
    })
}

fn expires_at(at: SystemTime, expiry: Expiry) -> Option<SystemTime> {
    match expiry {
        Expiry::Never => None,
        Expiry::After(span) => Some(at + span),
    }
}
