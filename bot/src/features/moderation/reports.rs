//! Reports of members to the staff: one row and one message in the staff's channel for each, which buttons and cases change.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, InteractionMarker, UserMarker},
};

use super::{
    Act, Denied,
    effects::report::{ReportClosed, ShowReport},
    once,
    rows::report::{self, Entry, Message, Report},
    settings::ModerationSettings,
};
use crate::{
    outbox::queue::{self, NewEffect},
    postgres::{
        Store, StoreError, Tx,
        request::{Completed, Work},
    },
    settings::Settings,
    support::{i18n::Language, ids::MemberKey},
};

/// The most reports of one member in [`LIMITED`].
pub(crate) const MOST: i64 = 5;
const LIMITED: Duration = Duration::from_hours(1);

/// What a member reports.
#[derive(Clone, Debug)]
pub(crate) struct NewReport {
    /// Whom it is about.
    pub(crate) user_id: Id<UserMarker>,
    /// The message that it is about.
    pub(crate) message: Option<Message>,
    pub(crate) reason: String,
    pub(crate) staff_channel_id: Id<ChannelMarker>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reported {
    /// It is a new report, or part of one by another member.
    Done,
    /// The member has reported the message before.
    Again,
    /// The member has reported too often.
    TooMany,
}

/// What came of a press of *Claim*, *Release* or *Dismiss*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Handled {
    Done,
    /// Another moderator has claimed it.
    ClaimedBy(Id<UserMarker>),
}

/// Report a member, once for this interaction. The member who reports is the moderator of `act`.
pub(crate) async fn report(
    store: &Store,
    settings: &Settings,
    (act, language): (Act, Language),
    new: NewReport,
) -> Result<Result<Reported, Denied>, StoreError> {
    once(
        store,
        settings,
        (act, "report"),
        new,
        move |tx, _settings, new| Box::pin(report_in(tx, (act, language), new)),
    )
    .await
}

async fn report_in(tx: &Tx<'_>, (act, language): (Act, Language), new: &NewReport) -> Work<Reported, Denied> {
    let (guild_id, at) = (act.guild_id, act.at());
    let lately = report::count_since(tx, guild_id, act.moderator_id, (at - LIMITED, at));
    if lately.await? >= MOST {
        return Ok(Ok(Completed::kept(Reported::TooMany)));
    }
    let known = match new.message {
        Some(message) => report::open_of(tx, guild_id, message, new.user_id).await?,
        None => None,
    };
    let report_id = known.unwrap_or(act.interaction_id);
    let key = (guild_id, report_id);
    if known.is_none() {
        report::add(tx, key, (new.user_id, new.message), new.staff_channel_id, at).await?;
    }
    let entry = Entry {
        user_id: act.moderator_id,
        reason: new.reason.clone(),
        created_at: at,
        locale: language.code().to_owned(),
    };
    if !report::add_entry(tx, key, &entry).await? {
        return Ok(Ok(Completed::kept(Reported::Again)));
    }
    show(tx, guild_id, report_id, language).await?;
    Ok(Ok(Completed::kept(Reported::Done)))
}

/// Record that a moderator has claimed a report, or that nobody has, once for this interaction. Any moderator can release it, since the one
/// who claimed it may be away.
pub(crate) async fn claim(
    store: &Store,
    settings: &Settings,
    (act, language): (Act, Language),
    (report_id, is_claimed): (Id<InteractionMarker>, bool),
) -> Result<Result<Handled, Denied>, StoreError> {
    let action = if is_claimed {
        "report_claim"
    } else {
        "report_release"
    };
    let claimed_by = is_claimed.then_some(act.moderator_id);
    once(store, settings, (act, action), (), move |tx, _settings, ()| {
        Box::pin(claim_in(tx, (act, language), report_id, claimed_by))
    })
    .await
}

async fn claim_in(
    tx: &Tx<'_>,
    (act, language): (Act, Language),
    report_id: Id<InteractionMarker>,
    claimed_by: Option<Id<UserMarker>>,
) -> Work<Handled, Denied> {
    let report = match open(tx, &act, report_id).await? {
        Ok(report) => report,
        Err(denied) => return Ok(Err(denied)),
    };
    match (report.claimed_by, claimed_by) {
        (before, now) if before == now => {}
        (Some(other), Some(_)) => return Ok(Ok(Completed::kept(Handled::ClaimedBy(other)))),
        _ => {
            report::claim(tx, (act.guild_id, report_id), claimed_by).await?;
            show(tx, act.guild_id, report_id, language).await?;
        }
    }
    Ok(Ok(Completed::kept(Handled::Done)))
}

/// A report that is open.
async fn open(
    tx: &Tx<'_>,
    act: &Act,
    report_id: Id<InteractionMarker>,
) -> Result<Result<Report, Denied>, StoreError> {
    let report = report::get_in(tx, (act.guild_id, report_id)).await?;
    Ok(match report {
        None => Err(Denied::UnknownCase),
        Some(report) if report.is_closed() => Err(Denied::Removed),
        Some(report) => Ok(report),
    })
}

/// Close a report without a case, once for this interaction.
pub(crate) async fn dismiss(
    store: &Store,
    settings: &Settings,
    (act, language): (Act, Language),
    report_id: Id<InteractionMarker>,
) -> Result<Result<Handled, Denied>, StoreError> {
    once(
        store,
        settings,
        (act, "report_dismiss"),
        (),
        move |tx, settings, ()| {
            Box::pin(async move {
                let policy = ModerationSettings::within(tx, settings, act.guild_id).await?;
                let is_open = close(tx, &policy, &act, (Some(report_id), language)).await?;
                Ok(is_open
                    .then(|| Completed::kept(Handled::Done))
                    .ok_or(Denied::Removed))
            })
        },
    )
    .await
}

/// Close the report to which a moderator reacts. False if it is closed already: then someone else has reacted. The guild must be
/// [locked](super::rows::mod_case::lock).
pub(super) async fn close(
    tx: &Tx<'_>,
    policy: &ModerationSettings,
    act: &Act,
    (report_id, language): (Option<Id<InteractionMarker>>, Language),
) -> Result<bool, StoreError> {
    let Some(report_id) = report_id else {
        return Ok(true);
    };
    let key = (act.guild_id, report_id);
    if !report::close(tx, key, act.moderator_id, act.at()).await? {
        return Ok(false);
    }
    if policy.report_replies {
        let entries = report::entries_in(tx, key).await?;
        let replies: Vec<NewEffect> = entries
            .into_iter()
            .map(|entry| {
                let to = MemberKey {
                    guild_id: act.guild_id,
                    user_id: entry.user_id,
                };
                NewEffect::for_member(to, &ReportClosed { locale: entry.locale })
            })
            .collect();
        queue::add(tx, &replies).await?;
    }
    show(tx, act.guild_id, report_id, language).await?;
    Ok(true)
}

/// Record the case that a report led to, if there is one.
pub(super) async fn led_to(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    report_id: Option<Id<InteractionMarker>>,
    case_id: i64,
) -> Result<(), StoreError> {
    match report_id {
        Some(report_id) => report::led_to(tx, (guild_id, report_id), case_id).await,
        None => Ok(()),
    }
}

/// Have the staff's message about a report brought up to date.
async fn show(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    report_id: Id<InteractionMarker>,
    language: Language,
) -> Result<(), StoreError> {
    let Some(report) = report::get_in(tx, (guild_id, report_id)).await? else {
        return Ok(());
    };
    let show = ShowReport {
        report_id,
        locale: language.code().to_owned(),
    };
    queue::add(
        tx,
        &[NewEffect::for_channel(guild_id, report.staff_channel_id, &show)],
    )
    .await
}
