//! `READY`, reduced to the bot's user and the guilds of the session.

use serde::Deserialize;
use serde_json::Value;
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
    /// Parse a gateway payload.
    ///
    /// # Errors
    ///
    /// The payload is not JSON, or a field is missing that Discord always sends.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<Payload>(text).map(|payload| payload.d)
    }

    /// The bot's own user.
    pub const fn bot(&self) -> Id<UserMarker> {
        self.user.id
    }

    /// The guilds of the shard. Each one that is available gets a `GUILD_CREATE`.
    pub fn guilds(&self) -> impl Iterator<Item = Id<GuildMarker>> + '_ {
        self.guilds.iter().map(|guild| guild.id)
    }
}

/// The required fields of a READY that are missing or have a wrong type. The list contains no values.
pub fn unreadable_fields(text: &str) -> Vec<&'static str> {
    type IsRight = fn(&Value) -> bool;
    let Ok(payload) = serde_json::from_str::<Value>(text) else {
        return vec!["(not JSON)"];
    };
    let Some(data) = payload["d"].as_object() else {
        return vec!["d"];
    };
    let needed: [(&str, IsRight); 4] = [
        ("session_id", Value::is_string),
        ("resume_gateway_url", Value::is_string),
        ("user", Value::is_object),
        ("guilds", Value::is_array),
    ];
    let unreadable = needed
        .into_iter()
        .filter(|(name, is_right)| !data.get(*name).is_some_and(is_right));
    unreadable.map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use twilight_model::id::Id;

    use super::{Ready, unreadable_fields};

    #[test]
    fn what_is_wrong_with_a_ready_is_named_and_not_quoted() {
        for (data, fields) in [
            (
                r#"{"session_id":7,"resume_gateway_url":"secret","user":{},"guilds":[]}"#,
                &["session_id"][..],
            ),
            (
                r#"{"user":{},"guilds":null}"#,
                &["session_id", "resume_gateway_url", "guilds"],
            ),
            ("null", &["d"]),
            ("{", &["(not JSON)"]),
        ] {
            let text = format!(r#"{{"t":"READY","s":1,"op":0,"d":{data}}}"#);
            assert_eq!(unreadable_fields(&text), fields, "{data}");
        }
    }

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
