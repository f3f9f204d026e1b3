//! Changing when a punishment ends that runs: its timer follows, and a timeout on Discord too.

use std::time::{Duration, SystemTime};

use super::{
    Act, Denied, Done,
    case_changes::ChangedEnd,
    effects::{
        action::{ModAction, Moved},
        action_message::ActionMessage,
        wording::Wording,
    },
    kind::Kind,
    log::GuildLog,
    punishment_timers,
    rows::{
        case::{self, Case},
        case_change,
    },
};
use crate::{
    discord::guilds::authority::PunishPermit,
    outbox::queue::{self, NewEffect},
    postgres::{StoreError, Tx},
    support::{
        i18n::Language,
        ids::{self, MemberKey},
    },
};

/// When a punishment is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewEnd {
    /// This long after the interaction.
    After(Duration),
    /// Not by itself. Only bans can do without an end.
    Never,
    /// Its timer is cancelled: a ban stays, and a timeout is not prolonged any more.
    Cancelled,
}

/// A change of the end of a punishment.
#[derive(Clone, Debug)]
pub struct EndChange {
    /// The new end.
    pub end: NewEnd,
    /// The moderator's name, for Discord's audit log.
    pub moderator: String,
    /// The moderator's permission for such a punishment; `None` if it was refused.
    pub permit: Option<PunishPermit>,
}

/// Change the end of the punishment of a case. The guild must be [locked](super::rows::mod_case::lock).
pub(super) async fn change(
    tx: &Tx<'_>,
    act: &Act,
    case: &Case,
    new: &EndChange,
    language: Language,
) -> Result<Done<ChangedEnd>, StoreError> {
    let Some(permit) = new.permit else {
        return Ok(Err(Denied::Refused));
    };
    let (at, key) = (act.at(), (act.guild_id, case.case_id));
    if !is_running(tx, act, case).await? {
        return Ok(Err(Denied::Ended));
    }
    let is_timeout = case.kind == Some(Kind::Timeout);
    let ends_at = match new.end {
        NewEnd::After(span) => Some(at + span),
        NewEnd::Never if is_timeout => return Ok(Err(Denied::NeedsEnd)),
        NewEnd::Cancelled if is_timeout => match punishment_timers::without_renewal(tx, key, case).await? {
            None => return Ok(Err(Denied::Ended)),
            ends_at => ends_at,
        },
        NewEnd::Never | NewEnd::Cancelled => None,
    };
    let kind = match (is_timeout, ends_at) {
        (true, _) => Kind::Timeout,
        (false, Some(_)) => Kind::Tempban,
        (false, None) => Kind::Ban,
    };
    case_change::end(tx, key, kind, ends_at).await?;
    let locale = language.locales().first().copied().unwrap_or_default();
    punishment_timers::rearm(tx, key, kind, (at, ends_at), locale).await?;
    let ends_at_ms = ends_at.map(ids::to_millis);
    if is_timeout {
        let action = ModAction {
            kind,
            case_id: case.case_id,
            until_ms: ends_at_ms,
            at_ms: ids::millis(act.interaction_id),
            delete_seconds: 0,
            reason: case.reason.clone(),
            moderator: new.moderator.clone(),
            prolongs: true,
            replaces: false,
            locale: locale.to_owned(),
            permit: Some(permit),
            request_id: Some(act.interaction_id),
            moved: Some(Moved {
                before_ms: case.ends_at.map(ids::to_millis),
            }),
        };
        let key = MemberKey {
            guild_id: act.guild_id,
            user_id: case.user_id,
        };
        queue::add(tx, &[NewEffect::for_member(key, &action)]).await?;
    }
    Ok(Ok(ChangedEnd { kind, ends_at_ms }))
}

/// The message to the member about the new end.
pub(super) fn message(act: &Act, case: &Case, end: ChangedEnd, log: &GuildLog) -> NewEffect {
    let message = ActionMessage {
        kind: end.kind,
        case_id: case.case_id,
        reason: String::new(),
        until_ms: end.ends_at_ms,
        moderator_id: log.moderators_shown.then_some(act.moderator_id),
        locale: log.language.code().to_owned(),
        wording: Wording::default(),
        new_end: true,
        appeal_url: None,
    };
    let key = MemberKey {
        guild_id: act.guild_id,
        user_id: case.user_id,
    };
    NewEffect::for_member(key, &message)
}

/// Whether the punishment of a case has begun, or is about to, and has not ended.
async fn is_running(tx: &Tx<'_>, act: &Act, case: &Case) -> Result<bool, StoreError> {
    let Some(kind) = case.kind.filter(|kind| Kind::LASTING.contains(kind)) else {
        return Ok(false);
    };
    let is_over = |ends_at: SystemTime| ends_at <= act.at();
    if case.removed_at.is_some()
        || case.ended_at.is_some()
        || case.ends_at.is_some_and(is_over)
        || case.was_refused()
    {
        return Ok(false);
    }
    let newest = case::newest_in(tx, act.guild_id, case.user_id, kind.deciding()).await?;
    Ok(newest.is_some_and(|newest| newest.case_id == case.case_id))
}
