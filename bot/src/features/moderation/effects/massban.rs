//! Carrying out one batch of a massban. The next one is added in the transaction that records the results of the first.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use twilight_http::request::AuditLogReason as _;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker, UserMarker},
};

use super::{
    action_message::{ActionMessage, attempt},
    carry_out::why,
};
use crate::{
    discord::{
        guilds::authority::{
            Authority, Denial, Hindrance,
            members::{BULK_BAN, BulkBanPermit},
        },
        rest::{Priority, RestError},
    },
    features::moderation::{
        kind::Kind,
        massban::next_batch,
        rows::{
            case,
            massban::{self, Row},
            outcome,
        },
        settings::ModerationSettings,
    },
    outbox::{
        delivery::Deliverer,
        kind::{EffectBody, EffectKind, Owner},
        outcome::{Failure, Undelivered, of_error},
        queue::{self, Waiting},
        trouble::Trouble,
    },
    postgres::{StoreError, Tx},
    settings::Settings,
    support::{
        i18n::Language,
        ids,
        text::limits::{AUDIT_REASON, excerpt},
    },
};

/// Users per batch: each is looked up first, which has to be done before the lease of the effect ends.
const BATCH: usize = 10;
/// The maximum age of cached roles when ranks are checked again.
const OLDEST_ROLES: Duration = Duration::from_mins(1);
/// How long a batch waits for its messages.
const TELLING: Duration = Duration::from_secs(10);
/// None of the users could be banned: <https://docs.discord.com/developers/resources/guild#bulk-guild-ban>.
const NONE_BANNED: u64 = 500_000;

/// A batch of a massban.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MassbanBatch {
    /// The interaction that asked for the massban.
    pub(crate) massban_id: Id<InteractionMarker>,
    /// The first user of the batch, as the place in the massban.
    pub(crate) from: usize,
    /// The permission of the moderator.
    pub(crate) permit: BulkBanPermit,
    /// The moderator's name, for Discord's audit log.
    pub(crate) moderator: String,
    /// The moderator's language, for a guild that has chosen none.
    pub(crate) locale: String,
    /// The direct message that members get before their ban, each with the number of their case; `None` for no message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<ActionMessage>,
}

impl EffectBody for MassbanBatch {
    const KIND: &'static str = "massban";
    const OWNER: Owner = Owner::Staff;
}

/// Bans users.
#[derive(Debug)]
pub(crate) struct Massbans(pub(crate) Settings);

impl EffectKind for Massbans {
    type Body = MassbanBatch;

    async fn deliver(
        &self,
        to: &Deliverer,
        effect: &Waiting,
        batch: MassbanBatch,
    ) -> Result<(), Undelivered> {
        deliver(&self.0, to, effect, &batch).await
    }

    async fn given_up(
        &self,
        tx: &Tx<'_>,
        effect: &Waiting,
        batch: MassbanBatch,
        failure: &Failure,
    ) -> Result<(), StoreError> {
        end_early(tx, &self.0, effect.guild_id, &batch, why(failure)).await
    }
}

async fn deliver(
    settings: &Settings,
    to: &Deliverer,
    effect: &Waiting,
    batch: &MassbanBatch,
) -> Result<(), Undelivered> {
    let guild_id = effect.guild_id;
    let key = (guild_id, batch.massban_id);
    let row = massban::get(&to.store, key).await?;
    // Another place means that this batch was dealt with by an attempt whose end was not noted.
    let row = row.filter(|row| row.done == batch.from && !row.is_over());
    let Some((row, first_case)) = row.and_then(|row| row.first_case.map(|first| (row, first))) else {
        return Err(Undelivered::Cancelled);
    };
    if row.is_cancelled {
        to.retry_until_committed("ending a massban", || {
            let (settings, batch) = (settings.clone(), batch.clone());
            to.store.transaction("massban_end", move |tx| {
                Box::pin(
                    async move { end_early(tx, &settings, guild_id, &batch, "massban-why-stopped").await },
                )
            })
        })
        .await;
        return Err(Undelivered::Cancelled);
    }
    let all = row.wanted.users.len();
    let end = all.min(batch.from + BATCH);
    let cases = first_case..case_of(first_case, end);
    let outcomes = ban(settings, to, effect, (batch, &row), cases).await?;
    let banned = outcomes.iter().filter(|(_, word)| *word == "done").count();
    to.retry_until_committed("recording a batch of a massban", || {
        let (settings, batch, outcomes) = (settings.clone(), batch.clone(), outcomes.clone());
        to.store.transaction("massban_advance", move |tx| {
            Box::pin(async move {
                if !massban::advance(tx, key, (batch.from, end), banned).await? {
                    return Ok(());
                }
                outcome::actions_in(tx, guild_id, &outcomes).await?;
                if end < all {
                    let next = MassbanBatch { from: end, ..batch };
                    return queue::add_urgent(tx, &[next_batch(guild_id, &next)]).await;
                }
                log(tx, &settings, guild_id, &batch).await
            })
        })
    })
    .await;
    Ok(())
}

fn case_of(first_case: i64, place: usize) -> i64 {
    first_case + i64::try_from(place).unwrap_or(0)
}

/// Ban the users of a batch, whose cases end before the end of `cases`. Returns what became of each case.
async fn ban(
    settings: &Settings,
    to: &Deliverer,
    effect: &Waiting,
    (batch, row): (&MassbanBatch, &Row),
    cases: std::ops::Range<i64>,
) -> Result<Vec<(i64, &'static str)>, Undelivered> {
    let guild_id = effect.guild_id;
    let target = ids::to_db(guild_id);
    let failed = |error: RestError| {
        to.guilds.forget(guild_id);
        of_error(&error, target)
    };
    let authority = may_still(to, guild_id, &batch.permit)
        .await
        .map_err(failed)?
        .map_err(|trouble| trouble.failure(target))?;
    let policy = ModerationSettings::of(&to.store, settings, guild_id).await?;
    let users = row.wanted.users.iter().map(|(user_id, _)| *user_id);
    let (mut outcomes, mut allowed, mut members) = (Vec::new(), Vec::new(), Vec::new());
    for (case_id, user_id) in cases.zip(users).skip(batch.from) {
        match hindrance(to, guild_id, (&authority, &policy), user_id)
            .await
            .map_err(failed)?
        {
            Err(why) => outcomes.push((case_id, why)),
            Ok(is_member) => {
                allowed.push((case_id, user_id));
                members.extend(is_member.then_some((case_id, user_id)));
            }
        }
    }
    if let Some(message) = &batch.message {
        let telling = tell(to, effect, (batch.massban_id, message), &members);
        // What takes too long blocks no ban.
        drop(timeout(TELLING, telling).await);
    }
    let users: Vec<_> = allowed.iter().map(|(_, user_id)| *user_id).collect();
    let banned = request(to, guild_id, &users, (batch, row))
        .await
        .map_err(failed)?;
    for (case_id, user_id) in allowed {
        // Discord does not ban twice: an attempt whose answer was lost has banned them.
        let is_banned = banned.contains(&user_id)
            || to
                .guilds
                .is_banned(guild_id, user_id, Priority::Command)
                .await
                .map_err(failed)?;
        let word = if is_banned {
            "done"
        } else {
            "warning-obstacle-refused"
        };
        outcomes.push((case_id, word));
    }
    Ok(outcomes)
}

/// Check that the moderator and the bot still have the permissions. Returns the moderator's authority.
async fn may_still(
    to: &Deliverer,
    guild_id: Id<GuildMarker>,
    permit: &BulkBanPermit,
) -> Result<Result<Authority, Trouble>, RestError> {
    to.guilds.forget_if_older(guild_id, OLDEST_ROLES);
    let authority = to
        .guilds
        .bulk_ban_authority(guild_id, permit, Priority::Command)
        .await?;
    for needed in BULK_BAN {
        if !to.guilds.may(guild_id, needed, Priority::Command).await? {
            return Ok(Err(Trouble::BotLacks(needed)));
        }
    }
    Ok(authority.map_err(|denial: Denial| denial.into()))
}

/// Tell members of their bans, as for each of them. Not all can be told.
async fn tell(
    to: &Deliverer,
    effect: &Waiting,
    (massban_id, message): (Id<InteractionMarker>, &ActionMessage),
    members: &[(i64, Id<UserMarker>)],
) {
    for (case_id, user_id) in members {
        let key = (effect.guild_id, *case_id);
        let case = case::get(&to.store, key).await.ok().flatten();
        // An attempt whose end was not noted has told them.
        if case.is_some_and(|case| case.message_outcome.is_some()) {
            continue;
        }
        let mut of_member = effect.clone();
        of_member.user_id = Some(*user_id);
        // The cases of a massban follow each other.
        of_member.nonce = format!("{:x}-{}", massban_id.get(), case_id % 1_000);
        let message = ActionMessage {
            case_id: *case_id,
            ..message.clone()
        };
        let told = attempt(to, &of_member, &message).await;
        let word = if told.is_ok() { "delivered" } else { "closed" };
        // If this fails, another attempt sends it with the same nonce.
        drop(outcome::message(&to.store, key, word).await);
    }
}

/// Whether a user is a member, or the key of the text that says why they cannot be banned.
async fn hindrance(
    to: &Deliverer,
    guild_id: Id<GuildMarker>,
    (authority, policy): (&Authority, &ModerationSettings),
    user_id: Id<UserMarker>,
) -> Result<Result<bool, &'static str>, RestError> {
    let roles = to
        .guilds
        .roles_if_member(guild_id, user_id, Priority::Command)
        .await?;
    let who = (user_id, roles.as_deref());
    let hindrance = to
        .guilds
        .bulk_ban_hindrance(guild_id, authority, who, Priority::Command)
        .await?;
    let why = hindrance.map(Hindrance::key).or_else(|| {
        // The roles and the setting can have changed since the preview.
        let is_protected = roles.as_deref().is_some_and(|roles| policy.protects(roles));
        is_protected.then_some("massban-why-protected")
    });
    Ok(why.map_or(Ok(roles.is_some()), Err))
}

/// Ban these users. Returns those who were banned by this request.
async fn request(
    to: &Deliverer,
    guild_id: Id<GuildMarker>,
    users: &[Id<UserMarker>],
    (batch, row): (&MassbanBatch, &Row),
) -> Result<Vec<Id<UserMarker>>, RestError> {
    #[derive(Deserialize)]
    struct Banned {
        banned_users: Vec<Id<UserMarker>>,
    }
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let values = [
        ("moderator", batch.moderator.clone().into()),
        ("reason", row.wanted.reason.clone().into()),
    ];
    let reason = Language::of_stored(&batch.locale).filled("massban-audit", &values);
    let reason = excerpt(&reason, AUDIT_REASON);
    let mut request = to.rest.builders().bulk_guild_ban(guild_id, users).reason(&reason);
    if row.wanted.delete_seconds > 0 {
        request = request.delete_message_seconds(row.wanted.delete_seconds);
    }
    match to.rest.send(Priority::Command, request).await {
        Ok(answer) => Ok(answer.model::<Banned>()?.banned_users),
        Err(RestError::Refused {
            code: Some(NONE_BANNED),
            ..
        }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Record on the cases that are left why they are not carried out. `why` is the key of a text.
async fn end_early(
    tx: &Tx<'_>,
    settings: &Settings,
    guild_id: Id<GuildMarker>,
    batch: &MassbanBatch,
    why: &'static str,
) -> Result<(), StoreError> {
    let key = (guild_id, batch.massban_id);
    if !massban::fail(tx, key, why).await? {
        return Ok(());
    }
    if let Some(row) = massban::get_in(tx, key).await?
        && let Some(first_case) = row.first_case
    {
        let left = case_of(first_case, row.done)..case_of(first_case, row.wanted.users.len());
        let outcomes: Vec<_> = left.map(|case_id| (case_id, why)).collect();
        outcome::actions_in(tx, guild_id, &outcomes).await?;
    }
    log(tx, settings, guild_id, batch).await
}

/// Add the entry of the log channel about a massban that is over.
async fn log(
    tx: &Tx<'_>,
    settings: &Settings,
    guild_id: Id<GuildMarker>,
    batch: &MassbanBatch,
) -> Result<(), StoreError> {
    let Some(row) = massban::get_in(tx, (guild_id, batch.massban_id)).await? else {
        return Ok(());
    };
    let of = (guild_id, Language::of_stored(&batch.locale));
    let log = ModerationSettings::log_within(tx, settings, of, Kind::Ban).await?;
    let entry = log.entry(|language| {
        let values = [("moderator", batch.permit.moderator_id().to_string().into())];
        let by = language.filled("massban-log-by", &values);
        format!("{} {by}", row.in_words(language))
    });
    queue::add(tx, entry.as_slice()).await
}
