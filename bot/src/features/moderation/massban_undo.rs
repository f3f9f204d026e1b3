//! Taking back a massban: the bans that are still those of its cases are lifted, with a case each.

use serde::{Deserialize, Serialize};
use twilight_model::id::{
    Id,
    marker::{InteractionMarker, UserMarker},
};

use super::{
    Act, Denied, appeals,
    effects::action_lift::{ActionLift, Because},
    kind::Kind,
    once, punishment_timers,
    rows::{
        appeal::Ended,
        massban::{self, Row},
        mod_case,
    },
    settings::ModerationSettings,
};
use crate::{
    discord::guilds::authority::PunishPermit,
    outbox::queue::{self, NewEffect},
    postgres::{
        Store, StoreError, Tx,
        request::{Completed, Work},
    },
    settings::Settings,
    support::{
        i18n::{Language, Value},
        ids::MemberKey,
    },
};

/// Who takes back a massban.
#[derive(Clone, Debug)]
pub(crate) struct Undoing {
    pub(crate) massban_id: Id<InteractionMarker>,
    pub(crate) permit: PunishPermit,
    /// The moderator's name, for the cases.
    pub(crate) moderator: String,
}

/// The cases of the bans that are lifted, first and last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Undone {
    pub(crate) first_case: i64,
    pub(crate) last_case: i64,
}

/// Make the cases and order the ends of the bans, once for this interaction. `language` applies if the guild chose none.
pub(crate) async fn undo(
    store: &Store,
    settings: &Settings,
    (act, language): (Act, Language),
    undoing: Undoing,
) -> Result<Result<Undone, Denied>, StoreError> {
    once(
        store,
        settings,
        (act, "massban_undo"),
        undoing,
        move |tx, settings, undoing| Box::pin(undo_in(tx, settings, (act, language), undoing)),
    )
    .await
}

async fn undo_in(
    tx: &Tx<'_>,
    settings: &Settings,
    (act, language): (Act, Language),
    undoing: &Undoing,
) -> Work<Undone, Denied> {
    let guild_id = act.guild_id;
    let row = massban::get_in(tx, (guild_id, undoing.massban_id)).await?;
    let Some(cases) = row.filter(Row::is_over).and_then(|row| row.cases()) else {
        return Ok(Err(Denied::UnknownCase));
    };
    let users = massban::still_banned(tx, guild_id, cases).await?;
    if users.is_empty() {
        return Ok(Err(Denied::Ended));
    }
    let at = act.at();
    let banned: Vec<Id<UserMarker>> = users.iter().map(|(user_id, _)| *user_id).collect();
    let mut effects = punishment_timers::replace(tx, guild_id, &banned, Kind::Unban, at).await?;
    let case = mod_case::New {
        guild_id,
        kind: Kind::Unban,
        user_id: act.moderator_id,
        moderator_id: act.moderator_id,
        names: mod_case::Names {
            user: None,
            moderator: Some(&undoing.moderator),
        },
        reason: "",
        at,
        expires_at: None,
        ends_at: None,
        audit_entry_id: None,
    };
    let first_case = mod_case::add_many(tx, &case, &users).await?;
    let log = ModerationSettings::log_within(tx, settings, (guild_id, language), Kind::Ban).await?;
    let lift = |(case_id, user_id)| {
        let lift = ActionLift {
            kind: Kind::Unban,
            case_id,
            because: Because::Command {
                moderator: undoing.moderator.clone(),
                reason: String::new(),
            },
            locale: log.language.code().to_owned(),
            permit: Some(undoing.permit),
            ends_at_ms: None,
        };
        NewEffect::for_member(MemberKey { guild_id, user_id }, &lift)
    };
    let last_case = first_case + i64::try_from(banned.len()).unwrap_or(1) - 1;
    effects.extend((first_case..).zip(banned.iter().copied()).map(lift));
    let how = (Ended::Undone, Some(act.moderator_id), at);
    effects.extend(appeals::ended(tx, &log, (guild_id, banned.as_slice()), how).await?);
    effects.extend(log.entry(|language| {
        let values = [
            ("moderator", act.moderator_id.to_string().into()),
            ("users", Value::Count(banned.len() as u64)),
            ("first", first_case.to_string().into()),
            ("last", last_case.to_string().into()),
        ];
        language.filled("massban-log-undone", &values)
    }));
    queue::add(tx, &effects).await?;
    let undone = Undone {
        first_case,
        last_case,
    };
    Ok(Ok(Completed::kept(undone)))
}
