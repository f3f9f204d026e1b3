//! The first pass: nothing is written until the whole file has proved readable and its IDs genuine.

use std::fmt;

use rustc_hash::FxHashSet;

use super::{
    fields::{Cell, Field, Fields},
    ids::{self, Ids, Rounded, Rounding},
    source::{Meter, Row, Source, SourceError},
    validation::{Reason, Validated, Validator, Whose},
};
use crate::support::ids::Millis;

/// The findings of the first pass.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// All rows, valid or not.
    pub(super) rows: u64,
    /// Rows that can be imported.
    pub(super) entries: u64,
    /// Rows whose guild is neither in the file nor given.
    pub(super) without_guild: u64,
    /// The first rejected row, with its position.
    pub(super) first_reject: Option<String>,
    users: Distinct,
    guilds: Distinct,
}

/// Distinct IDs and their statistics.
#[derive(Debug, Default)]
struct Distinct {
    seen: FxHashSet<u64>,
    rounding: Rounding,
}

impl Distinct {
    fn see(&mut self, id: u64, at: &dyn fmt::Display) {
        if self.seen.insert(id) {
            self.rounding.see(id, || at.to_string());
        }
    }
}

impl Survey {
    /// Read a file to its end.
    pub(super) fn take(source: &Source, validator: Validator, meter: &Meter) -> Result<Self, SourceError> {
        let mut survey = Self::default();
        source.read(meter, &mut |at, row| {
            survey.see(validator, at, &row);
            Ok(())
        })?;
        // This is two thirds of the memory that a large import takes.
        survey.users.seen = FxHashSet::default();
        Ok(survey)
    }

    fn see(&mut self, validator: Validator, at: &dyn fmt::Display, row: &Row) {
        self.rows += 1;
        let reason = match row {
            Row::Fields(fields) => {
                self.see_ids(fields, validator.now, at);
                match validator.validate(fields) {
                    Ok(Validated::Entry(_)) => {
                        self.entries += 1;
                        return;
                    }
                    Ok(Validated::Elsewhere) => return,
                    Err(reason) => reason,
                }
            }
            Row::Broken { reason, .. } => reason.clone(),
        };
        self.without_guild += u64::from(reason == Reason::NoGuild);
        self.first_reject.get_or_insert_with(|| format!("{at}: {reason}"));
    }

    fn see_ids(&mut self, fields: &Fields, now: Millis, at: &dyn fmt::Display) {
        let read = |field, whose| fields.get(field).map(|cell: &Cell| ids::read(cell, whose, now));
        match read(Field::User, Whose::User) {
            Some(Ok(Ids::One(user))) => self.users.see(user, at),
            Some(Ok(Ids::Pair(guild, user))) => {
                self.users.see(user, at);
                self.guilds.see(guild, at);
            }
            Some(Err(Reason::Rounded { .. })) => self.users.rounding.see_real(|| at.to_string()),
            Some(Err(_)) | None => {}
        }
        match read(Field::Guild, Whose::Guild) {
            Some(Ok(Ids::One(guild) | Ids::Pair(guild, _))) => self.guilds.see(guild, at),
            Some(Err(Reason::Rounded { .. })) => self.guilds.rounding.see_real(|| at.to_string()),
            Some(Err(_)) | None => {}
        }
    }

    /// The evidence that user or guild IDs were rounded, if any.
    pub(super) fn rounded(&self) -> Option<(Whose, Rounded)> {
        let users = self
            .users
            .rounding
            .verdict()
            .map(|rounded| (Whose::User, rounded));
        users.or_else(|| {
            self.guilds
                .rounding
                .verdict()
                .map(|rounded| (Whose::Guild, rounded))
        })
    }

    /// Warnings about findings that may be accidental, one line each.
    pub(super) fn suspicions(&self) -> Vec<String> {
        [(Whose::User, &self.users), (Whose::Guild, &self.guilds)]
            .into_iter()
            .filter_map(|(whose, ids)| {
                let (at, one_in) = ids.rounding.suspicion()?;
                Some(format!(
                    "{at}: the {whose} id ends as if it had been rounded, and there are too few to tell; by accident that is so \
                     at most once in {one_in} times: compare it with the one that Discord shows"
                ))
            })
            .collect()
    }
}
