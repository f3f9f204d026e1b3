//! Moderation: warnings, bans, kicks and timeouts as numbered cases, the thresholds that warnings reach, and the permissions involved.
//!
//! Each interaction is one transaction that records the interaction's ID: the case, the member's counts, and the effects on Discord (a
//! direct message, a punishment, an entry in the log channel) in the outbox. A replay finds the ID, changes nothing, and returns the first
//! answer. All times come from the interaction, so they do not depend on when it is processed.

pub mod actions;
pub(crate) mod appeals;
pub(crate) mod automod;
pub mod by_hand;
pub mod case_changes;
/// The commands.
pub mod commands {
    mod act;
    pub(crate) mod appeal;
    pub(crate) mod ban;
    pub(crate) mod case;
    pub(crate) mod case_edit;
    pub(crate) mod case_list;
    mod case_texts;
    mod confirmation;
    mod forms;
    pub(crate) mod massban;
    pub(crate) mod removal;
    pub(crate) mod report;
    pub(crate) mod warn;
    pub(crate) mod warning;
    pub(crate) mod warnings;
}
/// The effects on Discord.
pub mod effects {
    pub mod action;
    pub mod action_lift;
    pub mod action_message;
    mod carry_out;
    pub mod case_log;
    pub mod case_log_edit;
    pub mod evidence;
    pub(crate) mod massban;
    pub mod punishment;
    pub(crate) mod report;
    pub mod warned;
    pub mod wording;
}
pub mod end_change;
pub mod evidence;
pub mod kind;
mod log_text;
pub(crate) mod massban;
pub(crate) mod massban_undo;
pub(crate) mod policy;
pub mod punishment_timers;
pub mod rejoins;
pub(crate) mod reports;
pub mod timeout_lift;
/// The tables.
pub mod rows {
    pub(crate) mod appeal;
    pub mod audit_entry;
    pub mod case;
    pub mod case_change;
    pub mod case_note;
    pub mod log_message;
    pub(crate) mod massban;
    pub mod member_warnings;
    pub mod mod_case;
    pub mod outcome;
    pub(crate) mod report;
    pub(crate) mod report_search;
    pub mod standing;
    pub mod threshold;
    pub mod warning;
}
/// The pages.
mod pages {
    pub(super) mod activity;
    pub(super) mod api;
    pub(super) mod appeal;
    pub(super) mod appeal_view;
    pub(super) mod appeals;
    pub(super) mod case;
    pub(super) mod list;
    pub(super) mod report;
    pub(super) mod reports;
    mod search;
    mod state;
    mod table;
    pub(super) mod thresholds;
}
pub mod settings;
pub mod texts;
pub mod threshold_settings;
pub mod thresholds;
pub mod warnings;

use std::{sync::Arc, time::SystemTime};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker, UserMarker},
};

use self::{
    appeals::Website,
    effects::{
        action::ModActions,
        action_lift::ActionLifts,
        action_message::ActionMessages,
        case_log::CaseLogs,
        case_log_edit::CaseLogEdits,
        evidence::CaseEvidences,
        massban::Massbans,
        punishment::{Punishments, TimeoutLifts},
        report::{ReportsClosed, ShowReports},
        warned::DirectWarnings,
    },
    log::ModLogs,
    punishment_timers::{TEMPBAN_END, TIMEOUT_RENEWAL, TempbanEnds, TimeoutRenewals},
    settings::ModerationSettings,
};
pub(crate) use crate::settings::mod_log as log;
pub use crate::support::text::duration;
use crate::{
    interactions::feature::{Expected, Feature},
    postgres::{
        Store, StoreError, Tx,
        request::{Actor, Request, Work},
        table::{guild_table, member_table},
    },
    settings::{Settings, section::Choices as _},
    support::ids,
};

/// The manifest.
pub(crate) const FEATURE: Feature = Feature {
    commands: &[
        &commands::ban::Ban,
        &commands::ban::Softban,
        &commands::ban::Tempban,
        &commands::ban::Unban,
        &commands::massban::Massban,
        &commands::removal::Kick,
        &commands::removal::Timeout,
        &commands::removal::Untimeout,
        &commands::warn::Warn,
        &commands::warning::Warning,
        &commands::warnings::Warnings,
        &commands::case::Case,
        &commands::case_list::History,
        &commands::case_list::Modlog,
        &commands::report::Report,
    ],
    pages: &[
        &pages::list::CaseList,
        &pages::case::CasePage,
        &pages::list::MemberHistory,
        &pages::activity::Activity,
        &pages::reports::ReportList,
        &pages::report::ReportPage,
        &pages::appeals::AppealList,
        &pages::appeal_view::AppealPage,
        &pages::appeal::AppealForm,
        &pages::thresholds::THRESHOLDS,
        &pages::api::CasesApi,
        &pages::api::CaseApi,
    ],
    events: &[&automod::AutomodLog],
    effects: |settings| {
        vec![
            Box::new(Punishments(settings.clone())),
            Box::new(TimeoutLifts(settings.clone())),
            Box::new(DirectWarnings),
            Box::new(ModActions(settings.clone())),
            Box::new(ActionLifts(settings.clone())),
            Box::new(ActionMessages),
            Box::new(CaseLogs),
            Box::new(CaseLogEdits),
            Box::new(CaseEvidences(settings.clone())),
            Box::new(ModLogs),
            Box::new(Massbans(settings.clone())),
            Box::new(ShowReports(settings.clone())),
            Box::new(ReportsClosed),
        ]
    },
    expected: &[
        Expected::of_staff(TEMPBAN_END, commands::case_edit::reschedule).about(punishment_timers::subjects),
        Expected::of_staff(TIMEOUT_RENEWAL, commands::case_edit::reschedule)
            .about(punishment_timers::subjects),
        Expected::fixed(massban::FORGET),
    ],
    undos: &threshold_settings::UNDOS,
    row_settings: &[threshold_settings::IN_HISTORY],
    follow_up: Feature::NOTHING.follow_up,
    settings: &[&ModerationSettings::SECTION],
    state: |state, config| {
        state.insert(Website::of(config));
    },
    timers: |registry, _| {
        registry
            .with(TempbanEnds)
            .with(TimeoutRenewals)
            .with(massban::Forget)
    },
    // Members could otherwise reset their record at will.
    tables: &[
        guild_table!("warning"),
        member_table!("case_note")
            .exported_by(rows::case_note::EXPORT)
            .kept(),
        member_table!("mod_case")
            .exported_by(rows::mod_case::EXPORT)
            .kept(),
        guild_table!("massban"),
        member_table!("report_entry"),
        // The report is about another member, and stays.
        member_table!("report").exported_by(rows::report::EXPORT).kept(),
        member_table!("appeal_vote"),
        member_table!("appeal").exported_by(rows::appeal::EXPORT),
        member_table!("member_warnings").kept(),
        guild_table!("warning_threshold"),
        guild_table!("mod_guild"),
    ],
};

/// The maximum length of a reason, in characters.
pub const LONGEST_REASON: usize = 1_000;
/// The maximum length of a quoted reason, in UTF-16 code units: quoting adds two to each line.
pub const LONGEST_QUOTATION: usize = 1_300;
/// The maximum points of a warning.
pub const MOST_POINTS: i64 = 100;
/// The maximum number of thresholds per guild.
pub const MOST_THRESHOLDS: usize = 20;

/// The severity of a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// One point by default.
    Low,
    /// Two points by default.
    Medium,
    /// Three points by default.
    High,
}

/// An interaction that makes a change.
#[derive(Clone, Copy, Debug)]
pub struct Act {
    /// The guild in which it was used.
    pub guild_id: Id<GuildMarker>,
    /// The interaction, which identifies the change on replay.
    pub interaction_id: Id<InteractionMarker>,
    /// The member who used the command.
    pub moderator_id: Id<UserMarker>,
    /// Whether it is a form of the website.
    pub is_form: bool,
}

/// Why a change was rejected, although nothing failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The guild has no case with this number.
    UnknownCase,
    /// The case has been removed.
    Removed,
    /// The case is about the moderator themselves.
    Own,
    /// The guild has the maximum number of thresholds.
    TooMany,
    /// The guild has no threshold with these points.
    UnknownThreshold,
    /// The check before the transaction has refused it.
    Refused,
    /// The moderator has made this many of such cases in the last hour, the most that the server allows.
    Limit(i64),
    /// The punishment of the case has not ended.
    Running,
    /// The case has no punishment that runs.
    Ended,
    /// The punishment has to end by itself.
    NeedsEnd,
    /// The guild has no log channel.
    NoLog,
}

impl Severity {
    /// All severities, the lowest first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// The word in the table and in the command's option.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// Parses a word; `None` for an unknown one.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.word() == word)
    }

    /// Points where the moderator gives none.
    pub const fn points(self) -> i64 {
        match self {
            Self::Low => 1,
            Self::Medium => 2,
            Self::High => 3,
        }
    }
}

impl Act {
    /// When the interaction was created, taken from its ID.
    pub fn at(&self) -> SystemTime {
        ids::to_time(ids::millis(self.interaction_id))
    }
}

/// The result of a transaction.
type Done<T> = Result<T, Denied>;

/// Carry out an interaction once. `work` does what is `wanted` in a transaction that holds the [lock](rows::mod_case::lock) of the guild's
/// cases; a replay gets the first answer.
async fn once<T, N, W>(
    store: &Store,
    settings: &Settings,
    (act, action): (Act, &'static str),
    wanted: N,
    work: W,
) -> Result<Done<T>, StoreError>
where
    W: for<'t> Fn(&'t Tx<'_>, &'t Settings, &'t N) -> BoxFuture<'t, Work<T, Denied>> + Send + Sync + 'static,
    N: Send + Sync + 'static,
    T: DeserializeOwned + Send + 'static,
{
    let request = Request {
        guild_id: act.guild_id,
        request_id: act.interaction_id,
        actor: if act.is_form {
            Actor::Web(act.moderator_id)
        } else {
            Actor::Member(act.moderator_id)
        },
        action,
        details: "{}".to_owned(),
    };
    let all = Arc::new((settings.clone(), wanted, work));
    let once = store.once(action, request, move |tx| {
        let all = Arc::clone(&all);
        Box::pin(async move {
            let (settings, wanted, work) = &*all;
            rows::mod_case::lock(tx, act.guild_id).await?;
            work(tx, settings, wanted).await
        })
    });
    Ok(match once.await? {
        Ok(once) => Ok(once.into_value()?),
        Err(denied) => Err(denied),
    })
}
