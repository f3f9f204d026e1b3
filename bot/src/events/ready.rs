//! `READY`, reduced to who the bot is and which guilds the session has.

use serde::Deserialize;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

/// A new session.
///
/// <https://discord.com/developers/docs/events/gateway-events#ready>
#[derive(Debug, Deserialize)]
pub struct Ready {
    user: Listed<UserMarker>,
    guilds: Vec<Listed<GuildMarker>>,
}

#[derive(Debug, Deserialize)]
#[serde(bound = "")]
struct Listed<T> {
    id: Id<T>,
}

#[derive(Deserialize)]
struct Payload {
    d: Ready,
}

impl Ready {
    /// Read the event out of a gateway payload.
    ///
    /// # Errors
    ///
    /// The payload is not JSON, or lacks a field that Discord always sends.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<Payload>(text).map(|payload| payload.d)
    }

    /// The bot's own user.
    pub const fn bot(&self) -> Id<UserMarker> {
        self.user.id
    }

    /// The guilds of the shard. A `GUILD_CREATE` follows for each that is available.
    pub fn guilds(&self) -> impl Iterator<Item = Id<GuildMarker>> + '_ {
        self.guilds.iter().map(|guild| guild.id)
    }
}

#[cfg(test)]
mod tests {
    use twilight_model::id::Id;

    use super::Ready;

    #[test]
    fn the_bot_and_its_guilds() {
        let ready = Ready::parse(
            r#"{"t":"READY","s":1,"op":0,"d":{"v":10,"user":{"id":"7","bot":true},"guilds":[{"id":"100","unavailable":true},{"id":"101","unavailable":true}],"session_id":"s"}}"#,
        )
        .expect("a valid payload");
        assert_eq!(ready.bot(), Id::new(7));
        assert_eq!(ready.guilds().map(Id::get).collect::<Vec<_>>(), [100, 101]);
        assert!(Ready::parse(r#"{"d":{"guilds":[]}}"#).is_err());
    }
}
