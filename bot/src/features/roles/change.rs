//! Changing a role or a nickname, once per interaction, and taking roles whose time is over.

use std::{sync::Arc, time::SystemTime};

use futures_util::future::BoxFuture;
use twilight_model::id::{Id, marker::InteractionMarker};

use super::{
    effects::{
        nick::{self, NickChange},
        role::{self, Replaced, RoleChange},
    },
    rows,
};
use crate::{
    outbox::{
        queue::{self, NewEffect},
        timers::TimerKind,
    },
    postgres::{
        Store, StoreError, Tx,
        request::Request,
        timer::{self, Due, NewTimer, claim::Firing},
    },
    settings::{
        Settings,
        mod_log::{GuildLog, Subject},
    },
    support::{
        i18n::Language,
        ids::{self, MemberKey},
    },
};

/// The kind of the timer that takes a role. Its ID is the interaction that gave the role.
pub(crate) const ROLE_END: &str = "role_end";

/// Give or take a role, once for this request. Giving it again replaces its earlier end. False if it was carried out before.
pub(crate) async fn role(
    (store, settings): (&Store, &Settings),
    request: Request,
    key: MemberKey,
    effect: RoleChange,
) -> Result<bool, StoreError> {
    let request_id = request.request_id;
    let settings = settings.clone();
    let done = store.carry_out("role_change", request, move |tx| {
        let (settings, mut effect) = (settings.clone(), effect.clone());
        Box::pin(async move {
            // A change that is given up at this moment restores what it replaced before, or sees this request.
            rows::hold_changes(tx, key).await?;
            if let Some((before, ends_at)) = rows::take(tx, key, effect.role_id).await? {
                timer::cancel(tx, key.guild_id, ROLE_END, ids::to_db(before)).await?;
                effect.replaced = Some(Replaced {
                    request_id: before,
                    ends_at_ms: ids::to_millis(ends_at),
                });
            }
            if let Some(ends_at) = effect.ends_at() {
                rows::add(tx, key, effect.role_id, request_id, ends_at).await?;
                timer::arm(tx, &[end_of(key, request_id, ends_at)]).await?;
            }
            let log =
                GuildLog::about(tx, &settings, key.guild_id, (Subject::Members, effect.language())).await?;
            let line = log.entry(|language| role::in_log(language, key, &effect));
            queue::add(tx, line.as_slice()).await?;
            queue::add_urgent(tx, &[NewEffect::for_member(key, &effect)]).await
        })
    });
    done.await
}

fn end_of(key: MemberKey, request_id: Id<InteractionMarker>, ends_at: SystemTime) -> NewTimer {
    NewTimer {
        guild_id: key.guild_id,
        kind: ROLE_END,
        timer_id: ids::to_db(request_id),
        due: Due::At(ends_at),
        body: "{}".to_owned(),
    }
}

/// A role that could not be given does not end, and what a change replaced that was given up is in force again, unless a later change has
/// taken its place.
pub(crate) async fn take_back(tx: &Tx<'_>, key: MemberKey, effect: &RoleChange) -> Result<(), StoreError> {
    let Some(request_id) = effect.request_id else {
        return Ok(());
    };
    let request = ids::to_db(request_id);
    if effect.ends_at_ms.is_some() && rows::take_given_by(tx, key.guild_id, request).await?.is_some() {
        timer::cancel(tx, key.guild_id, ROLE_END, request).await?;
    }
    if let Some((before, ends_at)) = rows::restore(tx, key, effect.role_id).await? {
        timer::arm(tx, &[end_of(key, before, ends_at)]).await?;
    }
    Ok(())
}

/// Change a nickname, once for this request. False if it was carried out before.
pub(crate) async fn nick(
    (store, settings): (&Store, &Settings),
    request: Request,
    key: MemberKey,
    effect: NickChange,
) -> Result<bool, StoreError> {
    let (settings, effect) = (settings.clone(), Arc::new(effect));
    let done = store.carry_out("nick_change", request, move |tx| {
        let (settings, effect) = (settings.clone(), Arc::clone(&effect));
        Box::pin(async move {
            let log =
                GuildLog::about(tx, &settings, key.guild_id, (Subject::Members, effect.language())).await?;
            let line = log.entry(|language| nick::in_log(language, key, &effect));
            queue::add(tx, line.as_slice()).await?;
            queue::add_urgent(tx, &[NewEffect::for_member(key, &*effect)]).await
        })
    });
    done.await
}

/// Takes a role whose time is over, even if the moderator who gave it has left.
#[derive(Debug)]
pub(crate) struct RoleEnd;

impl TimerKind for RoleEnd {
    fn name(&self) -> &'static str {
        ROLE_END
    }

    fn fire<'t>(&'t self, tx: &'t Tx<'_>, timer: &'t Firing) -> BoxFuture<'t, Result<(), StoreError>> {
        Box::pin(async move {
            let Some(guild_id) = timer.guild_id else {
                return Err(StoreError::Rejected("a role without a guild".to_owned()));
            };
            let Some((key, role_id)) = rows::take_given_by(tx, guild_id, timer.timer_id).await? else {
                return Ok(());
            };
            let effect = RoleChange {
                request_id: None,
                role_id,
                gives: false,
                permit: None,
                ends_at_ms: None,
                reason: None,
                audit_reason: None,
                locale: Language::English.code().to_owned(),
                replaced: None,
            };
            queue::add(tx, &[NewEffect::for_member(key, &effect)]).await
        })
    }
}
