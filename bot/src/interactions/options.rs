//! Options that several commands have: a reason, a duration, a channel.

use std::{ops::RangeInclusive, time::Duration};

use twilight_model::id::{Id, marker::ChannelMarker};

use super::{CommandContext, CommandError};
use crate::support::text::{duration, names::quoted};

/// The maximum length of a reason, in characters: it is shown in Discord's audit log beside the name of the moderator.
pub(crate) const REASON_CHARS: u16 = 400;
/// The maximum length of a duration, in characters.
pub(crate) const DURATION_CHARS: u16 = 40;

impl CommandContext {
    /// The option `reason`, without what PostgreSQL cannot store.
    ///
    /// # Errors
    ///
    /// It is too long.
    pub(crate) fn reason(&self) -> Result<Option<String>, CommandError> {
        self.reason_of(self.payload.text("reason")?)
    }

    /// The same for a reason that was given another way.
    ///
    /// # Errors
    ///
    /// It is too long.
    pub(crate) fn reason_of(&self, reason: Option<&str>) -> Result<Option<String>, CommandError> {
        let Some(reason) = reason else {
            return Ok(None);
        };
        let reason = reason.replace('\0', "").trim().to_owned();
        if reason.chars().count() > usize::from(REASON_CHARS) {
            return Err(self.refuse("error-long-reason"));
        }
        Ok((!reason.is_empty()).then_some(reason))
    }

    /// What Discord's audit log shows for an action: who asked for it, and why.
    pub(crate) fn audit_reason(&self, reason: Option<&str>) -> String {
        let name = self.payload.own_name();
        let name = name.as_ref().map_or("", |name| name.as_plain());
        let text = match reason {
            Some(reason) => format!("{name}: {reason}"),
            None => name.to_owned(),
        };
        text.replace('\0', "")
    }

    /// A duration within bounds that was given as an option.
    ///
    /// # Errors
    ///
    /// It is not understood, or out of bounds.
    pub(crate) fn duration(
        &self,
        name: &'static str,
        bounds: &RangeInclusive<Duration>,
    ) -> Result<Option<Duration>, CommandError> {
        let Some(text) = self.payload.text(name)? else {
            return Ok(None);
        };
        let language = self.language();
        let Some(span) = duration::duration(text) else {
            let values = [("given", quoted(text).into())];
            return Err(CommandError::Said(language.filled("error-bad-duration", &values)));
        };
        if bounds.contains(&span) {
            return Ok(Some(span));
        }
        let values = [
            ("min", duration::shown(*bounds.start()).into()),
            ("max", duration::shown(*bounds.end()).into()),
        ];
        Err(CommandError::Said(
            language.filled("error-duration-bounds", &values),
        ))
    }

    /// The option `channel`, or the channel of the command.
    ///
    /// # Errors
    ///
    /// Discord did not send the channel.
    pub(crate) fn channel_or_here(&self) -> Result<Id<ChannelMarker>, CommandError> {
        let chosen = self.payload.channel("channel")?.map(|channel| channel.id);
        chosen.or(self.payload.channel_id).ok_or(CommandError::Stale)
    }
}
