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
