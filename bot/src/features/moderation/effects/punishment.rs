//! Applying punishments for warnings: a timeout, a kick, a ban.

use serde::{Deserialize, Serialize};
use twilight_http::request::AuditLogReason as _;
use twilight_model::id::{Id, marker::UserMarker};

use super::{
    carry_out::{Attempt, Order, Running, carry_out, is_no_member, member, obstacle, why},
    case_log_edit,
};
use crate::{
    discord::{
        guilds::authority::{Action, PunishPermit},
        rest::{Priority, RestError},
    },
    features::moderation::{kind::Kind, rows::warning, settings::ModerationSettings, texts},
    outbox::{
        delivery::Deliverer,
        kind::{EffectBody, EffectKind, Owner},
        outcome::{Failure, Undelivered, of_error},
        queue::{self, Waiting},
    },
    postgres::{StoreError, Tx},
    settings::Settings,
    support::{i18n::Language, ids},
};

/// A punishment caused by a member's warnings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Punishment {
    /// The action to take.
    pub action: Action,
    /// When a timeout ends, in milliseconds since 1970: fixed, however late it starts.
    pub until_ms: Option<i64>,
    /// When the warning was given, in milliseconds since 1970.
    pub at_ms: i64,
    /// The warning that caused it.
    pub case_id: i64,
    /// The points of the threshold that was reached.
    pub threshold: i64,
    /// The guild's language, as one of Discord's locales.
    pub locale: String,
    /// The permission of the moderator who caused it.
    #[serde(default = "PunishPermit::unrecorded")]
    pub permit: PunishPermit,
}

/// A timeout that a moderator lifts because its warning was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeoutLift {
    /// The warning that caused it.
    pub case_id: i64,
    /// When it would end, in milliseconds since 1970; a timeout with another end stays.
    pub until_ms: i64,
    /// The guild's language, as one of Discord's locales.
    pub locale: String,
    /// The permission of the moderator who lifts it.
    pub permit: PunishPermit,
}

impl EffectBody for Punishment {
    const KIND: &'static str = "punishment";
    const OWNER: Owner = Owner::Staff;
}

impl EffectBody for TimeoutLift {
    const KIND: &'static str = "timeout_lift";
    const OWNER: Owner = Owner::Staff;
}

/// Punishes members.
#[derive(Debug)]
pub(crate) struct Punishments(pub(crate) Settings);

impl EffectKind for Punishments {
    type Body = Punishment;

    async fn deliver(
        &self,
        to: &Deliverer,
        effect: &Waiting,
        punishment: Punishment,
    ) -> Result<(), Undelivered> {
        deliver(to, effect, &punishment).await
    }

    async fn given_up(
        &self,
        tx: &Tx<'_>,
        effect: &Waiting,
        punishment: Punishment,
        failure: &Failure,
    ) -> Result<(), StoreError> {
        log_failure(tx, &self.0, effect, &punishment, failure).await
    }
}

/// Lifts timeouts.
#[derive(Debug)]
pub(crate) struct TimeoutLifts(pub(crate) Settings);

impl EffectKind for TimeoutLifts {
    type Body = TimeoutLift;

    async fn deliver(
        &self,
        to: &Deliverer,
        effect: &Waiting,
        timeout: TimeoutLift,
    ) -> Result<(), Undelivered> {
        lift(to, effect, &timeout).await
    }

    /// Staff learn that the timeout goes on.
    async fn given_up(
        &self,
        tx: &Tx<'_>,
        effect: &Waiting,
        timeout: TimeoutLift,
        failure: &Failure,
    ) -> Result<(), StoreError> {
        let of = (effect.guild_id, Language::of_stored(&timeout.locale));
        let log = ModerationSettings::log_within(tx, &self.0, of, Kind::Warning).await?;
        let user = effect.user_id.map(ids::to_db).unwrap_or_default();
        let entry = log.entry(|language| {
            texts::not_carried_out(language, timeout.case_id, Kind::Untimeout, user, why(failure))
        });
        queue::add(tx, entry.as_slice()).await
    }
}

async fn deliver(to: &Deliverer, effect: &Waiting, punishment: &Punishment) -> Result<(), Undelivered> {
    let language = language_of(punishment);
    let values = [
        ("case", punishment.case_id.to_string().into()),
        ("points", texts::points(language, punishment.threshold).into()),
    ];
    let order = Order {
        action: punishment.action,
        until_ms: punishment.until_ms,
        at_ms: punishment.at_ms,
        running: Running::Kept,
        delete_seconds: 0,
        permit: Some(&punishment.permit),
        reason: language.filled("warning-audit-log", &values),
    };
    let (became, delivered) = match carry_out(to, effect, order).await {
        Attempt::Done => ("done", Ok(())),
        Attempt::Gone | Attempt::Lifted => ("gone", Err(Undelivered::Cancelled)),
        // [`log_failure`] records it if the effect is abandoned.
        Attempt::Not(why) => return Err(why),
    };
    let case = (effect.guild_id, punishment.case_id);
    to.retry_until_committed("noting what became of a punishment", || {
        warning::note_action(&to.store, case, became)
    })
    .await;
    delivered
}

/// End a timeout early, unless it has been replaced by another one.
async fn lift(to: &Deliverer, effect: &Waiting, lift: &TimeoutLift) -> Result<(), Undelivered> {
    let user_id = effect.user()?;
    match try_to_lift(to, effect, lift, user_id).await {
        Ok(lifted) => lifted,
        // A user who has left has no timeout that is to be lifted now.
        Err(error) if is_no_member(&error) => Err(Undelivered::Cancelled),
        Err(error) => {
            to.guilds.forget(effect.guild_id);
            Err(of_error(&error, ids::to_db(user_id)))
        }
    }
}

async fn try_to_lift(
    to: &Deliverer,
    effect: &Waiting,
    lift: &TimeoutLift,
    user_id: Id<UserMarker>,
) -> Result<Result<(), Undelivered>, RestError> {
    let Some(member) = member(to, effect, user_id).await? else {
        return Ok(Err(Undelivered::Cancelled));
    };
    // Discord stores the time with millisecond precision or less.
    if member.timeout_ms().abs_diff(lift.until_ms) > 1_000 {
        return Ok(Err(Undelivered::Cancelled));
    }
    let who = (user_id, Some(member.roles.as_slice()));
    if let Some(failure) = obstacle(to, effect, Some(&lift.permit), who, Action::Timeout).await? {
        return Ok(Err(Undelivered::Failed(failure)));
    }
    let language = Language::of_stored(&lift.locale);
    let reason = language.filled("warning-audit-lift", &[("case", lift.case_id.to_string().into())]);
    let request = to
        .rest
        .builders()
        .update_guild_member(effect.guild_id, user_id)
        .communication_disabled_until(None);
    let sent = to.rest.send(Priority::Command, request.reason(&reason)).await;
    sent.map(|_answer| Ok(()))
}

fn language_of(punishment: &Punishment) -> Language {
    Language::of_stored(&punishment.locale)
}

/// Add an entry to the log channel for an abandoned punishment, in the transaction that abandons it.
async fn log_failure(
    tx: &Tx<'_>,
    settings: &Settings,
    effect: &Waiting,
    punishment: &Punishment,
    failure: &Failure,
) -> Result<(), StoreError> {
    let case = (effect.guild_id, punishment.case_id);
    warning::note_action_in(tx, case, why(failure)).await?;
    let of = (effect.guild_id, language_of(punishment));
    let log = ModerationSettings::log_within(tx, settings, of, Kind::Warning).await?;
    let entry = log.entry(|language| {
        let user = effect.user_id.map(|user_id| user_id.to_string());
        let values = [
            ("case", punishment.case_id.to_string().into()),
            ("user", user.unwrap_or_default().into()),
            ("action", texts::action(language, punishment.action).into()),
            ("why", language.text(why(failure)).into()),
        ];
        language.filled("warning-log-failed", &values)
    });
    case_log_edit::add(tx, case, entry).await
}
