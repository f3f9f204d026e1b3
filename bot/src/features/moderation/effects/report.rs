//! The staff's message about a report, and the message to those who made it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use twilight_model::{
    channel::message::{AllowedMentions, Component, component::ButtonStyle},
    id::{
        Id,
        marker::{ChannelMarker, InteractionMarker, MessageMarker},
    },
};

use crate::{
    discord::rest::{Priority, RestError},
    features::moderation::{
        rows::report::{self, Entry, Report},
        texts,
    },
    interactions::define::{button, buttons},
    outbox::{
        delivery::Deliverer,
        kind::{EffectBody, EffectKind, Owner},
        message::{send_direct, send_with, server_of},
        outcome::{Failure, Undelivered, of_error},
        queue::{self, Waiting},
        trouble,
    },
    postgres::{StoreError, Tx},
    settings::{Settings, mod_log::GuildLog},
    support::{
        i18n::{Language, Value},
        ids,
        text::limits::{self, excerpt},
    },
};

/// How many of those who reported are named.
const NAMED: usize = 4;
/// How much of each reason is shown, in UTF-16 code units.
const REASON: usize = 350;
/// Unknown message: <https://docs.discord.com/developers/topics/opcodes-and-status-codes#json>.
const UNKNOWN_MESSAGE: u64 = 10_008;

/// The staff's message about a report is to be as the report is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShowReport {
    pub(crate) report_id: Id<InteractionMarker>,
    /// The language if the guild chose none, as one of Discord's locales.
    pub(crate) locale: String,
}

impl EffectBody for ShowReport {
    const KIND: &'static str = "report";
    const OWNER: Owner = Owner::Staff;
}

/// A report that a member has made is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReportClosed {
    /// The member's language, as one of Discord's locales.
    pub(crate) locale: String,
}

impl EffectBody for ReportClosed {
    const KIND: &'static str = "report_closed";
    const OWNER: Owner = Owner::Member;
}

/// Sends and edits the staff's messages.
#[derive(Debug)]
pub(crate) struct ShowReports(pub(crate) Settings);

impl EffectKind for ShowReports {
    type Body = ShowReport;

    async fn deliver(&self, to: &Deliverer, effect: &Waiting, show: ShowReport) -> Result<(), Undelivered> {
        deliver(&self.0, to, effect, &show).await
    }

    /// The staff learns of a report that its channel does not take in the log channel.
    async fn given_up(
        &self,
        tx: &Tx<'_>,
        effect: &Waiting,
        show: ShowReport,
        failure: &Failure,
    ) -> Result<(), StoreError> {
        let Some(report) = report::get_in(tx, (effect.guild_id, show.report_id)).await? else {
            return Ok(());
        };
        let language = Language::of_stored(&show.locale);
        let log = GuildLog::of(tx, &self.0, effect.guild_id, language).await?;
        let entry = log.entry(|language| {
            let values = [
                ("user", report.user_id.to_string().into()),
                ("channel", report.staff_channel_id.to_string().into()),
                ("why", trouble::in_words(&failure.detail, language).into()),
            ];
            language.filled("report-log-failed", &values)
        });
        queue::add(tx, entry.as_slice()).await
    }
}

/// Tells members that their report is closed.
#[derive(Debug)]
pub(crate) struct ReportsClosed;

impl EffectKind for ReportsClosed {
    type Body = ReportClosed;

    async fn deliver(
        &self,
        to: &Deliverer,
        effect: &Waiting,
        closed: ReportClosed,
    ) -> Result<(), Undelivered> {
        let server = server_of(to, effect).await?;
        let values = [("server", server.in_markdown().into())];
        let text = Language::of_stored(&closed.locale).filled("report-direct-closed", &values);
        send_direct(to, effect, &text).await
    }
}

async fn deliver(
    settings: &Settings,
    to: &Deliverer,
    effect: &Waiting,
    show: &ShowReport,
) -> Result<(), Undelivered> {
    let key = (effect.guild_id, show.report_id);
    let Some(report) = report::get(&to.store, key).await? else {
        return Err(Undelivered::Cancelled);
    };
    let entries = report::entries(&to.store, key).await?;
    let known = settings.of(&to.store, effect.guild_id).await?;
    let language = known
        .language
        .unwrap_or_else(|| Language::of_stored(&show.locale));
    let text = text(effect, &report, &entries, language);
    let components = controls(&report, show.report_id, language);
    if let Some(message_id) = report.staff_message_id {
        match edit(to, (report.staff_channel_id, message_id), &text, &components).await {
            Ok(()) => return Ok(()),
            // The staff has deleted it; they see it again as long as something is to be done.
            Err(RestError::Refused {
                code: Some(UNKNOWN_MESSAGE),
                ..
            }) if report.is_closed() => return Err(Undelivered::Cancelled),
            Err(RestError::Refused {
                code: Some(UNKNOWN_MESSAGE),
                ..
            }) => {}
            Err(error) => return Err(of_error(&error, ids::to_db(report.staff_channel_id))),
        }
    }
    let nobody = AllowedMentions::default();
    if let Some(message_id) = send_with(to, effect, (&text, &components), nobody).await? {
        to.retry_until_committed("noting the message of a report", || {
            report::shown(&to.store, key, message_id)
        })
        .await;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "it is fitted")]
async fn edit(
    to: &Deliverer,
    (channel_id, message_id): (Id<ChannelMarker>, Id<MessageMarker>),
    text: &str,
    components: &[Component],
) -> Result<(), RestError> {
    let text = excerpt(text, limits::CONTENT);
    let nobody = AllowedMentions::default();
    let request = to
        .rest
        .builders()
        .update_message(channel_id, message_id)
        .content(Some(&text))
        .components(Some(components))
        .allowed_mentions(Some(&nobody));
    to.rest.send(Priority::Effect, request).await.map(drop)
}

fn text(effect: &Waiting, report: &Report, entries: &[Entry], language: Language) -> String {
    let mut text = language.filled("report-title", &[("user", report.user_id.to_string().into())]);
    let mut add = |line: String| write!(text, "\n{line}").expect("a String takes everything");
    if let Some((channel_id, message_id)) = report.message {
        let link = format!(
            "https://discord.com/channels/{}/{channel_id}/{message_id}",
            effect.guild_id
        );
        add(language.filled("report-message", &[("link", link.into())]));
    }
    for entry in entries.iter().take(NAMED) {
        let values = [
            ("user", entry.user_id.to_string().into()),
            ("at", texts::relative(entry.created_at).into()),
            ("reason", texts::reason(language, &entry.reason, REASON).into()),
        ];
        add(language.filled("report-by", &values));
    }
    let more = entries.len().saturating_sub(NAMED);
    if more > 0 {
        add(language.filled("report-more", &[("members", Value::Count(more as u64))]));
    }
    let by = |key, moderator: Id<_>| {
        let case = report.case_id.unwrap_or_default().to_string();
        let values = [("moderator", moderator.to_string().into()), ("case", case.into())];
        language.filled(key, &values)
    };
    match (report.closed_by, report.claimed_by) {
        (Some(moderator), _) if report.case_id.is_some() => add(by("report-acted", moderator)),
        (Some(moderator), _) => add(by("report-dismissed", moderator)),
        (None, Some(moderator)) => add(by("report-claimed", moderator)),
        (None, None) => {}
    }
    text
}

/// The buttons of a report that is open.
fn controls(report: &Report, report_id: Id<InteractionMarker>, language: Language) -> Vec<Component> {
    if report.is_closed() {
        return Vec::new();
    }
    let press = |word: &str, style| {
        let label = language.text(&format!("report-{word}"));
        button(format!("report:{word}:{report_id}"), label, style)
    };
    let [claim, dismiss] = report.decisions();
    vec![buttons([
        press(claim, ButtonStyle::Primary),
        press(dismiss, ButtonStyle::Secondary),
        press("warn", ButtonStyle::Secondary),
        press("timeout", ButtonStyle::Secondary),
        press("ban", ButtonStyle::Danger),
    ])]
}
