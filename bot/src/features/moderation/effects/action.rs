//! Carrying out what a moderator ordered by a command: a ban, a kick, a timeout.

use serde::{Deserialize, Serialize};

use super::{
    action_lift::{ActionLift, Because},
    carry_out::{Attempt, Order, Running, carry_out, why},
};
use crate::{
    discord::guilds::authority::PunishPermit,
    features::moderation::{
        kind::Kind,
        rows::{
            case::{self, Key},
            outcome,
        },
        settings::ModerationSettings,
        texts,
    },
    outbox::{
        delivery::Deliverer,
        kind::{EffectBody, EffectKind},
        outcome::{Failure, Outcome},
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
    /// The guild's language, as one of Discord's locales.
    pub locale: String,
    /// The moderator's permission; `None` if it was checked when the timeout began.
    pub permit: Option<PunishPermit>,
}

impl EffectBody for ModAction {
    const KIND: &'static str = "mod_action";
}

/// Carries out orders.
#[derive(Debug)]
pub(crate) struct ModActions(pub(crate) Settings);

impl EffectKind for ModActions {
    type Body = ModAction;

    async fn deliver(&self, to: &Deliverer, effect: &Waiting, action: ModAction) -> Outcome {
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

async fn deliver(to: &Deliverer, effect: &Waiting, action: &ModAction) -> Outcome {
    let key = (effect.guild_id, action.case_id);
    match is_replaced(to, effect, action.kind, action.case_id).await {
        Ok(true) => return became(to, effect, action, "replaced", Outcome::Cancelled).await,
        Ok(false) => {}
        Err(error) => return error.into(),
    }
    let Some(discords) = action.kind.action() else {
        return Outcome::Cancelled;
    };
    let order = Order {
        action: discords,
        until_ms: action.until_ms,
        at_ms: action.at_ms,
        running: if action.prolongs {
            Running::Prolonged
        } else {
            Running::Replaced
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
        Attempt::Done => became(to, effect, action, "done", Outcome::Delivered).await,
        // An attempt whose answer was lost has removed them.
        Attempt::Gone if action.kind == Kind::Kick && effect.attempts > 0 => {
            became(to, effect, action, "done", Outcome::Delivered).await
        }
        Attempt::Gone => became(to, effect, action, "gone", Outcome::Cancelled).await,
        Attempt::Lifted => {
            let now = to.rest.clock().now();
            to.retry_until_committed("noting that a timeout was lifted", || {
                outcome::end(&to.store, key, now, "gone")
            })
            .await;
            Outcome::Cancelled
        }
        Attempt::Not(Outcome::Later { why, after: None }) => {
            if effect.attempts == 0 {
                // The moderator is waiting for an answer. If this fails, it is noted with the final outcome.
                drop(outcome::action(&to.store, key, "retried").await);
            }
            Outcome::Later { why, after: None }
        }
        // [`log_failure`] records it if the effect is abandoned.
        Attempt::Not(outcome) => outcome,
    }
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
async fn became(
    to: &Deliverer,
    effect: &Waiting,
    action: &ModAction,
    word: &'static str,
    outcome: Outcome,
) -> Outcome {
    if action.prolongs {
        return outcome;
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
                outcome::action_in(tx, key, word).await?;
                queue::add(tx, lift.as_slice()).await
            })
        })
    })
    .await;
    outcome
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
    if action.prolongs {
        outcome::not_ended(tx, key, why).await?;
    } else {
        outcome::action_in(tx, key, why).await?;
    }
    let policy = ModerationSettings::within(tx, settings, effect.guild_id).await?;
    let of = (effect.guild_id, language_of(&action.locale));
    let told = policy.told(tx, settings, of, action.kind).await?;
    let entry = told.entry(|language| {
        let user = effect.user_id.map(ids::to_db).unwrap_or_default();
        texts::not_carried_out(language, action.case_id, action.kind, user, why)
    });
    queue::add(tx, entry.as_slice()).await
}
