//! The frame around every gateway payload: opcode, sequence and event type.

use twilight_model::gateway::{OpCode, event::GatewayEventDeserializer};

/// The part of a gateway payload that identifies it.
///
/// <https://discord.com/developers/docs/events/gateway-events#payload-structure>
#[derive(Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The opcode; `None` for one that was added to Discord later.
    pub op: Option<OpCode>,
    /// The sequence number, which only dispatches have.
    pub sequence: Option<u64>,
    /// The type of the event, such as `MESSAGE_CREATE`, which only dispatches have.
    pub event_type: Option<&'a str>,
}

impl<'a> Frame<'a> {
    /// Read the frame of a payload by scanning its beginning, which Discord sends before the data.
    pub fn scan(text: &'a str) -> Option<Self> {
        Self::dispatch(text).or_else(|| Self::any(text))
    }

    /// Read a dispatch in the format that Discord uses.
    fn dispatch(text: &'a str) -> Option<Self> {
        // Both are too short for a search by words to pay off.
        let text = text.strip_prefix(r#"{"t":""#)?;
        let (event_type, text) = text.split_at(text.bytes().position(|byte| byte == b'"')?);
        let text = text.strip_prefix(r#"","s":"#)?;
        let (sequence, text) = text.split_at(text.bytes().position(|byte| !byte.is_ascii_digit())?);
        text.starts_with(r#","op":0,"#).then_some(Self {
            op: Some(OpCode::Dispatch),
            sequence: Some(sequence.parse().ok()?),
            event_type: Some(event_type),
        })
    }

    fn any(text: &'a str) -> Option<Self> {
        let scanned = GatewayEventDeserializer::from_json(text)?;
        let op = OpCode::from(scanned.op());
        let sequence = scanned.sequence();
        let event_type = match scanned.into_parts().2 {
            Some(std::borrow::Cow::Borrowed(name)) => Some(name),
            _ => None,
        };
        Some(Self {
            op,
            sequence,
            event_type,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use twilight_model::gateway::OpCode;

    use super::Frame;
    use crate::discord::events::payloads::{MESSAGE_CREATE, OTHERS, damage};

    #[test]
    fn a_dispatch() {
        let frame = Frame::scan(r#"{"t":"MESSAGE_CREATE","s":7,"op":0,"d":{"t":"no","s":1,"op":9}}"#);
        assert_eq!(
            frame,
            Some(Frame {
                op: Some(OpCode::Dispatch),
                sequence: Some(7),
                event_type: Some("MESSAGE_CREATE"),
            })
        );
    }

    #[test]
    fn a_heartbeat_ack() {
        let frame = Frame::scan(r#"{"t":null,"s":null,"op":11,"d":null}"#).expect("a frame");
        assert_eq!(frame.op, Some(OpCode::HeartbeatAck));
        assert_eq!((frame.sequence, frame.event_type), (None, None));
    }

    #[test]
    fn no_frame() {
        assert_eq!(Frame::scan("[]"), None);
        assert_eq!(Frame::scan(""), None);
    }

    /// Between the frame and the data nothing is scanned.
    fn head_of(text: &str) -> String {
        let (head, _) = text.split_once("\"d\":").expect("data");
        head.to_owned()
    }

    proptest! {
        #[test]
        fn any_text_is_scanned_or_not(texts in (damage::in_text(MESSAGE_CREATE), any::<String>(), "[{}\\[\\]\"a-z:,0-9\\\\]{0,60}")) {
            for text in [&texts.0, &texts.1, &texts.2] {
                prop_assert_eq!(Frame::scan(text), Frame::any(text));
            }
        }

        /// What members write is in the data. It can change neither the type of an event nor its sequence number.
        #[test]
        fn data_does_not_change_the_frame(
            which in 0..=OTHERS.len(),
            text in any::<String>(),
            quoted in "(\"(t|s|op)\":[0-9a-z\"]{0,6}[,}]?){0,6}",
        ) {
            let payload = OTHERS.get(which).copied().unwrap_or(MESSAGE_CREATE);
            let head = head_of(payload);
            for data in [text.clone(), quoted, serde_json::Value::from(text).to_string()] {
                let text = format!("{head}\"d\":{data}}}");
                prop_assert_eq!(Frame::scan(&text), Frame::scan(payload));
            }
        }
    }
}
