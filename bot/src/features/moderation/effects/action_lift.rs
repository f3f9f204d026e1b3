//! Lifting a ban or a timeout: by a command, at the end of a temporary ban, or right after a softban.

use serde::{Deserialize, Serialize};
use twilight_http::request::AuditLogReason as _;
use twilight_model::id::{Id, marker::UserMarker};

use super::{
    action::{is_replaced, language_of, noted, refused},
    carry_out::{member, obstacle, why},
    case_log_edit,
};
use crate::{
    discord::{
        guilds::authority::{Action, PunishPermit},
        rest::{Priority, RestError},
    },
    features::moderation::{
        appeals,
        kind::Kind,
        rows::{appeal::Ended, case, mod_case, outcome},
        settings::ModerationSettings,
        texts,
    },
    outbox::{
        delivery::Deliverer,
        kind::{EffectBody, EffectKind, Owner},
        outcome::{Failure, Reason, Undelivered, of_error},
        queue::{self, Waiting},
    },
    postgres::{StoreError, Tx},
    settings::Settings,
    support::{
        i18n::Language,
        ids,
        text::limits::{AUDIT_REASON, excerpt},
    },
};

/// Unknown ban: <https://docs.discord.com/developers/topics/opcodes-and-status-codes#json>.
const NO_BAN: u64 = 10_026;

/// A ban or a timeout that ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionLift {
    /// The kind of the case.
    pub kind: Kind,
    /// The case that decides about the member: if there is a newer one, nothing is lifted.
    pub case_id: i64,
    /// The cause.
    pub because: Because,
    /// The guild's language, as one of Discord's locales.
    pub locale: String,
    /// The moderator's permission; `None` for a punishment that ends by itself, which depends on no permission.
    pub permit: Option<PunishPermit>,
    /// The end of the case that is carried out, in milliseconds since 1970; another end is another one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at_ms: Option<i64>,
}

/// Why a punishment is lifted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// A moderator used a command.
    Command {
        /// The moderator's name, for Discord's audit log.
        moderator: String,
        /// The reason; empty for none.
        reason: String,
    },
    /// Its time is over.
    Ended,
    /// The ban of a softban has removed the member and their messages.
    Softban,
}

impl EffectBody for ActionLift {
    const KIND: &'static str = "mod_lift";
    const OWNER: Owner = Owner::Staff;
}

/// Lifts bans and timeouts.
#[derive(Debug)]
pub(crate) struct ActionLifts(pub(crate) Settings);

impl EffectKind for ActionLifts {
    type Body = ActionLift;

    async fn deliver(&self, to: &Deliverer, effect: &Waiting, lift: ActionLift) -> Result<(), Undelivered> {
        deliver(&self.0, to, effect, &lift).await
    }

    async fn given_up(
        &self,
        tx: &Tx<'_>,
        effect: &Waiting,
        lift: ActionLift,
        failure: &Failure,
    ) -> Result<(), StoreError> {
        note_failure(tx, &self.0, effect, &lift, failure).await
    }
}

/// What came of an attempt.
enum Lifted {
    Done,
    /// There was nothing to lift.
    Gone,
    Forbidden(Failure),
}

async fn deliver(
    settings: &Settings,
    to: &Deliverer,
    effect: &Waiting,
    lift: &ActionLift,
) -> Result<(), Undelivered> {
    let user_id = effect.user()?;
    match decides(to, effect, lift).await? {
        Decides::This => {}
        Decides::Another => {
            note(settings, to, effect, lift, "replaced").await;
            return Err(Undelivered::Cancelled);
        }
        Decides::Later => return Err(Undelivered::Cancelled),
    }
    match try_to_lift(to, effect, lift, user_id).await {
        Ok(Lifted::Done) => {
            note(settings, to, effect, lift, "done").await;
            Ok(())
        }
        // An attempt whose answer was lost has lifted it.
        Ok(Lifted::Gone) if effect.attempts > 0 => {
            note(settings, to, effect, lift, "done").await;
            Ok(())
        }
        Ok(Lifted::Gone) => {
            note(settings, to, effect, lift, "gone").await;
            Err(Undelivered::Cancelled)
        }
        // A command is refused. What ends by itself ends when the bot is allowed to again; the log channel names the obstacle.
        Ok(Lifted::Forbidden(failure)) if lift.permit.is_some() => Err(Undelivered::Failed(failure)),
        Ok(Lifted::Forbidden(failure)) => Err(blocked(settings, to, effect, lift, failure).await),
        Err(error) => {
            to.guilds.forget(effect.guild_id);
            Err(match of_error(&error, ids::to_db(user_id)) {
                Undelivered::Failed(failure)
                    if lift.permit.is_none() && failure.reason == Reason::Forbidden =>
                {
                    blocked(settings, to, effect, lift, failure).await
                }
                why => why,
            })
        }
    }
}

/// What decides about the member by now.
enum Decides {
    This,
    Another,
    /// The same case, whose end was moved.
    Later,
}

async fn decides(to: &Deliverer, effect: &Waiting, lift: &ActionLift) -> Result<Decides, StoreError> {
    if is_replaced(to, effect, lift.kind, lift.case_id).await? {
        return Ok(Decides::Another);
    }
    if lift.because != Because::Ended {
        return Ok(Decides::This);
    }
    let case = case::get(&to.store, (effect.guild_id, lift.case_id)).await?;
    let Some(case) = case.filter(|case| case.ended_at.is_none() && case.removed_at.is_none()) else {
        return Ok(Decides::Another);
    };
    let is_moved = lift.ends_at_ms.is_some() && lift.ends_at_ms != case.ends_at.map(ids::to_millis);
    Ok(if is_moved { Decides::Later } else { Decides::This })
}

async fn try_to_lift(
    to: &Deliverer,
    effect: &Waiting,
    lift: &ActionLift,
    user_id: Id<UserMarker>,
) -> Result<Lifted, RestError> {
    let guild_id = effect.guild_id;
    let reason = excerpt(&audit_reason(lift), AUDIT_REASON);
    if lift.kind.action() == Some(Action::Timeout) {
        let member = member(to, effect, user_id).await?;
        let now = ids::to_millis(to.rest.clock().now());
        let Some(member) = member.filter(|member| member.timeout_ms() > now) else {
            return Ok(Lifted::Gone);
        };
        let who = (user_id, Some(member.roles.as_slice()));
        if let Some(failure) = obstacle(to, effect, lift.permit.as_ref(), who, Action::Timeout).await? {
            return Ok(Lifted::Forbidden(failure));
        }
        let request = to
            .rest
            .builders()
            .update_guild_member(guild_id, user_id)
            .communication_disabled_until(None);
        let sent = to.rest.send(Priority::Command, request.reason(&reason)).await;
        return sent.map(|_answer| Lifted::Done);
    }
    // A banned user is not a member, so there is no rank to compare.
    let who = (user_id, None);
    if let Some(failure) = obstacle(to, effect, lift.permit.as_ref(), who, Action::Ban).await? {
        return Ok(Lifted::Forbidden(failure));
    }
    let request = to.rest.builders().delete_ban(guild_id, user_id);
    match to.rest.send(Priority::Command, request.reason(&reason)).await {
        Ok(_answer) => Ok(Lifted::Done),
        Err(RestError::Refused {
            code: Some(NO_BAN), ..
        }) => Ok(Lifted::Gone),
        Err(error) => Err(error),
    }
}

fn audit_reason(lift: &ActionLift) -> String {
    let language = language_of(&lift.locale);
    let values = [
        ("case", lift.case_id.to_string().into()),
        ("kind", texts::kind(language, lift.kind).into()),
    ];
    match &lift.because {
        Because::Command { moderator, reason } => {
            texts::audit_reason(language, lift.case_id, moderator, reason)
        }
        Because::Ended => language.filled("action-audit-ended", &values),
        Because::Softban => language.filled("action-audit-softban", &values),
    }
}

/// Record what became of it, and tell the log channel that a punishment has ended.
async fn note(
    settings: &Settings,
    to: &Deliverer,
    effect: &Waiting,
    lift: &ActionLift,
    became: &'static str,
) {
    let now = to.rest.clock().now();
    to.retry_until_committed("noting what became of a lift", || {
        let (settings, effect, lift) = (settings.clone(), effect.clone(), lift.clone());
        to.store.transaction("mod_lift_became", move |tx| {
            Box::pin(async move {
                let key = (effect.guild_id, lift.case_id);
                if matches!(lift.because, Because::Command { .. }) {
                    return queue::add(tx, noted(tx, key, became).await?.as_slice()).await;
                }
                mod_case::lock(tx, effect.guild_id).await?;
                let word = if became == "done" { "lifted" } else { became };
                if !outcome::end_in(tx, key, now, word).await? {
                    return Ok(());
                }
                let shown = case_log_edit::changed(tx, key).await?;
                let of = (effect.guild_id, language_of(&lift.locale));
                let log = ModerationSettings::log_within(tx, &settings, of, lift.kind).await?;
                let is_told = lift.because == Because::Ended && became == "done";
                let entry = log.entry(|language| ended_in_log(language, &effect, &lift));
                let mut effects: Vec<_> = shown.into_iter().chain(entry.filter(|_| is_told)).collect();
                if lift.kind.action() == Some(Action::Ban) && became != "replaced" {
                    let how = (Ended::Expired, None, now);
                    let users = (effect.guild_id, effect.user_id.as_slice());
                    effects.extend(appeals::ended(tx, &log, users, how).await?);
                }
                queue::add(tx, &effects).await
            })
        })
    })
    .await;
}

/// The entry of the log channel about a punishment that has ended by itself.
fn ended_in_log(language: Language, effect: &Waiting, lift: &ActionLift) -> String {
    let user = effect.user_id.map(|user_id| user_id.to_string());
    let values = [
        ("case", lift.case_id.to_string().into()),
        ("kind", texts::kind(language, lift.kind).into()),
        ("user", user.unwrap_or_default().into()),
    ];
    language.filled("action-log-ended", &values)
}

/// Keep a punishment that has to end until the bot is allowed to lift it.
async fn blocked(
    settings: &Settings,
    to: &Deliverer,
    effect: &Waiting,
    lift: &ActionLift,
    failure: Failure,
) -> Undelivered {
    to.retry_until_committed("noting what is in the way of a lift", || {
        let (settings, effect, lift, failure) =
            (settings.clone(), effect.clone(), lift.clone(), failure.clone());
        to.store.transaction("mod_lift_blocked", move |tx| {
            Box::pin(async move { note_failure(tx, &settings, &effect, &lift, &failure).await })
        })
    })
    .await;
    Undelivered::Blocked(failure)
}

/// Record why a punishment is not lifted, and tell the log channel once.
async fn note_failure(
    tx: &Tx<'_>,
    settings: &Settings,
    effect: &Waiting,
    lift: &ActionLift,
    failure: &Failure,
) -> Result<(), StoreError> {
    let key = (effect.guild_id, lift.case_id);
    let why = why(failure);
    let shown: Vec<_> = if matches!(lift.because, Because::Command { .. }) {
        refused(tx, effect, (lift.kind, lift.case_id), why, &lift.locale).await?
    } else if outcome::not_ended(tx, key, why).await? {
        case_log_edit::changed(tx, key).await?.into_iter().collect()
    } else {
        return Ok(());
    };
    let of = (effect.guild_id, language_of(&lift.locale));
    let log = ModerationSettings::log_within(tx, settings, of, lift.kind).await?;
    let entry = log.entry(|language| {
        let user = effect.user_id.map(ids::to_db).unwrap_or_default();
        if matches!(lift.because, Because::Command { .. }) {
            texts::not_carried_out(language, lift.case_id, lift.kind, user, why)
        } else {
            texts::not_lifted(language, lift.case_id, lift.kind, user, why)
        }
    });
    let effects: Vec<_> = shown.into_iter().chain(entry).collect();
    queue::add(tx, &effects).await
}
