//! Payloads that Discord should never send.

use std::{sync::Arc, time::SystemTime};

use proptest::prelude::*;

use super::{Intake, Session};
use crate::{
    config::Config,
    dispatcher::Dispatcher,
    earning::Judge,
    events::payloads::{MESSAGE_CREATE, OTHERS, damage},
    ledger::{Ledger, memory::Memory},
    settings::Settings,
    store::shard_checkpoint::ShardKey,
};

fn intake() -> Intake {
    let config = Config::defaults();
    Intake::new(
        ShardKey { count: 1, id: 0 },
        Dispatcher::new(Judge::new(Settings::new(&config.levels)), &config.discord),
        Ledger::new(Arc::new(Memory::new(1 << 20)), 64),
        None,
        SystemTime::UNIX_EPOCH,
    )
}

/// A payload with a part of it replaced by anything.
fn damaged() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => damage::in_text(MESSAGE_CREATE),
        3 => prop::sample::select(&OTHERS[..]).prop_flat_map(damage::in_text),
        1 => damage::in_text(r#"{"t":"SOMETHING_NEW","s":12,"op":0,"d":{"deep":[[[[{}]]]]}}"#),
    ]
}

proptest! {
    #[test]
    fn nothing_that_comes_makes_it_panic_or_count_twice(texts in proptest::collection::vec(damaged(), 1..40)) {
        let mut intake = intake();
        for text in &texts {
            let before = intake.sequence();
            let _signal = intake.on_text(text);
            // READY alone begins anew.
            prop_assert!(intake.sequence() >= before || text.contains("READY"), "{text}");
        }
        let rows = intake.ledger.rows();
        // A replay of all of it counts nothing again.
        if !texts.iter().any(|text| text.contains("READY")) {
            let taken = intake.ledger.take();
            prop_assert_eq!(taken.members.len(), rows);
            for text in &texts {
                let _signal = intake.on_text(text);
            }
            prop_assert_eq!(intake.ledger.rows(), 0);
        }
    }
}

#[test]
fn a_session_that_cannot_be_stored_is_not_usable() {
    let session = |id: &str, url: Option<&str>| Session {
        id: id.to_owned(),
        resume_url: url.map(ToOwned::to_owned),
    };
    assert!(session("0123456789abcdef", Some("wss://gateway-us-east1-b.discord.gg")).is_usable());
    assert!(session("0123456789abcdef", None).is_usable());
    let long = "a".repeat(10_000_000);
    for bad in ["", "a\0b", "a b", "ä", long.as_str()] {
        assert!(!session(bad, None).is_usable(), "{bad:.20}");
        if !bad.is_empty() {
            assert!(!session("a", Some(bad)).is_usable(), "{bad:.20}");
        }
    }
}
