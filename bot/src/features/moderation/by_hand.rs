//! Moderation that was done without the bot's commands, in Discord or by other bots: entries of the audit log become cases.
//!
//! An entry is recorded once, by its ID, in the flush that moves the checkpoint past it. The bot's own actions appear in the audit log too:
//! their entries are linked to the cases that exist already.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout};
use twilight_gateway::Intents;
use twilight_model::{
    gateway::event::EventType,
    id::{
        Id,
        marker::{GuildMarker, UserMarker},
    },
};

use super::{
    LONGEST_QUOTATION, appeals,
    effects::case_log::CaseLog,
    kind::Kind,
    punishment_timers,
    rows::{appeal::Ended, audit_entry, case::Case, mod_case, outcome},
    settings::ModerationSettings,
    texts,
    warnings::Names,
};
use crate::{
    discord::{
        events::{
            audit_entry::{AuditEntry, Done},
            message_create::Unreadable,
        },
        guilds::Guilds,
        rest::Priority,
    },
    flush::{Batch, Change, Flush, Kept, Pending, SetAside},
    postgres::{Store, StoreError},
    support::{i18n::Language, ids},
};

/// How long a batch waits for the bot's own ID, which is read once per process.
const PATIENCE: Duration = Duration::from_secs(3);

/// The entries of a flush for which names are read, which is done for no longer than [`PATIENCE`] again.
const NAMED: usize = 20;

/// The kind of an entry in quarantine.
const KIND: &str = "audit_entry";

/// The entries of a shard's guilds that are not in a batch yet.
#[derive(Debug)]
pub struct Entries {
    entries: Vec<AuditEntry>,
    guilds: Option<Guilds>,
}

/// The entries that one flush takes out.
#[derive(Clone, Debug, Default)]
pub struct EntryBatch {
    entries: Vec<Recorded>,
    /// Knows the bot's own ID. `None` when it was asked.
    guilds: Option<Guilds>,
}

/// An entry to be recorded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recorded {
    #[serde(flatten)]
    entry: AuditEntry,
    /// Whether the bot did it.
    is_own: bool,
    /// The names of the user and of the moderator, if Discord told them in time.
    #[serde(default)]
    names: Names,
}

impl Entries {
    /// No entries. `guilds` knows the bot's own ID.
    pub const fn new(guilds: Option<Guilds>) -> Self {
        Self {
            entries: Vec::new(),
            guilds,
        }
    }
}

impl Pending for Entries {
    type Batch = EntryBatch;

    fn events() -> Vec<(EventType, Intents)> {
        vec![(EventType::GuildAuditLogEntryCreate, Intents::GUILD_MODERATION)]
    }

    fn on_event(&mut self, event_type: &str, text: &str) -> Result<usize, Unreadable> {
        if event_type != "GUILD_AUDIT_LOG_ENTRY_CREATE" {
            return Ok(0);
        }
        let Some(entry) = AuditEntry::parse(text)? else {
            return Ok(0);
        };
        let bytes = size_of::<AuditEntry>() + entry.reason.capacity();
        self.entries.push(entry);
        Ok(bytes)
    }

    fn changes(&self) -> usize {
        self.entries.len()
    }

    fn take(&mut self) -> EntryBatch {
        if self.entries.is_empty() {
            return EntryBatch::default();
        }
        let entries = std::mem::take(&mut self.entries).into_iter();
        EntryBatch {
            entries: entries
                .map(|entry| Recorded {
                    entry,
                    is_own: false,
                    names: Names::default(),
                })
                .collect(),
            guilds: self.guilds.clone(),
        }
    }

    fn forget(&mut self) {
        self.entries.clear();
    }
}

impl Batch for EntryBatch {
    type Part<'a> = Vec<Recorded>;
    type Written = ();

    const KINDS: &'static [&'static str] = Recorded::KINDS;

    fn changes(&self) -> usize {
        self.entries.len()
    }

    fn is_open(&self) -> bool {
        self.guilds.is_some()
    }

    async fn resolve(&mut self, _store: &Store) -> Result<(), StoreError> {
        let Some(guilds) = self.guilds.take() else {
            return Ok(());
        };
        // An action of the bot took a request, so this one is likely to be answered.
        let me = timeout(PATIENCE, guilds.me(Priority::Command)).await;
        let me = me.ok().and_then(Result::ok);
        for recorded in &mut self.entries {
            recorded.is_own = Some(recorded.entry.user_id) == me;
        }
        // Each name can take a request. A raid that is banned by hand does not hold up the events of the shard.
        let unnamed = self.entries.iter_mut().filter(|recorded| !recorded.is_own);
        let until = Instant::now() + PATIENCE;
        for recorded in unnamed.take(NAMED) {
            let (user, moderator) = (recorded.entry.target_id, recorded.entry.user_id);
            let patience = until.saturating_duration_since(Instant::now());
            let known = guilds
                .member_names(recorded.entry.guild_id, [user, moderator], patience)
                .await;
            let name = |of| known.get(&of).map(|name| name.as_plain().to_owned());
            recorded.names = Names {
                user: name(user),
                moderator: name(moderator),
            };
        }
        Ok(())
    }

    fn read(kept: &Kept) -> Option<Self> {
        let recorded = Recorded::read(kept)?;
        Some(Self {
            entries: vec![recorded],
            guilds: None,
        })
    }

    fn add_to(&self, _index: usize, part: &mut Vec<Recorded>) {
        part.extend_from_slice(&self.entries);
    }
}

impl Change for Recorded {
    const KINDS: &'static [&'static str] = &[KIND];

    fn set_aside(&self) -> SetAside {
        let key = ids::MemberKey {
            guild_id: self.entry.guild_id,
            user_id: self.entry.target_id,
        };
        SetAside::of_member(KIND, key, self)
    }

    fn read(kept: &Kept) -> Option<Self> {
        (kept.kind == KIND).then(|| kept.body())?
    }

    async fn write(mut entries: Vec<Self>, flush: &mut Flush<'_, '_>) -> Result<(), StoreError> {
        entries.sort_by_key(|recorded| (recorded.entry.guild_id, recorded.entry.id));
        for of_guild in entries.chunk_by(|a, b| a.entry.guild_id == b.entry.guild_id) {
            let guild_id = of_guild[0].entry.guild_id;
            mod_case::lock(flush.tx, guild_id).await?;
            for recorded in of_guild {
                if audit_entry::is_recorded(flush.tx, guild_id, recorded.entry.id).await? {
                    continue;
                }
                if recorded.is_own {
                    audit_entry::link(flush.tx, &recorded.entry, kinds(recorded.entry.done)).await?;
                } else {
                    record(flush, guild_id, recorded).await?;
                }
            }
        }
        Ok(())
    }
}

/// The kinds of cases whose action makes such an entry.
const fn kinds(done: Done) -> &'static [Kind] {
    match done {
        Done::Ban => &[Kind::Ban, Kind::Tempban, Kind::Softban],
        Done::Unban => &[Kind::Unban],
        Done::Kick => &[Kind::Kick],
        Done::Timeout { .. } => &[Kind::Timeout],
        Done::Untimeout => &[Kind::Untimeout],
    }
}

/// Add a case. It replaces what runs, as a command would.
async fn record(
    flush: &mut Flush<'_, '_>,
    guild_id: Id<GuildMarker>,
    Recorded { entry, names, .. }: &Recorded,
) -> Result<(), StoreError> {
    let at = ids::to_time(entry.at());
    let (kind, ends_at) = match entry.done {
        Done::Ban => (Kind::Ban, None),
        Done::Unban => (Kind::Unban, None),
        Done::Kick => (Kind::Kick, None),
        Done::Timeout { until } => (Kind::Timeout, Some(ids::to_time(until))),
        Done::Untimeout => (Kind::Untimeout, None),
    };
    let replaced = punishment_timers::replace(flush.tx, guild_id, &[entry.target_id], kind, at).await?;
    let case = mod_case::New {
        guild_id,
        kind,
        user_id: entry.target_id,
        moderator_id: entry.user_id,
        names: names.as_stored(),
        reason: &entry.reason,
        at,
        expires_at: None,
        ends_at,
        audit_entry_id: Some(entry.id),
    };
    let case_id = mod_case::add(flush.tx, &case).await?;
    outcome::action_in(flush.tx, (guild_id, case_id), "done").await?;
    let of = (guild_id, Language::English);
    let log = ModerationSettings::log_within(flush.tx, flush.settings, of, kind).await?;
    let case_log = log.entry_as(|language| CaseLog {
        case_id,
        text: entry_text(
            language,
            (case_id, kind, ends_at),
            (entry.user_id, entry.target_id),
            &entry.reason,
        ),
        locale: language.code().to_owned(),
    });
    if kind == Kind::Unban {
        let (users, how) = ([entry.target_id], (Ended::ByHand, Some(entry.user_id), at));
        let closed = appeals::ended(flush.tx, &log, (guild_id, users.as_slice()), how).await?;
        flush.effects.extend(closed);
    }
    flush.effects.extend(case_log.into_iter().chain(replaced));
    Ok(())
}

/// The entry of the log channel about a case, if it was made of an entry of the audit log.
pub(super) fn in_log(language: Language, case: &Case) -> Option<String> {
    // An action of the bot is in the audit log later than its case.
    let made_at = ids::to_time(ids::millis(case.audit_entry_id?));
    let kind = case.kind.filter(|_| made_at == case.created_at)?;
    let who = (case.moderator_id, case.user_id);
    Some(entry_text(
        language,
        (case.case_id, kind, case.ends_at),
        who,
        &case.reason,
    ))
}

fn entry_text(
    language: Language,
    (case_id, kind, ends_at): (i64, Kind, Option<SystemTime>),
    (moderator_id, user_id): (Id<UserMarker>, Id<UserMarker>),
    reason: &str,
) -> String {
    let mut values = vec![
        ("case", case_id.to_string().into()),
        ("moderator", moderator_id.to_string().into()),
        ("user", user_id.to_string().into()),
        (
            "reason",
            texts::reason(language, reason, LONGEST_QUOTATION).into(),
        ),
    ];
    if let Some(until) = ends_at {
        values.push(("until", texts::moment(until).into()));
    }
    let key = match kind {
        Kind::Tempban => "by-hand-tempban",
        Kind::Unban => "by-hand-unban",
        Kind::Kick => "by-hand-kick",
        Kind::Timeout => "by-hand-timeout",
        Kind::Untimeout => "by-hand-untimeout",
        _ => "by-hand-ban",
    };
    language.filled(key, &values)
}
