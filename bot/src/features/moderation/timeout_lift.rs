//! Lifting a timeout whose warning was removed.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

use super::{Act, Denied, kind::Kind, once, settings::ModerationSettings, warnings::Warned};
use crate::{
    discord::guilds::authority::{Action, PunishPermit},
    features::moderation::effects::punishment::TimeoutLift,
    outbox::queue::{self, NewEffect},
    postgres::{
        Store, StoreError, Tx,
        request::{self, Completed, Work},
    },
    settings::Settings,
    support::{
        i18n::Language,
        ids::{self, MemberKey},
    },
};

/// A timeout caused by a warning, still in effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The number of the warning.
    pub case_id: i64,
    /// The member in timeout.
    pub user_id: Id<UserMarker>,
    /// When it ends, in milliseconds since 1970.
    pub until_ms: i64,
}

/// The timeout caused by a warning, if it has not ended at `at`.
pub async fn running(
    store: &Store,
    guild_id: Id<GuildMarker>,
    case_id: i64,
    at: SystemTime,
) -> Result<Option<Running>, StoreError> {
    let after = request::result_about(store, guild_id, case_id, "warn").await?;
    let warned: Option<Warned> = after.and_then(|after| serde_json::from_str(&after).ok());
    Ok(warned.and_then(|warned| {
        let timeouts = warned
            .crossed
            .iter()
            .filter(|crossing| crossing.action == Action::Timeout && crossing.hindrance.is_none());
        let until_ms = timeouts.filter_map(|crossing| crossing.until_ms).max()?;
        (until_ms > ids::to_millis(at)).then_some(Running {
            case_id,
            user_id: warned.user_id,
            until_ms,
        })
    }))
}

/// Lift a timeout, once per interaction however often this is called. `language` applies if the guild chose none.
pub async fn lift(
    store: &Store,
    settings: &Settings,
    (act, language): (Act, Language),
    running: Running,
    permit: PunishPermit,
) -> Result<Result<Running, Denied>, StoreError> {
    once(
        store,
        settings,
        (act, "timeout_lift"),
        (),
        move |tx, settings, ()| Box::pin(lift_in(tx, settings, (act, language), running, permit)),
    )
    .await
}

async fn lift_in(
    tx: &Tx<'_>,
    settings: &Settings,
    (act, language): (Act, Language),
    running: Running,
    permit: PunishPermit,
) -> Work<Running, Denied> {
    let of = (act.guild_id, language);
    let log = ModerationSettings::log_within(tx, settings, of, Kind::Warning).await?;
    let locale = log.language.locales().first().copied().unwrap_or_default();
    let lift = TimeoutLift {
        case_id: running.case_id,
        until_ms: running.until_ms,
        locale: locale.to_owned(),
        permit,
    };
    let key = MemberKey {
        guild_id: act.guild_id,
        user_id: running.user_id,
    };
    let mut effects = vec![NewEffect::for_member(key, &lift)];
    effects.extend(log.entry(|language| {
        let values = [
            ("case", running.case_id.to_string().into()),
            ("user", running.user_id.to_string().into()),
            ("moderator", act.moderator_id.to_string().into()),
        ];
        language.filled("warning-log-lifted", &values)
    }));
    queue::add(tx, &effects).await?;
    Ok(Ok(Completed::kept(running).about(running.case_id)))
}
