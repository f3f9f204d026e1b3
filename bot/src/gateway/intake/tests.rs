//! Payloads that Discord should never send.

use std::{sync::Arc, time::SystemTime};

use proptest::prelude::*;

use super::Intake;
use crate::{
    config::Config,
    dispatcher::Dispatcher,
    handlers::levels::Rules,
    ledger::{Ledger, memory::Memory},
    store::shard_checkpoint::ShardKey,
};

const PAYLOADS: [&str; 6] = [
    r#"{"t":"MESSAGE_CREATE","s":7,"op":0,"d":{"id":"1300000000000000001","channel_id":"400000000000000000","guild_id":"100000000000000000","type":0,"author":{"id":"200000000000000000"}}}"#,
    r#"{"t":"READY","s":1,"op":0,"d":{"v":10,"session_id":"s","resume_gateway_url":"wss://gateway"}}"#,
    r#"{"t":"RESUMED","s":9,"op":0,"d":{}}"#,
    r#"{"t":null,"s":null,"op":10,"d":{"heartbeat_interval":41250}}"#,
    r#"{"t":null,"s":null,"op":9,"d":true}"#,
    r#"{"t":"SOMETHING_NEW","s":12,"op":0,"d":{"deep":[[[[{}]]]]}}"#,
];

fn intake() -> Intake {
    let config = Config::defaults();
    Intake::new(
        ShardKey { count: 1, id: 0 },
        Dispatcher::new(Rules::from(&config.levels)),
        Ledger::new(Arc::new(Memory::new(1 << 20)), 64),
        None,
        SystemTime::UNIX_EPOCH,
    )
}

/// A payload with a part of it replaced by anything: cut off, numbers that are too large, text in place of ids.
fn damaged() -> impl Strategy<Value = String> {
    let anything = prop_oneof![
        any::<String>(),
        "[\\[\\]{}\",:0-9a-z-]{0,40}",
        any::<i128>().prop_map(|number| number.to_string()),
        Just(String::new()),
    ];
    (
        0..PAYLOADS.len(),
        any::<prop::sample::Index>(),
        0..30_usize,
        anything,
    )
        .prop_map(|(which, at, length, with)| {
            let mut characters: Vec<char> = PAYLOADS[which].chars().collect();
            let from = at.index(characters.len());
            let to = (from + length).min(characters.len());
            characters.splice(from..to, with.chars());
            characters.into_iter().collect()
        })
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
