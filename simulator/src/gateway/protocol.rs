//! What clients say, as far as the gateway listens.

use serde::Deserialize;
use serde_json::Value;

/// A message from a client.
#[derive(Debug)]
pub(crate) enum Said {
    Heartbeat(Option<u64>),
    Identify {
        token: String,
        intents: u64,
        shard: [u32; 2],
    },
    Resume {
        token: String,
        session_id: String,
        seq: u64,
    },
    RequestMembers(RequestMembers),
    /// Presence, voice state and the like: accepted, without effect.
    Nothing,
}

/// `REQUEST_GUILD_MEMBERS`.
#[derive(Debug, Deserialize)]
pub(crate) struct RequestMembers {
    pub(crate) guild_id: OneOrMany,
    pub(crate) query: Option<String>,
    #[serde(default)]
    pub(crate) limit: u32,
    pub(crate) user_ids: Option<OneOrMany>,
    pub(crate) nonce: Option<String>,
}

/// Ids that come alone or in a list, as strings or numbers.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    One(Value),
    Many(Vec<Value>),
}

impl OneOrMany {
    pub(crate) fn ids(&self) -> Vec<u64> {
        let values = match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        };
        values
            .iter()
            .filter_map(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()))
            .collect()
    }
}

#[derive(Deserialize)]
struct Envelope {
    op: u64,
    #[serde(default)]
    d: Value,
}

#[derive(Deserialize)]
struct IdentifyData {
    token: String,
    intents: u64,
    shard: Option<[u32; 2]>,
}

#[derive(Deserialize)]
struct ResumeData {
    token: String,
    session_id: String,
    seq: u64,
}

/// Understands a message, or names the close code that it earns.
pub(crate) fn parse(text: &[u8]) -> Result<Said, u16> {
    const DECODE_ERROR: u16 = 4002;
    const UNKNOWN_OPCODE: u16 = 4001;
    let Envelope { op, d } = serde_json::from_slice(text).map_err(|_no_detail_is_sent| DECODE_ERROR)?;
    let decoded = |_no_detail_is_sent| DECODE_ERROR;
    match op {
        1 if d.is_null() || d.is_u64() => Ok(Said::Heartbeat(d.as_u64())),
        1 => Err(DECODE_ERROR),
        2 => {
            // A shard array of a wrong form is an invalid shard, not a broken message.
            if d.get("shard")
                .is_some_and(|shard| serde_json::from_value::<Option<[u32; 2]>>(shard.clone()).is_err())
            {
                return Err(4010);
            }
            let IdentifyData {
                token,
                intents,
                shard,
            } = serde_json::from_value(d).map_err(decoded)?;
            Ok(Said::Identify {
                token,
                intents,
                shard: shard.unwrap_or([0, 1]),
            })
        }
        3 | 4 | 31 | 43 => Ok(Said::Nothing),
        6 => {
            let ResumeData {
                token,
                session_id,
                seq,
            } = serde_json::from_value(d).map_err(decoded)?;
            Ok(Said::Resume {
                token,
                session_id,
                seq,
            })
        }
        8 => serde_json::from_value(d)
            .map(Said::RequestMembers)
            .map_err(decoded),
        _ => Err(UNKNOWN_OPCODE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misuse_has_its_codes() {
        for (text, code) in [
            ("{", 4002),
            (r#"{"d":null}"#, 4002),
            (r#"{"op":99,"d":null}"#, 4001),
            (r#"{"op":1,"d":"7"}"#, 4002),
            (r#"{"op":2,"d":{"token":"t"}}"#, 4002),
            (r#"{"op":2,"d":{"token":"t","intents":1,"shard":[1]}}"#, 4010),
            (r#"{"op":2,"d":{"token":"t","intents":1,"shard":[-1,2]}}"#, 4010),
            (r#"{"op":6,"d":{"token":"t","session_id":"s","seq":null}}"#, 4002),
        ] {
            assert_eq!(parse(text.as_bytes()).err(), Some(code), "{text}");
        }
        assert!(matches!(
            parse(br#"{"op":1,"d":null}"#),
            Ok(Said::Heartbeat(None))
        ));
        assert!(matches!(
            parse(br#"{"op":2,"d":{"token":"t","intents":1,"shard":null}}"#),
            Ok(Said::Identify { shard: [0, 1], .. })
        ));
    }
}
