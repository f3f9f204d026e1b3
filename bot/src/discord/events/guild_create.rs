//! `GUILD_CREATE`, reduced to the newest messages of the channels and whether the bot may read them.

use serde::Deserialize;
use twilight_model::{
    channel::{ChannelType, permission_overwrite::PermissionOverwrite},
    guild::Permissions,
    id::{
        Id,
        marker::{ChannelMarker, GuildMarker, MessageMarker, RoleMarker, UserMarker},
    },
    util::Timestamp,
};
use twilight_util::permission_calculator::PermissionCalculator;

use crate::support::ids;

/// Types of channels that contain messages: text, voice, announcement, threads, stage. In a forum, the last "message" is a thread.
/// <https://discord.com/developers/docs/resources/channel#channel-object-channel-types>
const WITH_MESSAGES: [u8; 7] = [0, 2, 5, 10, 11, 12, 13];
const VOICE: [u8; 2] = [2, 13];

/// A guild that became available.
///
/// <https://discord.com/developers/docs/events/gateway-events#guild-create>
#[derive(Debug, Deserialize)]
pub struct GuildCreate {
    /// The ID of the guild.
    pub id: Id<GuildMarker>,
    /// Set during an outage of the guild. The other fields are missing then.
    #[serde(default)]
    unavailable: bool,
    #[serde(default)]
    owner_id: Option<Id<UserMarker>>,
    #[serde(default)]
    joined_at: Option<Timestamp>,
    #[serde(default)]
    roles: Vec<Role>,
    /// Without privileged intents, these are the bot itself and the members in voice channels.
    #[serde(default)]
    members: Vec<Member>,
    #[serde(default)]
    channels: Vec<Channel>,
    /// The active threads that the bot can see.
    #[serde(default)]
    threads: Vec<Channel>,
}

#[derive(Debug, Deserialize)]
struct Role {
    id: Id<RoleMarker>,
    permissions: Permissions,
}

#[derive(Debug, Deserialize)]
struct Member {
    user: User,
    #[serde(default)]
    roles: Vec<Id<RoleMarker>>,
}

#[derive(Debug, Deserialize)]
struct User {
    id: Id<UserMarker>,
    #[serde(default)]
    bot: bool,
}

#[derive(Debug, Deserialize)]
struct Channel {
    id: Id<ChannelMarker>,
    #[serde(rename = "type")]
    kind: u8,
    #[serde(default)]
    parent_id: Option<Id<ChannelMarker>>,
    #[serde(default)]
    last_message_id: Option<Id<MessageMarker>>,
    #[serde(default)]
    permission_overwrites: Vec<PermissionOverwrite>,
}

#[derive(Deserialize)]
struct Payload<T> {
    d: T,
}

/// The newest message of a channel that the bot can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Newest {
    /// The channel or thread.
    pub channel_id: Id<ChannelMarker>,
    /// The newest message, which may have been deleted since.
    pub message_id: Id<MessageMarker>,
    /// Whether the bot may read older messages. Without the permission, Discord returns an empty list instead of an error.
    pub has_history: bool,
}

impl GuildCreate {
    /// Parse a gateway payload. `None` during an outage of the guild.
    ///
    /// # Errors
    ///
    /// The payload is not JSON, or a field is missing that Discord always sends.
    pub fn parse(text: &str) -> Result<Option<Self>, serde_json::Error> {
        let guild = serde_json::from_str::<Payload<Self>>(text)?.d;
        Ok((!guild.unavailable).then_some(guild))
    }

    /// Parse only the guild's ID, which takes a third of the time.
    ///
    /// # Errors
    ///
    /// As in [`GuildCreate::parse`].
    pub fn id_of(text: &str) -> Result<Id<GuildMarker>, serde_json::Error> {
        #[derive(Deserialize)]
        struct OnlyId {
            id: Id<GuildMarker>,
        }
        serde_json::from_str::<Payload<OnlyId>>(text).map(|payload| payload.d.id)
    }

    /// The highest ID that a message could have before the bot joined. Messages up to it are not counted.
    pub fn before_joining(&self) -> Option<Id<MessageMarker>> {
        ids::at_millis(self.joined_at?.as_micros() / 1_000)
    }

    /// The newest message of all channels, including those that the bot cannot see.
    pub fn newest(&self) -> Option<Id<MessageMarker>> {
        self.with_messages()
            .filter_map(|channel| channel.last_message_id)
            .max()
    }

    /// The channels with a message after `after` that the bot can see, if its user is `bot`.
    pub fn newer_than(&self, after: Id<MessageMarker>, bot: Option<Id<UserMarker>>) -> Vec<Newest> {
        let me = self.member(bot);
        let roles = me.map(|me| self.roles_of(me)).unwrap_or_default();
        let everyone = self.role(self.id.cast()).unwrap_or(Permissions::empty());
        let permissions = |channel: &Channel| {
            let Some(me) = me else {
                // The bot's member is unknown; the request will show whether it has the permission.
                return Permissions::all();
            };
            let mut calculator = PermissionCalculator::new(self.id, me.user.id, everyone, &roles);
            if let Some(owner) = self.owner_id {
                calculator = calculator.owner_id(owner);
            }
            // The type only removes permissions: for a voice channel those of its text chat.
            calculator.in_channel(ChannelType::GuildForum, self.overwrites(channel))
        };
        let mut newest = Vec::new();
        for channel in self.with_messages() {
            let Some(message_id) = channel.last_message_id.filter(|id| *id > after) else {
                continue;
            };
            let may = permissions(channel);
            if !may.contains(Permissions::VIEW_CHANNEL) {
                // The bot does not receive the messages of this channel from the gateway either.
                continue;
            }
            let connects = !VOICE.contains(&channel.kind) || may.contains(Permissions::CONNECT);
            newest.push(Newest {
                channel_id: channel.id,
                message_id,
                has_history: connects && may.contains(Permissions::READ_MESSAGE_HISTORY),
            });
        }
        newest
    }

    fn with_messages(&self) -> impl Iterator<Item = &Channel> {
        self.channels
            .iter()
            .chain(&self.threads)
            .filter(|channel| WITH_MESSAGES.contains(&channel.kind))
    }

    /// The bot's member. After a restart while a session was starting, the bot's ID is unknown; it is then the only bot in the list.
    fn member(&self, bot: Option<Id<UserMarker>>) -> Option<&Member> {
        if bot.is_some() {
            return self.members.iter().find(|member| Some(member.user.id) == bot);
        }
        let mut bots = self.members.iter().filter(|member| member.user.bot);
        bots.next().filter(|_| bots.next().is_none())
    }

    fn roles_of(&self, member: &Member) -> Vec<(Id<RoleMarker>, Permissions)> {
        member
            .roles
            .iter()
            .filter_map(|role| Some((*role, self.role(*role)?)))
            .collect()
    }

    fn role(&self, id: Id<RoleMarker>) -> Option<Permissions> {
        self.roles
            .iter()
            .find(|role| role.id == id)
            .map(|role| role.permissions)
    }

    /// A thread has its parent's overwrites.
    fn overwrites<'a>(&'a self, channel: &'a Channel) -> &'a [PermissionOverwrite] {
        let parent = channel
            .parent_id
            .filter(|_| matches!(channel.kind, 10..=12))
            .and_then(|parent| self.channels.iter().find(|channel| channel.id == parent));
        &parent.unwrap_or(channel).permission_overwrites
    }
}

#[cfg(test)]
mod tests;
