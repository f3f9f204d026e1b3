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
mod tests {
    use twilight_model::id::Id;

    use super::GuildCreate;

    /// `VIEW_CHANNEL`, `READ_MESSAGE_HISTORY` and `CONNECT`.
    const ALL: u64 = 1 << 10 | 1 << 16 | 1 << 20;

    fn guild(everyone: u64, channels: &str, threads: &str) -> GuildCreate {
        let text = format!(
            r#"{{"t":"GUILD_CREATE","s":2,"op":0,"d":{{"id":"100","owner_id":"1","joined_at":"2023-01-02T03:04:05.678000+00:00",
            "unavailable":false,"roles":[{{"id":"100","permissions":"{everyone}"}},{{"id":"101","permissions":"{ALL}"}}],
            "members":[{{"user":{{"id":"7","bot":true}},"roles":["102"]}},{{"user":{{"id":"8"}},"roles":["101"]}}],
            "channels":[{channels}],"threads":[{threads}]}}}}"#
        );
        GuildCreate::parse(&text)
            .expect("a valid payload")
            .expect("it is available")
    }

    fn channel(id: u64, kind: u8, last: u64, overwrites: &str) -> String {
        format!(
            r#"{{"id":"{id}","type":{kind},"last_message_id":"{last}","permission_overwrites":[{overwrites}]}}"#
        )
    }

    fn read(guild: &GuildCreate, after: u64) -> Vec<(u64, u64, bool)> {
        guild
            .newer_than(Id::new(after), Some(Id::new(7)))
            .into_iter()
            .map(|newest| {
                (
                    newest.channel_id.get(),
                    newest.message_id.get(),
                    newest.has_history,
                )
            })
            .collect()
    }

    #[test]
    fn channels_that_had_traffic() {
        let channels = [
            channel(1, 0, 50, ""),
            channel(2, 0, 51, ""),
            channel(3, 5, 60, ""),
            // A category has no messages, and the last one of a forum is a thread.
            channel(4, 4, 60, ""),
            channel(5, 15, 60, ""),
            r#"{"id":"6","type":0,"last_message_id":null}"#.to_owned(),
            r#"{"id":"7","type":0}"#.to_owned(),
        ]
        .join(",");
        let thread = r#"{"id":"9","type":11,"parent_id":"5","last_message_id":"52"}"#;
        let guild = guild(ALL, &channels, thread);
        assert_eq!(read(&guild, 50), [(2, 51, true), (3, 60, true), (9, 52, true)]);
        assert_eq!(guild.newest(), Some(Id::new(60)));
        assert_eq!(
            guild.before_joining().map(snowflake_time),
            Some(1_672_628_645_678)
        );
    }

    /// A channel created during the gap is newer than the start of the gap, and so are all of its messages.
    #[test]
    fn channels_and_threads_that_were_made_meanwhile() {
        let channels = [
            channel(70, 0, 75, ""),
            r#"{"id":"71","type":0,"last_message_id":null}"#.to_owned(),
            // If the last message was deleted, its ID remains.
            channel(2, 0, 72, ""),
        ]
        .join(",");
        let threads = [
            // The first message of a forum post has the ID of the post.
            r#"{"id":"73","type":11,"parent_id":"5","last_message_id":"73"}"#,
            r#"{"id":"74","type":12,"parent_id":"70","last_message_id":"76"}"#,
            r#"{"id":"77","type":10,"parent_id":"70","last_message_id":null}"#,
        ]
        .join(",");
        let guild = guild(ALL, &channels, &threads);
        assert_eq!(
            read(&guild, 60),
            [(70, 75, true), (2, 72, true), (73, 73, true), (74, 76, true)]
        );
    }

    fn snowflake_time(id: Id<twilight_model::id::marker::MessageMarker>) -> i64 {
        crate::support::ids::millis(id)
    }

    #[test]
    fn what_the_bot_does_not_see_is_not_missed() {
        let deny = |permission: u64| format!(r#"{{"id":"100","type":0,"allow":"0","deny":"{permission}"}}"#);
        let mine = |permission: u64| format!(r#"{{"id":"7","type":1,"allow":"{permission}","deny":"0"}}"#);
        let channels = [
            channel(1, 0, 50, &deny(1 << 10)),
            channel(2, 0, 50, &format!("{},{}", deny(1 << 10), mine(1 << 10))),
            channel(3, 0, 50, &deny(1 << 16)),
            channel(4, 2, 50, ""),
            channel(5, 2, 50, &deny(1 << 20)),
            // This is the role of another member.
            channel(
                6,
                0,
                50,
                &format!(
                    r#"{},{{"id":"101","type":0,"allow":"{ALL}","deny":"0"}}"#,
                    deny(1 << 10)
                ),
            ),
        ]
        .join(",");
        let thread = r#"{"id":"9","type":11,"parent_id":"3","last_message_id":"52"}"#;
        let guild = guild(ALL, &channels, thread);
        assert_eq!(
            read(&guild, 1),
            [
                (2, 50, true),
                (3, 50, false),
                (4, 50, true),
                (5, 50, false),
                (9, 52, false)
            ]
        );
        // The bot is identified because it is the only bot.
        assert_eq!(guild.newer_than(Id::new(1), None).len(), 5);
        // An unknown member: all channels are included.
        assert_eq!(guild.newer_than(Id::new(1), Some(Id::new(9))).len(), 7);
    }

    #[test]
    fn administrators_see_all() {
        let channels = channel(1, 0, 50, r#"{"id":"100","type":0,"allow":"0","deny":"1024"}"#);
        assert_eq!(read(&guild(8, &channels, ""), 1), [(1, 50, true)]);
    }

    #[test]
    fn a_guild_that_is_not_there() {
        let text = r#"{"t":"GUILD_CREATE","s":2,"op":0,"d":{"id":"100","unavailable":true}}"#;
        assert!(GuildCreate::parse(text).expect("valid").is_none());
        assert_eq!(GuildCreate::id_of(text).expect("valid"), Id::new(100));
        assert!(GuildCreate::id_of("{}").is_err());
    }
}
