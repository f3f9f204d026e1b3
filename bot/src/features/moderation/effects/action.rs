//! Carrying out what a moderator ordered by a command: a ban, a kick, a timeout.

use serde::{Deserialize, Serialize};
use twilight_model::id::{Id, marker::InteractionMarker};

use super::{
    action_lift::{ActionLift, Because},
    carry_out::{Attempt, Order, Running, carry_out, why},
    case_log_edit,
};
use crate::{
    discord::guilds::authority::PunishPermit,
    features::moderation::{
        kind::Kind,
        punishment_timers,
        rows::{
            case::{self, Key},
            case_change, mod_case, outcome,
        },
        settings::ModerationSettings,
        texts,
    },
    outbox::{
        delivery::Deliverer,
        kind::{EffectBody, EffectKind, Owner},
        outcome::{Failure, Undelivered},
        queue::{self, NewEffect, Waiting},
    },
    postgres::{StoreError, Tx},
    settings::Settings,
    support::{
        i18n::Language,
        ids::{self, MemberKey},
    },
};

/// What a moderator ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModAction {
    /// The kind of the case.
    pub kind: Kind,
    /// The number of the case.
    pub case_id: i64,
    /// When a timeout ends, in milliseconds since 1970: fixed, however late it starts.
    pub until_ms: Option<i64>,
    /// When it was ordered, in milliseconds since 1970.
    pub at_ms: i64,
    /// The messages that a ban deletes, in seconds before it.
    pub delete_seconds: u32,
    /// The reason; empty for none.
    pub reason: String,
    /// The moderator's name, for Discord's audit log.
    pub moderator: String,
    /// Whether it prolongs a timeout that is longer than Discord allows at once.
    pub prolongs: bool,
    /// Whether the end of a timeout that goes on replaces a later one on Discord, because it was changed while the member was away.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replaces: bool,
    /// The guild's language, as one of Discord's locales.
    pub locale: String,
    /// The moderator's permission; `None` if it was checked when the timeout began.
    pub permit: Option<PunishPermit>,
    /// The interaction that changes the end of a timeout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Id<InteractionMarker>>,
    /// What it changes of a timeout that runs; `None` if its end is not changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Moved>,
}

/// A changed end of a timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The end before, in milliseconds since 1970.
    pub before_ms: Option<i64>,
}

impl EffectBody for ModAction {
    const KIND: &'static str = "mod_action";
    const OWNER: Owner = Owner::Staff;
}

/// Carries out orders.
#[derive(Debug)]
pub(crate) struct ModActions(pub(crate) Settings);

impl EffectKind for ModActions {
    type Body = ModAction;

    async fn deliver(&self, to: &Deliverer, effect: &Waiting, action: ModAction) -> Result<(), Undelivered> {
        deliver(to, effect, &action).await
    }

    async fn given_up(
        &self,
        tx: &Tx<'_>,
        effect: &Waiting,
        action: ModAction,
        failure: &Failure,
    ) -> Result<(), StoreError> {
        log_failure(tx, &self.0, effect, &action, failure).await
    }
}

async fn deliver(to: &Deliverer, effect: &Waiting, action: &ModAction) -> Result<(), Undelivered> {
    let key = (effect.guild_id, action.case_id);
    if is_replaced(to, effect, action.kind, action.case_id).await? {
        became(to, effect, action, "replaced").await;
        return Err(Undelivered::Cancelled);
    }
    let Some(discords) = action.kind.action() else {
        return Err(Undelivered::Cancelled);
    };
    // Whether their member had left when it was to be prolonged.
    let is_back = was_away(to, key, action).await?;
    let order = Order {
        action: discords,
        until_ms: action.until_ms,
        at_ms: action.at_ms,
        running: match (action.prolongs, is_back) {
            (false, _) => Running::Replaced,
            (true, false) => Running::Prolonged,
            (true, true) if action.replaces => Running::Replaced,
            // The part that Discord had may have ended meanwhile.
            (true, true) => Running::Kept,
        },
        delete_seconds: action.delete_seconds,
        permit: action.permit.as_ref(),
        reason: texts::audit_reason(
            language_of(&action.locale),
            action.case_id,
            &action.moderator,
            &action.reason,
        ),
    };
    match carry_out(to, effect, order).await {
        Attempt::Done if is_back => {
            goes_on(to, key, true).await;
            Ok(())
        }
        Attempt::Done => {
            became(to, effect, action, "done").await;
            Ok(())
        }
        // An attempt whose answer was lost has removed them.
        Attempt::Gone if action.kind == Kind::Kick && effect.attempts > 0 => {
            became(to, effect, action, "done").await;
            Ok(())
        }
        Attempt::Gone if action.prolongs => {
            goes_on(to, key, false).await;
            Err(Undelivered::Cancelled)
        }
        Attempt::Gone => {
            became(to, effect, action, "gone").await;
            Err(Undelivered::Cancelled)
        }
        Attempt::Lifted => {
            let now = to.rest.clock().now();
            to.retry_until_committed("noting that a timeout was lifted", || {
                to.store.transaction("mod_timeout_gone", move |tx| {
                    Box::pin(async move {
                        if !outcome::end_in(tx, key, now, "gone").await? {
                            return Ok(());
                        }
                        case_log_edit::add(tx, key, None).await
                    })
                })
            })
            .await;
            Err(Undelivered::Cancelled)
        }
        Attempt::Not(Undelivered::Later { why, after: None }) => {
            if effect.attempts == 0 && !action.prolongs {
                // The moderator is waiting for an answer. If this fails, it is noted with the final outcome.
                drop(outcome::action(&to.store, key, "retried").await);
            }
            Err(Undelivered::Later { why, after: None })
        }
        // [`log_failure`] records it if the effect is abandoned.
        Attempt::Not(why) => Err(why),
    }
}

/// Whether a timeout is prolonged whose member had left before.
async fn was_away(to: &Deliverer, key: Key, action: &ModAction) -> Result<bool, StoreError> {
    if !action.prolongs || action.moved.is_some() {
        return Ok(false);
    }
    let case = case::get(&to.store, key).await?;
    Ok(case.is_some_and(|case| case.end_outcome.as_deref() == Some(punishment_timers::AWAY)))
}

/// Record that a timeout goes on again, or that it cannot be prolonged because its member has left.
async fn goes_on(to: &Deliverer, key: Key, is_member: bool) {
    to.retry_until_committed("noting whether a timeout goes on", || {
        to.store.transaction("mod_timeout_goes_on", move |tx| {
            Box::pin(async move {
                let is_news = if is_member {
                    outcome::goes_on(tx, key).await?
                } else {
                    outcome::not_ended(tx, key, punishment_timers::AWAY).await?
                };
                if !is_news {
                    return Ok(());
                }
                case_log_edit::add(tx, key, None).await
            })
        })
    })
    .await;
}

/// Whether a newer case of the member decides instead of this one.
pub(super) async fn is_replaced(
    to: &Deliverer,
    effect: &Waiting,
    kind: Kind,
    case_id: i64,
) -> Result<bool, StoreError> {
    let (Some(user_id), [_, ..]) = (effect.user_id, kind.deciding()) else {
        return Ok(false);
    };
    let newest = case::newest(&to.store, effect.guild_id, user_id, kind.deciding()).await?;
    Ok(newest.is_some_and(|newest| newest.case_id > case_id))
}

/// Record what became of it. A softban is followed by the end of its ban.
async fn became(to: &Deliverer, effect: &Waiting, action: &ModAction, word: &'static str) {
    if action.prolongs {
        return;
    }
    let key = (effect.guild_id, action.case_id);
    let lift = effect
        .user_id
        .filter(|_| action.kind == Kind::Softban && word == "done")
        .map(|user_id| {
            let lift = ActionLift {
                kind: Kind::Softban,
                case_id: action.case_id,
                because: Because::Softban,
                locale: action.locale.clone(),
                permit: None,
                ends_at_ms: None,
            };
            let key = MemberKey {
                guild_id: effect.guild_id,
                user_id,
            };
            NewEffect::for_member(key, &lift)
        });
    to.retry_until_committed("noting what became of an action", || {
        let lift = lift.clone();
        to.store.transaction("mod_action_became", move |tx| {
            Box::pin(async move {
                let shown = noted(tx, key, word).await?;
                let effects: Vec<_> = lift.into_iter().chain(shown).collect();
                queue::add(tx, &effects).await
            })
        })
    })
    .await;
}

/// Record what became of an action. Returns the effect that shows it in the log channel, unless it simply succeeded.
pub(super) async fn noted(tx: &Tx<'_>, key: Key, word: &str) -> Result<Option<NewEffect>, StoreError> {
    let is_new = outcome::action_in(tx, key, word).await?;
    if is_new && word != "done" {
        case_log_edit::changed(tx, key).await
    } else {
        Ok(None)
    }
}

/// Record why an order is given up, and let run again what it replaced. Returns the effects that show it in the log channel.
pub(super) async fn refused(
    tx: &Tx<'_>,
    effect: &Waiting,
    (kind, case_id): (Kind, i64),
    why: &str,
    locale: &str,
) -> Result<Vec<NewEffect>, StoreError> {
    let guild_id = effect.guild_id;
    mod_case::lock(tx, guild_id).await?;
    let mut shown: Vec<_> = noted(tx, (guild_id, case_id), why).await?.into_iter().collect();
    if let Some(user_id) = effect.user_id {
        let member = MemberKey { guild_id, user_id };
        shown.extend(punishment_timers::restore(tx, member, kind, locale).await?);
    }
    Ok(shown)
}

pub(super) fn language_of(locale: &str) -> Language {
    Language::of_stored(locale)
}

/// Record why an order was abandoned, on the case and in the log channel.
async fn log_failure(
    tx: &Tx<'_>,
    settings: &Settings,
    effect: &Waiting,
    action: &ModAction,
    failure: &Failure,
) -> Result<(), StoreError> {
    let key: Key = (effect.guild_id, action.case_id);
    let why = why(failure);
    let shown: Vec<_> = if let Some(moved) = action.moved {
        stays(tx, key, action, moved).await?;
        case_log_edit::changed(tx, key).await?.into_iter().collect()
    } else if action.prolongs {
        outcome::not_ended(tx, key, why).await?;
        case_log_edit::changed(tx, key).await?.into_iter().collect()
    } else {
        refused(tx, effect, (action.kind, action.case_id), why, &action.locale).await?
    };
    let of = (effect.guild_id, language_of(&action.locale));
    let log = ModerationSettings::log_within(tx, settings, of, action.kind).await?;
    let entry = log.entry(|language| {
        let user = effect.user_id.map(ids::to_db).unwrap_or_default();
        if action.moved.is_some() {
            texts::not_moved(language, action.case_id, action.kind, user, why)
        } else {
            texts::not_carried_out(language, action.case_id, action.kind, user, why)
        }
    });
    let effects: Vec<_> = shown.into_iter().chain(entry).collect();
    queue::add(tx, &effects).await
}

/// Discord has refused another end of a timeout: the one before stays.
async fn stays(tx: &Tx<'_>, key: Key, action: &ModAction, moved: Moved) -> Result<(), StoreError> {
    mod_case::lock(tx, key.0).await?;
    let (refused, before) = (
        action.until_ms.map(ids::to_time),
        moved.before_ms.map(ids::to_time),
    );
    if case_change::end_as_before(tx, key, (refused, before)).await? {
        punishment_timers::rearm(
            tx,
            key,
            action.kind,
            (ids::to_time(action.at_ms), before),
            &action.locale,
        )
        .await?;
    }
    Ok(())
}
