//! An interaction as the commands get it: read leniently, since Discord adds fields and kinds.

use serde::Deserialize;
use serde_json::Value;
use twilight_model::{
    guild::Permissions,
    id::{
        Id,
        marker::{ApplicationMarker, ChannelMarker, GuildMarker, InteractionMarker, UserMarker},
    },
};

use crate::language::Language;

/// Something that a member asked of the bot.
///
/// <https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object>
#[derive(Debug, Deserialize)]
pub struct Asked {
    /// Its id, which also tells when it was asked.
    pub id: Id<InteractionMarker>,
    /// The bot's application.
    pub application_id: Id<ApplicationMarker>,
    /// Discord's number for what it is.
    #[serde(rename = "type")]
    pub kind: u8,
    /// What answers to it are authorized by, for 15 minutes. Never to be logged.
    pub token: String,
    /// Where; `None` in a direct message.
    #[serde(default)]
    pub guild_id: Option<Id<GuildMarker>>,
    /// In which channel.
    #[serde(default)]
    pub channel_id: Option<Id<ChannelMarker>>,
    /// Discord's settings of who asks.
    #[serde(default)]
    locale: Option<String>,
    /// And of the server.
    #[serde(default)]
    guild_locale: Option<String>,
    #[serde(default)]
    member: Option<Member>,
    #[serde(default)]
    user: Option<User>,
    #[serde(default)]
    data: Value,
}

#[derive(Debug, Deserialize)]
struct Member {
    user: User,
    #[serde(default)]
    nick: Option<String>,
    #[serde(default)]
    permissions: Option<Permissions>,
}

/// A user, as far as replies name one.
#[derive(Clone, Debug, Deserialize)]
pub struct User {
    /// The user's id.
    pub id: Id<UserMarker>,
    /// The unique name.
    pub username: String,
    /// The name that is shown, where one is set.
    #[serde(default)]
    pub global_name: Option<String>,
    /// Whether it is a bot.
    #[serde(default)]
    pub bot: bool,
}

/// An option that cannot be used: its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadOption(pub &'static str);

/// Discord's numbers of kinds:
/// <https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object-interaction-type>.
pub mod kind {
    /// A slash command.
    pub const COMMAND: u8 = 2;
    /// A button, or a menu.
    pub const COMPONENT: u8 = 3;
    /// An option is being typed.
    pub const AUTOCOMPLETE: u8 = 4;
    /// A modal was submitted.
    pub const MODAL: u8 = 5;
}

#[derive(Deserialize)]
struct Payload {
    d: Asked,
}

impl Asked {
    /// Read it out of a gateway payload.
    ///
    /// # Errors
    ///
    /// The payload is none, or lacks what every interaction has.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        Ok(serde_json::from_str::<Payload>(text)?.d)
    }

    /// The command's name; empty for what is none.
    pub fn command(&self) -> &str {
        self.data["name"].as_str().unwrap_or_default()
    }

    /// Who asks; `None` only if Discord left it out.
    pub fn user(&self) -> Option<&User> {
        self.member
            .as_ref()
            .map(|member| &member.user)
            .or(self.user.as_ref())
    }

    /// What who asks may do in the channel.
    pub fn permissions(&self) -> Permissions {
        let member = self.member.as_ref();
        member
            .and_then(|member| member.permissions)
            .unwrap_or(Permissions::empty())
    }

    /// The language of who asks, or of the server, or English.
    pub fn language(&self) -> Language {
        [&self.locale, &self.guild_locale]
            .into_iter()
            .flatten()
            .find_map(|locale| Language::of_locale(locale))
            .unwrap_or(Language::English)
    }

    /// A user that was chosen as an option, with the name shown in the server; who asks if none was.
    ///
    /// # Errors
    ///
    /// The option is no user, or Discord did not send who it is.
    pub fn user_option(&self, name: &'static str) -> Result<(User, String), BadOption> {
        let Some(option) = self.option(name) else {
            let user = self.user().cloned().ok_or(BadOption(name))?;
            let nick = self.member.as_ref().and_then(|member| member.nick.clone());
            let shown = nick.unwrap_or_else(|| user.shown_name().to_owned());
            return Ok((user, shown));
        };
        let id = option.as_str().ok_or(BadOption(name))?;
        let resolved = &self.data["resolved"];
        let user = User::deserialize(&resolved["users"][id]).map_err(|_not_one| BadOption(name))?;
        let nick = resolved["members"][id]["nick"].as_str();
        let shown = nick.unwrap_or_else(|| user.shown_name()).to_owned();
        Ok((user, shown))
    }

    fn option(&self, name: &str) -> Option<&Value> {
        let options = self.data["options"].as_array()?;
        let option = options.iter().find(|option| option["name"] == name)?;
        Some(&option["value"])
    }
}

impl User {
    /// The name that Discord shows where the server has no other.
    pub fn shown_name(&self) -> &str {
        self.global_name.as_deref().unwrap_or(&self.username)
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, BadOption};
    use crate::language::Language;

    fn asked(extra: &str) -> Asked {
        let text = format!(
            r#"{{"t":"INTERACTION_CREATE","s":3,"op":0,"d":{{"id":"1300000000000000000","application_id":"7","type":2,"token":"t","guild_id":"9",
            "member":{{"user":{{"id":"8","username":"ada","global_name":"Ada"}},"nick":"Countess","permissions":"32"}},"new_field":[1],{extra}}}}}"#
        );
        Asked::parse(&text).expect("an interaction")
    }

    #[test]
    fn the_asker_is_the_default() {
        let asked = asked(r#""locale":"pt-BR","guild_locale":"de","data":{"name":"rank","type":1}"#);
        assert_eq!(asked.language(), Language::German);
        let (user, name) = asked.user_option("member").expect("who asks");
        assert_eq!((user.id.get(), name.as_str()), (8, "Countess"));
        assert_eq!(asked.permissions().bits(), 32);
    }

    #[test]
    fn a_chosen_user() {
        let asked = asked(
            r#""data":{"name":"rank","options":[{"name":"member","type":6,"value":"5"}],
            "resolved":{"users":{"5":{"id":"5","username":"bob","bot":true}},"members":{"5":{}}}}"#,
        );
        let (user, name) = asked.user_option("member").expect("a user");
        assert!(user.bot);
        assert_eq!(name, "bob");
    }

    #[test]
    fn options_of_another_type() {
        for value in ["5", "\"6\"", "null", "{}"] {
            let asked = asked(&format!(
                r#""data":{{"name":"rank","options":[{{"name":"member","type":3,"value":{value}}}]}}"#
            ));
            assert_eq!(
                asked.user_option("member").map(|(user, _)| user.id),
                Err(BadOption("member")),
                "{value}"
            );
        }
    }
}
