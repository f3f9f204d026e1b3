//! Moderation that was done without the bot's commands, in Discord or by other bots: entries of the audit log become cases.
//!
//! An entry is recorded once, by its ID, in the flush that moves the checkpoint past it. The bot's own actions appear in the audit log too:
//! their entries are linked to the cases that exist already.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use twilight_model::id::{Id, marker::GuildMarker};

use super::{
    LONGEST_QUOTATION,
    effects::case_log::CaseLog,
    ends,
    kind::Kind,
    rows::{audit_entry, mod_case, outcome},
    settings::ModerationSettings,
    texts,
};
use crate::{
    discord::{
        events::audit_entry::{AuditEntry, Done},
        guilds::Guilds,
        rest::Priority,
    },
    flush::{Batch, Change, Flush, Kept, Pending, SetAside},
    postgres::{Store, StoreError},
    support::{i18n::Language, ids},
};

/// How long a batch waits for the bot's own ID, which is read once per process.
const PATIENCE: Duration = Duration::from_secs(3);

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
}

impl Entries {
    /// No entries. `guilds` knows the bot's own ID.
    pub const fn new(guilds: Option<Guilds>) -> Self {
        Self {
            entries: Vec::new(),
            guilds,
        }
    }

    /// An entry was added to an audit log. Returns the number of bytes by which the changes grew.
    pub fn on_entry(&mut self, entry: AuditEntry) -> usize {
        let bytes = size_of::<AuditEntry>() + entry.reason.capacity();
        self.entries.push(entry);
        bytes
    }
}

impl Pending for Entries {
    type Batch = EntryBatch;

    fn changes(&self) -> usize {
        self.entries.len()
    }

    fn take(&mut self) -> EntryBatch {
        if self.entries.is_empty() {
            return EntryBatch::default();
        }
        let entries = std::mem::take(&mut self.entries).into_iter();
        EntryBatch {
            entries: entries.map(|entry| Recorded { entry, is_own: false }).collect(),
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
                    record(flush, guild_id, &recorded.entry).await?;
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
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    let at = ids::to_time(entry.at());
    let (kind, ends_at) = match entry.done {
        Done::Ban => (Kind::Ban, None),
        Done::Unban => (Kind::Unban, None),
        Done::Kick => (Kind::Kick, None),
        Done::Timeout { until } => (Kind::Timeout, Some(ids::to_time(until))),
        Done::Untimeout => (Kind::Untimeout, None),
    };
    ends::replace(flush.tx, guild_id, entry.target_id, kind, at).await?;
    let case = mod_case::New {
        guild_id,
        kind,
        user_id: entry.target_id,
        moderator_id: entry.user_id,
        names: mod_case::Names::default(),
        reason: &entry.reason,
        at,
        expires_at: None,
        ends_at,
        audit_entry_id: Some(entry.id),
    };
    let case_id = mod_case::add(flush.tx, &case).await?;
    outcome::action_in(flush.tx, (guild_id, case_id), "done").await?;
    let policy = ModerationSettings::within(flush.tx, flush.settings, guild_id).await?;
    let of = (guild_id, Language::English);
    let told = policy.told(flush.tx, flush.settings, of, kind).await?;
    let log = told.entry_as(|language| CaseLog {
        case_id,
        text: entry_text(language, case_id, entry),
    });
    flush.effects.extend(log);
    Ok(())
}

/// The entry of the log channel.
fn entry_text(language: Language, case_id: i64, entry: &AuditEntry) -> String {
    let reason = if entry.reason.is_empty() {
        language.text("warning-log-no-reason")
    } else {
        texts::quoted(&entry.reason, LONGEST_QUOTATION)
    };
    let mut values = vec![
        ("case", case_id.to_string().into()),
        ("moderator", entry.user_id.to_string().into()),
        ("user", entry.target_id.to_string().into()),
        ("reason", reason.into()),
    ];
    let key = match entry.done {
        Done::Ban => "by-hand-ban",
        Done::Unban => "by-hand-unban",
        Done::Kick => "by-hand-kick",
        Done::Timeout { until } => {
            values.push(("until", texts::moment(ids::to_time(until)).into()));
            "by-hand-timeout"
        }
        Done::Untimeout => "by-hand-untimeout",
    };
    language.filled(key, &values)
}
