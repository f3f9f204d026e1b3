//! Members who come back: staff learn of their cases, and a long timeout goes on where it was.
//!
//! Joins need the privileged members intent (`discord.member_events`). Without it a long timeout goes on at its next renewal.

use serde::{Deserialize, Serialize};
use twilight_model::id::{Id, marker::GuildMarker};

use super::{
    log::GuildLog,
    punishment_timers,
    rows::{
        outcome,
        standing::{self, Standing},
    },
    settings::ModerationSettings,
    texts,
};
use crate::{
    discord::events::member_news::{Coming, Stage},
    flush::{Change, Flush, Kept, Pending, SetAside},
    postgres::StoreError,
    support::{
        i18n::{Language, Value},
        ids::{self, MemberKey, Millis},
    },
};

/// The kind of a change in quarantine.
const KIND: &str = "rejoined";

/// A member who has joined.
#[derive(Clone, Copy, Debug)]
pub struct Rejoined {
    key: MemberKey,
    /// When.
    at: Millis,
}

/// What the quarantine keeps of it.
#[derive(Debug, Deserialize, Serialize)]
struct Body {
    at: Millis,
}

/// The members who joined a shard's guilds and are not in a batch yet.
#[derive(Debug, Default)]
pub struct Rejoins(Vec<Rejoined>);

impl Pending for Rejoins {
    type Batch = Vec<Rejoined>;

    fn on_member(&mut self, coming: &Coming) -> usize {
        let has_joined = matches!(coming.stage, Stage::Joined | Stage::Screened);
        // Guests have no such time.
        let Some(at) = coming.times.joined_at.filter(|_| has_joined) else {
            return 0;
        };
        self.0.push(Rejoined { key: coming.key, at });
        size_of::<Rejoined>()
    }

    fn changes(&self) -> usize {
        self.0.len()
    }

    fn take(&mut self) -> Vec<Rejoined> {
        std::mem::take(&mut self.0)
    }

    fn forget(&mut self) {
        self.0.clear();
    }
}

impl Change for Rejoined {
    const KINDS: &'static [&'static str] = &[KIND];

    fn set_aside(&self) -> SetAside {
        SetAside::of_member(KIND, self.key, &Body { at: self.at })
    }

    fn read(kept: &Kept) -> Option<Self> {
        if kept.kind != KIND {
            return None;
        }
        let Body { at } = kept.body()?;
        Some(Self { key: kept.key()?, at })
    }

    async fn write(mut joined: Vec<Self>, flush: &mut Flush<'_, '_>) -> Result<(), StoreError> {
        joined.sort_by_key(|joined| (joined.key, joined.at));
        joined.dedup_by_key(|joined| joined.key);
        let members: Vec<(MemberKey, Millis)> = joined.iter().map(|joined| (joined.key, joined.at)).collect();
        for standing in standing::of(flush.tx, &members).await? {
            returns(flush, &standing).await?;
        }
        Ok(())
    }
}

/// A member with cases has come back.
async fn returns(flush: &mut Flush<'_, '_>, standing: &Standing) -> Result<(), StoreError> {
    let guild_id = standing.key.guild_id;
    let policy = ModerationSettings::within(flush.tx, flush.settings, guild_id).await?;
    let log = log(flush, guild_id).await?;
    let runs = standing.timeout.is_some();
    if policy.rejoin_alert > 0 && (runs || standing.cases >= policy.rejoin_alert) {
        flush
            .effects
            .extend(log.entry(|language| alert(language, standing)));
    }
    if let Some(case_id) = standing.timeout {
        let key = (guild_id, case_id);
        let locale = log.language.code();
        if let Some(renewal) = punishment_timers::after_return(flush.tx, key, standing.at, locale).await? {
            outcome::not_ended(flush.tx, key, punishment_timers::AWAY).await?;
            flush.effects.push(renewal);
        }
    }
    Ok(())
}

async fn log(flush: &Flush<'_, '_>, guild_id: Id<GuildMarker>) -> Result<GuildLog, StoreError> {
    GuildLog::of(flush.tx, flush.settings, guild_id, Language::English).await
}

fn alert(language: Language, standing: &Standing) -> String {
    let mut values = vec![
        ("user", standing.key.user_id.to_string().into()),
        ("cases", Value::Count(standing.cases.unsigned_abs())),
        ("case", standing.newest.to_string().into()),
    ];
    let Some(until) = standing.until else {
        return language.filled("moderation-log-rejoined", &values);
    };
    values.push(("until", texts::moment(ids::to_time(until)).into()));
    language.filled("moderation-log-rejoined-timeout", &values)
}
