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
mod tests;
