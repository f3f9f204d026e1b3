//! The payload of an interaction for commands. It is parsed leniently, since Discord adds fields and types.

use serde::Deserialize;
use serde_json::Value;
use twilight_gateway::Intents;
use twilight_model::{
    application::command::CommandOptionType,
    channel::ChannelType,
    gateway::event::EventType,
    guild::Permissions,
    id::{
        Id,
        marker::{ApplicationMarker, ChannelMarker, GuildMarker, InteractionMarker, RoleMarker, UserMarker},
    },
    util::Timestamp,
};

mod target;

use super::text_command;
use crate::{
    discord::guilds::Membership,
    support::{i18n::Language, ids::MemberKey, text::names::Name},
};

/// The payload of an interaction.
///
/// <https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object>
#[derive(Debug, Deserialize)]
pub struct InteractionPayload {
    /// The ID, which includes the time of the interaction.
    pub id: Id<InteractionMarker>,
    /// The bot's application.
    pub application_id: Id<ApplicationMarker>,
    /// Discord's number of the interaction's type.
    #[serde(rename = "type")]
    pub kind: u8,
    /// Authorizes responses, for 15 minutes. It must never be logged.
    pub token: String,
    /// The guild; `None` in a direct message.
    #[serde(default)]
    pub guild_id: Option<Id<GuildMarker>>,
    /// The channel.
    #[serde(default)]
    pub channel_id: Option<Id<ChannelMarker>>,
    /// The user's language setting in Discord.
    #[serde(default)]
    locale: Option<String>,
    /// The server's language setting in Discord.
    #[serde(default)]
    guild_locale: Option<String>,
    #[serde(default)]
    member: Option<Member>,
    #[serde(default)]
    user: Option<User>,
    /// The message that a button or menu belongs to.
    #[serde(default)]
    message: Value,
    #[serde(default)]
    data: Value,
    /// The message, if this is a text command.
    #[serde(skip)]
    pub text_command: Option<text_command::Message>,
}

#[derive(Debug, Deserialize)]
struct Member {
    user: User,
    #[serde(default)]
    nick: Option<String>,
    #[serde(default)]
    permissions: Option<Permissions>,
    #[serde(default)]
    roles: Vec<Id<RoleMarker>>,
    #[serde(default)]
    communication_disabled_until: Option<Timestamp>,
    #[serde(default)]
    avatar: Option<String>,
}

/// A user, with the fields that replies need.
#[derive(Clone, Debug, Deserialize)]
pub struct User {
    /// The ID of the user.
    pub id: Id<UserMarker>,
    /// The unique name.
    pub username: String,
    /// The display name, if one is set.
    #[serde(default)]
    pub global_name: Option<String>,
    /// Whether the user is a bot.
    #[serde(default)]
    pub bot: bool,
    /// The hash of the avatar, not validated.
    #[serde(default)]
    pub avatar: Option<String>,
}

/// A channel chosen as an option.
#[derive(Clone, Debug, Deserialize)]
pub struct ChosenChannel {
    /// The ID of the channel.
    pub id: Id<ChannelMarker>,
    /// The type of the channel.
    #[serde(rename = "type")]
    pub kind: ChannelType,
}

/// A file given as an option.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ChosenFile {
    pub(crate) filename: String,
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) content_type: Option<String>,
    /// An address that expires.
    pub(crate) url: String,
}

/// The name of an invalid option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadOption(pub &'static str);

/// Discord's numbers of interaction types:
/// <https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object-interaction-type>.
pub mod kind {
    /// A slash command.
    pub const COMMAND: u8 = 2;
    /// A button or a menu.
    pub const COMPONENT: u8 = 3;
    /// Autocomplete of an option.
    pub const AUTOCOMPLETE: u8 = 4;
    /// A modal was submitted.
    pub const MODAL: u8 = 5;
}

#[derive(Deserialize)]
struct Payload {
    d: InteractionPayload,
}

impl InteractionPayload {
    /// The event, which needs no intent.
    pub(crate) const EVENT: (EventType, Intents) = (EventType::InteractionCreate, Intents::empty());

    /// Parse a gateway payload.
    ///
    /// # Errors
    ///
    /// The payload is not an interaction, or a required field is missing.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        Ok(serde_json::from_str::<Payload>(text)?.d)
    }

    /// Parse the data of an interaction.
    pub(super) fn deserialize_from(value: Value) -> Option<Self> {
        serde_json::from_value(value).ok()
    }

    /// The name of the command, or an empty text. For buttons, menus and modals it is part of their `custom_id`.
    pub fn command(&self) -> &str {
        match self.kind {
            kind::COMPONENT | kind::MODAL => self.custom_id().split(':').next().unwrap_or_default(),
            _ => self.data["name"].as_str().unwrap_or_default(),
        }
    }

    /// The `custom_id` of a button, a menu or a modal.
    fn custom_id(&self) -> &str {
        self.data["custom_id"].as_str().unwrap_or_default()
    }

    /// The parts of the `custom_id` after the command's name, separated by colons.
    pub fn custom_id_parts(&self) -> Vec<&str> {
        self.custom_id().split(':').skip(1).collect()
    }

    /// The values chosen in a menu.
    pub fn values(&self) -> Vec<&str> {
        let values = self.data["values"].as_array();
        values.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// The text entered in a field of a modal.
    pub fn field(&self, custom_id: &str) -> Option<&str> {
        // A field is in an action row or in a label.
        let rows = self.data["components"].as_array()?;
        let fields = rows.iter().flat_map(|row| {
            let in_row = row["components"].as_array().into_iter().flatten();
            in_row.chain(std::iter::once(&row["component"]))
        });
        let mut fields = fields.filter(|field| field["custom_id"] == custom_id);
        fields.next()?["value"].as_str()
    }

    /// The description and the footer of the embed of the message that a button belongs to.
    pub fn embed(&self) -> Option<(&str, &str)> {
        let embed = &self.message["embeds"][0];
        Some((embed["description"].as_str()?, embed["footer"]["text"].as_str()?))
    }

    /// The name and the value of the first field of that embed.
    pub(crate) fn embed_field(&self) -> Option<(&str, &str)> {
        let field = &self.message["embeds"][0]["fields"][0];
        Some((field["name"].as_str()?, field["value"].as_str()?))
    }

    /// The names of the subcommand group and the subcommand, as far as they exist.
    pub fn subcommand(&self) -> Vec<&str> {
        self.path().0
    }

    /// The names of the group and the subcommand, and the options of the latter.
    fn path(&self) -> (Vec<&str>, &[Value]) {
        const SUBCOMMANDS: std::ops::RangeInclusive<u64> = 1..=2;
        let mut names = Vec::new();
        let mut options = self.data["options"].as_array().map_or(&[][..], Vec::as_slice);
        while let [only] = options
            && only["type"]
                .as_u64()
                .is_some_and(|kind| SUBCOMMANDS.contains(&kind))
            && names.len() < 2
        {
            names.push(only["name"].as_str().unwrap_or_default());
            options = only["options"].as_array().map_or(&[][..], Vec::as_slice);
        }
        (names, options)
    }

    /// The option that is being typed, with its current text.
    pub fn focused(&self) -> Option<(&str, String)> {
        let option = self.path().1.iter().find(|option| option["focused"] == true)?;
        let typed = match &option["value"] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        Some((option["name"].as_str()?, typed))
    }

    /// The user; `None` only if Discord omitted it.
    pub fn user(&self) -> Option<&User> {
        self.member
            .as_ref()
            .map(|member| &member.user)
            .or(self.user.as_ref())
    }

    /// The user's name in the server.
    pub fn own_name(&self) -> Option<Name> {
        let nick = self.member.as_ref().and_then(|member| member.nick.as_deref());
        Some(self.user()?.shown_name(nick))
    }

    /// The members that the interaction is about: the user, and chosen users.
    pub fn members(&self) -> impl Iterator<Item = MemberKey> {
        let chosen = self.data["resolved"]["users"].as_object();
        let chosen = chosen.into_iter().flat_map(serde_json::Map::keys);
        let chosen = chosen.filter_map(|id| id.parse().ok());
        let users = self.user().map(|user| user.id).into_iter().chain(chosen);
        let guild_id = self.guild_id;
        users.filter_map(move |user_id| {
            Some(MemberKey {
                guild_id: guild_id?,
                user_id,
            })
        })
    }

    /// The user's permissions in the channel.
    pub fn permissions(&self) -> Permissions {
        let member = self.member.as_ref();
        member
            .and_then(|member| member.permissions)
            .unwrap_or(Permissions::empty())
    }

    /// Whether the user has permissions to act against other members.
    pub fn is_by_a_moderator(&self) -> bool {
        self.permissions().intersects(
            Permissions::MODERATE_MEMBERS
                | Permissions::KICK_MEMBERS
                | Permissions::BAN_MEMBERS
                | Permissions::MANAGE_GUILD
                | Permissions::ADMINISTRATOR,
        )
    }

    /// The user's language, if there is a catalogue for it.
    pub fn own_language(&self) -> Option<Language> {
        Language::of_locale(self.locale.as_deref()?)
    }

    /// Discord's language of the server, if there is a catalogue for it. Discord always sends one, whether or not it was chosen.
    pub fn guild_language(&self) -> Option<Language> {
        Language::of_locale(self.guild_locale.as_deref()?)
    }

    /// The language of the response as long as the server's setting is unknown.
    pub fn language(&self) -> Language {
        let known = self.own_language().or(self.guild_language());
        known.unwrap_or(Language::English)
    }

    /// The user's roles.
    pub fn roles(&self) -> &[Id<RoleMarker>] {
        self.member.as_ref().map_or(&[], |member| &member.roles)
    }

    /// What decides about the user's permissions.
    pub(crate) fn membership(&self) -> Membership {
        let member = self.member.as_ref();
        member
            .map(|member| Membership {
                roles: member.roles.clone(),
                communication_disabled_until: member.communication_disabled_until,
            })
            .unwrap_or_default()
    }

    /// A text option.
    ///
    /// # Errors
    ///
    /// The option is not a text.
    pub fn text(&self, name: &'static str) -> Result<Option<&str>, BadOption> {
        self.typed(name, Value::as_str)
    }

    /// An integer option.
    ///
    /// # Errors
    ///
    /// The option is not an integer.
    pub fn integer(&self, name: &'static str) -> Result<Option<i64>, BadOption> {
        self.typed(name, Value::as_i64)
    }

    /// A number option.
    ///
    /// # Errors
    ///
    /// The option is not a number.
    pub fn number(&self, name: &'static str) -> Result<Option<f64>, BadOption> {
        self.typed(name, Value::as_f64)
    }

    /// Whether a boolean option is true.
    ///
    /// # Errors
    ///
    /// The option is not a boolean.
    pub fn boolean(&self, name: &'static str) -> Result<Option<bool>, BadOption> {
        self.typed(name, Value::as_bool)
    }

    /// A role option.
    ///
    /// # Errors
    ///
    /// The option is not a role.
    pub fn role(&self, name: &'static str) -> Result<Option<Id<RoleMarker>>, BadOption> {
        self.typed(name, |value| {
            let id = value.as_str()?;
            self.data["resolved"]["roles"].get(id)?;
            id.parse().ok()
        })
    }

    /// A channel option.
    ///
    /// # Errors
    ///
    /// The option is not a channel.
    pub fn channel(&self, name: &'static str) -> Result<Option<ChosenChannel>, BadOption> {
        self.typed(name, |value| {
            let channel = &self.data["resolved"]["channels"][value.as_str()?];
            ChosenChannel::deserialize(channel).ok()
        })
    }

    /// A file option.
    ///
    /// # Errors
    ///
    /// The option is not a file.
    pub(crate) fn file(&self, name: &'static str) -> Result<Option<ChosenFile>, BadOption> {
        self.typed(name, |value| {
            let file = &self.data["resolved"]["attachments"][value.as_str()?];
            ChosenFile::deserialize(file).ok()
        })
    }

    /// The value of an option, converted by `read`.
    fn typed<'a, T>(
        &'a self,
        name: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, BadOption> {
        let Some(value) = self.option(name) else {
            return Ok(None);
        };
        read(value).map(Some).ok_or(BadOption(name))
    }

    /// A user option, with the name in the server; the user of the interaction if none was chosen.
    ///
    /// # Errors
    ///
    /// The option is not a user, or Discord did not send the user's data.
    pub fn user_option(&self, name: &'static str) -> Result<(User, Name), BadOption> {
        if let Some(chosen) = self.chosen_user(name)? {
            return Ok(chosen);
        }
        let shown = self.own_name().ok_or(BadOption(name))?;
        let user = self.user().cloned().ok_or(BadOption(name))?;
        Ok((user, shown))
    }

    /// A user option, with the name in the server.
    ///
    /// # Errors
    ///
    /// The option is not a user, or Discord did not send the user's data.
    pub fn chosen_user(&self, name: &'static str) -> Result<Option<(User, Name)>, BadOption> {
        self.typed(name, |value| self.resolved_user(value.as_str()?))
    }

    fn resolved_user(&self, id: &str) -> Option<(User, Name)> {
        let user = User::deserialize(&self.data["resolved"]["users"][id]).ok()?;
        let nick = self.resolved_member(id)["nick"].as_str();
        let shown = user.shown_name(nick);
        Some((user, shown))
    }

    /// The roles of a chosen user; `None` if they are not a member.
    pub fn roles_of(&self, user_id: Id<UserMarker>) -> Option<Vec<Id<RoleMarker>>> {
        let member = self.resolved_member(&user_id.to_string());
        Vec::deserialize(member.get("roles")?).ok()
    }

    /// The hash of the avatar that a user has in this server only, not validated. It is known for the user of the interaction and for
    /// chosen users.
    pub fn guild_avatar(&self, user_id: Id<UserMarker>) -> Option<&str> {
        let member = self.member.as_ref().filter(|member| member.user.id == user_id);
        match member {
            Some(member) => member.avatar.as_deref(),
            None => self.resolved_member(&user_id.to_string())["avatar"].as_str(),
        }
    }

    fn resolved_member(&self, id: &str) -> &Value {
        &self.data["resolved"]["members"][id]
    }

    /// The names and types of the given options of the command or its subcommand.
    pub fn given(&self) -> impl Iterator<Item = (&str, Option<CommandOptionType>)> {
        let options = self.path().1.iter();
        options.filter_map(|option| {
            let kind = CommandOptionType::deserialize(&option["type"]).ok();
            Some((option["name"].as_str()?, kind))
        })
    }

    fn option(&self, name: &str) -> Option<&Value> {
        let option = self.path().1.iter().find(|option| option["name"] == name)?;
        Some(&option["value"])
    }
}

impl User {
    /// The name that Discord shows if the user has this nickname in the server.
    pub fn shown_name(&self, nick: Option<&str>) -> Name {
        Name::first([nick, self.global_name.as_deref(), Some(&self.username)], self.id)
    }
}

#[cfg(test)]
mod tests;
