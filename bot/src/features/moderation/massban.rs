//! Banning many users at once: one case each, made in one transaction when it is confirmed, and carried out in batches.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker, UserMarker},
};

use super::{
    Act, Denied,
    actions::LIMITED,
    effects::{action_message::ActionMessage, massban::MassbanBatch},
    kind::Kind,
    once, punishment_timers,
    rows::{
        massban::{self, Row, Wanted},
        mod_case,
    },
    settings::ModerationSettings,
    texts,
};
use crate::{
    discord::guilds::authority::members::BulkBanPermit,
    outbox::{
        queue::{self, NewEffect},
        timers::TimerKind,
    },
    postgres::{
        Store, StoreError, Tx,
        request::{Completed, Request, Work},
        timer::{self, NewTimer, claim::Firing},
    },
    settings::Settings,
    support::{i18n::Language, ids::MemberKey},
};

/// The most users at once.
pub(crate) const MOST: usize = 200;
/// The kind of the timer that forgets a massban.
pub(crate) const FORGET: &str = "massban_forget";

/// A massban that was confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Begun {
    /// The case of the first user.
    pub(crate) first_case: i64,
}

impl Row {
    /// The first and the last case.
    pub(crate) fn cases(&self) -> Option<(i64, i64)> {
        let first = self.first_case?;
        let users = i64::try_from(self.wanted.users.len()).ok()?;
        Some((first, first + users - 1))
    }

    /// What became of it, for its moderator and the log channel.
    pub(crate) fn in_words(&self, language: Language) -> String {
        let (first, last) = self.cases().unwrap_or_default();
        let mut values = vec![
            ("banned", language.number(self.banned as u64).into()),
            ("all", language.number(self.wanted.users.len() as u64).into()),
            ("first", first.to_string().into()),
            ("last", last.to_string().into()),
        ];
        let Some(failure) = &self.failure else {
            return language.filled("massban-done", &values);
        };
        values.push(("why", language.text(failure).into()));
        language.filled("massban-ended", &values)
    }
}

/// What a confirmation led to, kept for a replay.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Answer {
    Begun(Begun),
    /// The moderator would exceed the server's limit for an hour.
    Limited {
        limit: i64,
    },
}

/// Store what is to be confirmed, once for this request. False if it was carried out before.
pub(crate) async fn store(store: &Store, request: Request, wanted: Wanted) -> Result<bool, StoreError> {
    let key = (request.guild_id, request.request_id);
    let wanted = Arc::new(wanted);
    let done = store.carry_out("massban", request, move |tx| {
        let wanted = Arc::clone(&wanted);
        Box::pin(async move {
            massban::add(tx, key, &wanted).await?;
            timer::arm(tx, &[NewTimer::forgetting(key.0, FORGET, key.1)]).await
        })
    });
    done.await
}

/// Who confirms a massban, with the name for the cases.
#[derive(Clone, Debug)]
pub(crate) struct Confirmed {
    pub(crate) massban_id: Id<InteractionMarker>,
    pub(crate) permit: BulkBanPermit,
    pub(crate) moderator: String,
    /// Whether members get a direct message before.
    pub(crate) direct: bool,
    /// Where users can appeal; `None` for nowhere.
    pub(crate) appeal_url: Option<String>,
}

/// Make the cases and begin, once for this interaction. `language` applies if the guild chose none.
pub(crate) async fn confirm(
    store: &Store,
    settings: &Settings,
    (act, language): (Act, Language),
    confirmed: Confirmed,
) -> Result<Result<Begun, Denied>, StoreError> {
    let of = (act, "massban_confirm");
    let done = once(store, settings, of, confirmed, move |tx, settings, confirmed| {
        Box::pin(confirm_in(tx, settings, (act, language), confirmed))
    });
    Ok(done.await?.and_then(|answer| match answer {
        Answer::Begun(begun) => Ok(begun),
        Answer::Limited { limit } => Err(Denied::Limit(limit)),
    }))
}

async fn confirm_in(
    tx: &Tx<'_>,
    settings: &Settings,
    (act, language): (Act, Language),
    confirmed: &Confirmed,
) -> Work<Answer, Denied> {
    let key = (act.guild_id, confirmed.massban_id);
    let row = massban::get_in(tx, key).await?;
    let Some(row) = row.filter(|row| row.first_case.is_none()) else {
        return Ok(Err(Denied::UnknownCase));
    };
    let at = act.at();
    let policy = ModerationSettings::within(tx, settings, act.guild_id).await?;
    let of = (act.guild_id, language);
    let log = policy.log(tx, settings, of, Kind::Ban).await?;
    let users = &row.wanted.users;
    if let Some((limit, kinds)) = policy.limit(Kind::Ban) {
        let by = (act.guild_id, act.moderator_id);
        let before = mod_case::count_since(tx, by, kinds, (at - LIMITED, at)).await?;
        if before + i64::try_from(users.len()).unwrap_or(i64::MAX) > limit {
            let entry = log.entry(|language| texts::limited_massban(language, &act, users.len(), limit));
            queue::add(tx, entry.as_slice()).await?;
            return Ok(Ok(Completed::kept(Answer::Limited { limit })));
        }
    }
    let banned: Vec<Id<UserMarker>> = users.iter().map(|(user_id, _)| *user_id).collect();
    let mut effects = punishment_timers::replace(tx, act.guild_id, &banned, Kind::Ban, at).await?;
    let case = mod_case::New {
        guild_id: act.guild_id,
        kind: Kind::Ban,
        user_id: act.moderator_id,
        moderator_id: act.moderator_id,
        names: mod_case::Names {
            user: None,
            moderator: Some(&confirmed.moderator),
        },
        reason: &row.wanted.reason,
        at,
        expires_at: None,
        ends_at: None,
        audit_entry_id: None,
    };
    let first_case = mod_case::add_many(tx, &case, users).await?;
    massban::begin(tx, key, first_case).await?;
    let first = MassbanBatch {
        massban_id: confirmed.massban_id,
        from: 0,
        permit: confirmed.permit,
        moderator: confirmed.moderator.clone(),
        locale: language.code().to_owned(),
        message: confirmed.direct.then(|| ActionMessage {
            kind: Kind::Ban,
            case_id: first_case,
            reason: row.wanted.reason.clone(),
            until_ms: None,
            moderator_id: log.moderators_shown.then_some(act.moderator_id),
            locale: log.language.code().to_owned(),
            wording: policy.wording(Kind::Ban),
            new_end: false,
            appeal_url: confirmed.appeal_url.clone(),
        }),
    };
    effects.push(next_batch(act.guild_id, &first));
    queue::add_urgent(tx, &effects).await?;
    Ok(Ok(Completed::kept(Answer::Begun(Begun { first_case }))))
}

/// The effect of a batch. The batches of a moderator follow each other.
pub(super) fn next_batch(guild_id: Id<GuildMarker>, batch: &MassbanBatch) -> NewEffect {
    let key = MemberKey {
        guild_id,
        user_id: batch.permit.moderator_id(),
    };
    NewEffect::for_member(key, batch)
}

/// Stop a massban, once for this request. The batch that is being banned is not stopped.
pub(crate) async fn cancel(
    store: &Store,
    request: Request,
    massban_id: Id<InteractionMarker>,
) -> Result<bool, StoreError> {
    let key = (request.guild_id, massban_id);
    let done = store.carry_out("massban_cancel", request, move |tx| {
        Box::pin(async move { massban::cancel(tx, key).await.map(drop) })
    });
    done.await
}

/// Forgets massbans.
#[derive(Debug)]
pub(crate) struct Forget;

impl TimerKind for Forget {
    fn name(&self) -> &'static str {
        FORGET
    }

    fn fire<'t>(&'t self, tx: &'t Tx<'_>, timer: &'t Firing) -> BoxFuture<'t, Result<(), StoreError>> {
        Box::pin(async move { massban::remove(tx, timer.guild()?, timer.timer_id).await })
    }
}
