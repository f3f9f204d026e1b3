//! Export: every member of a guild, as CSV or JSON, in the format that an import reads.
//!
//! IDs are strings in JSON, because many tools round numbers of that size; CSV has only text.

use std::io::Write;

use serde::Serialize;
use thiserror::Error;
use tokio_postgres::error::SqlState;
use twilight_model::id::{Id, marker::GuildMarker};

use crate::{
    features::levels::{
        import::fields::Field,
        rows::{leaderboard::Standing, member_xp::moving},
    },
    postgres::{Store, StoreError},
    settings::values::curve::Curve,
};

/// The format of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A header, then one line per member
    #[default]
    Csv,
    /// A list of objects, one per line
    Json,
}

/// Why an export failed.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The database failed.
    #[error("{0}")]
    Store(#[source] StoreError),
    /// The tables do not exist yet.
    #[error("the database has no tables yet: run `eventide migrate up`")]
    NoTables,
    /// The output cannot be written.
    #[error("the export cannot be written: {0}")]
    Io(#[from] std::io::Error),
    /// The guild has no stored members.
    #[error("guild {0} has no members with XP or messages here")]
    Nobody(Id<GuildMarker>),
}

impl From<StoreError> for ExportError {
    fn from(error: StoreError) -> Self {
        if error.sqlstate() == Some(&SqlState::UNDEFINED_TABLE) {
            return Self::NoTables;
        }
        Self::Store(error)
    }
}

/// A member, with IDs as text so that no tool rounds them.
#[derive(Serialize)]
struct Member {
    guild_id: Id<GuildMarker>,
    user_id: Id<twilight_model::id::marker::UserMarker>,
    xp: u64,
    level: u32,
    messages: u64,
}

/// Write every member of a guild from one snapshot, with levels by its curve. Returns the number of members.
pub async fn write<W: Write + Send>(
    store: &Store,
    (guild, curve): (Id<GuildMarker>, Curve),
    format: Format,
    mut out: W,
) -> Result<u64, ExportError> {
    let mut first = true;
    let count = moving::each(store, guild, |standing| -> Result<(), ExportError> {
        if std::mem::take(&mut first) {
            begin(&mut out, format)?;
        } else if format == Format::Json {
            out.write_all(b",\n")?;
        }
        Ok(member(&mut out, format, (guild, curve), standing)?)
    })
    .await?;
    if count == 0 {
        return Err(ExportError::Nobody(guild));
    }
    if format == Format::Json {
        out.write_all(b"\n]\n")?;
    }
    out.flush()?;
    Ok(count)
}

fn begin(out: &mut impl Write, format: Format) -> std::io::Result<()> {
    match format {
        Format::Csv => writeln!(out, "{}", Field::ALL.map(Field::name).join(",")),
        Format::Json => out.write_all(b"[\n"),
    }
}

fn member(
    out: &mut impl Write,
    format: Format,
    (guild_id, curve): (Id<GuildMarker>, Curve),
    standing: Standing,
) -> std::io::Result<()> {
    let Standing {
        user_id,
        xp,
        message_count: messages,
    } = standing;
    let level = curve.level_of(xp);
    match format {
        Format::Csv => writeln!(out, "{guild_id},{user_id},{xp},{level},{messages}"),
        Format::Json => {
            let member = Member {
                guild_id,
                user_id,
                xp,
                level,
                messages,
            };
            Ok(serde_json::to_writer(out, &member)?)
        }
    }
}
