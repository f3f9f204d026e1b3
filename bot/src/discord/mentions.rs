//! Names of channels, roles and members in place of their IDs, for pages and lists of choices, which show text verbatim.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::time::timeout;
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, RoleMarker, UserMarker},
};

use super::{
    guilds::{Guilds, listing::Listing, names::KnownNames},
    rest::Priority,
};
use crate::support::{
    ids,
    text::{moment::written, names::Name},
};

/// Members whose names are read at a time. Others are shown by their IDs.
const MEMBERS: usize = 50;

/// What the names are for, which decides how long they are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// A page of the website. It is shown at once, and the browser loads it again for names that are still missing.
    Page,
    /// A page on which people write. It waits for names, because loading it again would lose what was written.
    Form,
    /// A list of choices, which Discord shows only if it arrives within three seconds.
    Choices,
}

/// Names of a server. What has no name, or was deleted, is shown by its ID.
#[derive(Debug, Default)]
pub(crate) struct Names {
    listing: Arc<Listing>,
    members: HashMap<Id<UserMarker>, Name>,
    are_coming: bool,
}

/// What a message on Discord shows in place of its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mention {
    User(Id<UserMarker>),
    Role(Id<RoleMarker>),
    Channel(Id<ChannelMarker>),
    /// A time, in seconds since 1970.
    Time(u64),
}

impl Names {
    /// The names of a server's roles and channels, and of these members. Names that Discord does not return in time are missing.
    pub(crate) async fn of(
        guilds: &Guilds,
        guild_id: Id<GuildMarker>,
        members: impl IntoIterator<Item = Id<UserMarker>>,
        what_for: Use,
    ) -> Self {
        Self::read(guilds, guild_id, members.into_iter().collect(), what_for).await
    }

    /// The names of these roles and channels.
    pub(crate) fn of_listing(listing: &Arc<Listing>) -> Self {
        Self {
            listing: Arc::clone(listing),
            ..Self::default()
        }
    }

    /// Whether names of members are missing that are being looked up.
    pub(crate) const fn are_coming(&self) -> bool {
        self.are_coming
    }

    /// The names that these texts mention.
    pub(crate) async fn of_texts<'a>(
        guilds: &Guilds,
        guild_id: Id<GuildMarker>,
        texts: impl IntoIterator<Item = &'a str>,
        what_for: Use,
    ) -> Self {
        let members = texts.into_iter().flat_map(parts).filter_map(|part| match part {
            Ok(Mention::User(user_id)) => Some(user_id),
            _ => None,
        });
        Self::read(guilds, guild_id, members.collect(), what_for).await
    }

    async fn read(
        guilds: &Guilds,
        guild_id: Id<GuildMarker>,
        members: BTreeSet<Id<UserMarker>>,
        what_for: Use,
    ) -> Self {
        let members = members.into_iter().take(MEMBERS);
        let (patience, of_lists, of_members) = match what_for {
            Use::Page | Use::Form => (Duration::from_secs(2), Priority::Command, Priority::Background),
            Use::Choices => (
                Duration::from_secs(1),
                Priority::Interaction,
                Priority::Interaction,
            ),
        };
        let members = async {
            if what_for == Use::Page {
                return guilds.known_names(guild_id, members);
            }
            KnownNames {
                names: guilds
                    .member_names_at(guild_id, members, patience, of_members)
                    .await,
                are_coming: false,
            }
        };
        let (listing, members) = tokio::join!(timeout(patience, guilds.listing(guild_id, of_lists)), members);
        Self {
            listing: listing.ok().and_then(Result::ok).unwrap_or_default(),
            members: members.names,
            are_coming: members.are_coming,
        }
    }

    /// A member.
    pub(crate) fn member(&self, id: Id<UserMarker>) -> String {
        let name = self.members.get(&id);
        name.map_or_else(|| id.to_string(), |name| name.as_plain().to_owned())
    }

    /// A channel.
    pub(crate) fn channel(&self, id: Id<ChannelMarker>) -> String {
        let name = self.listing.any_channel(id);
        name.map_or_else(|| id.to_string(), |name| format!("#{}", name.as_plain()))
    }

    /// A role.
    pub(crate) fn role(&self, id: Id<RoleMarker>) -> String {
        let name = self.listing.role(id);
        name.map_or_else(|| id.to_string(), |name| format!("@{}", name.as_plain()))
    }

    /// The name of whatever has this ID.
    pub(crate) fn any(&self, id: u64) -> Option<String> {
        let (channel, role, user) = (Id::new_checked(id)?, Id::new_checked(id)?, Id::new_checked(id)?);
        if self.listing.any_channel(channel).is_some() {
            Some(self.channel(channel))
        } else if self.listing.role(role).is_some() {
            Some(self.role(role))
        } else {
            self.members.contains_key(&user).then(|| self.member(user))
        }
    }

    /// A text for Discord as a plain one.
    pub(crate) fn in_text(&self, text: &str) -> String {
        let mut plain = String::new();
        for part in parts(text) {
            match part {
                Ok(Mention::User(id)) => {
                    plain.push('@');
                    plain.push_str(&self.member(id));
                }
                Ok(Mention::Role(id)) => plain.push_str(&self.role(id)),
                Ok(Mention::Channel(id)) => plain.push_str(&self.channel(id)),
                Ok(Mention::Time(seconds)) => {
                    // Years have four digits.
                    let at = written(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.min(1 << 37)));
                    // Discord shows a time and, in parentheses, how far away it is.
                    if plain.ends_with(&format!("{at} (")) {
                        plain.truncate(plain.len() - 1);
                    } else {
                        plain.push_str(&at);
                    }
                }
                Err(text) => push_plain(&mut plain, text),
            }
        }
        plain
    }
}

/// Add a text without the marks by which Discord formats it.
fn push_plain(plain: &mut String, text: &str) {
    // What is left of a distance.
    let text = match text.strip_prefix(')') {
        Some(rest) if plain.ends_with(" UTC ") => {
            plain.truncate(plain.len() - 1);
            rest
        }
        _ => text,
    };
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' if chars.peek().is_some_and(char::is_ascii_punctuation) => plain.extend(chars.next()),
            '`' => {}
            '*' if chars.peek() == Some(&'*') => drop(chars.next()),
            char => plain.push(char),
        }
    }
}

/// The mentions of a text, and what is between them.
fn parts(text: &str) -> impl Iterator<Item = Result<Mention, &str>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((mention, after)) = mention(rest) {
            rest = after;
            return Some(Ok(mention));
        }
        let next = rest
            .char_indices()
            .skip(1)
            .find_map(|(at, char)| (char == '<').then_some(at));
        let (before, after) = rest.split_at(next.unwrap_or(rest.len()));
        rest = after;
        Some(Err(before))
    })
}

/// The mention with which a text begins, and the rest.
fn mention(text: &str) -> Option<(Mention, &str)> {
    let (code, rest) = text.strip_prefix('<')?.split_once('>')?;
    let mention = if let Some(id) = code.strip_prefix("@&") {
        Mention::Role(ids::written(id)?)
    } else if let Some(id) = code.strip_prefix("@!").or_else(|| code.strip_prefix('@')) {
        Mention::User(ids::written(id)?)
    } else if let Some(id) = code.strip_prefix('#') {
        Mention::Channel(ids::written(id)?)
    } else {
        let time = code.strip_prefix("t:")?;
        let seconds = time.split_once(':').map_or(time, |(seconds, _)| seconds);
        Mention::Time(seconds.parse().ok()?)
    };
    Some((mention, rest))
}

#[cfg(test)]
mod tests;
