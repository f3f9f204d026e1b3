//! Payloads that Discord should never send.

use std::{sync::Arc, time::SystemTime};

use proptest::prelude::*;

use super::Intake;
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
