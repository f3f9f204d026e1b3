use std::sync::Arc;

use twilight_gateway::Intents;
use twilight_model::id::Id;

use super::{Counting, Dispatched, Dispatcher, handled, intents};
use crate::{
    config::Config,
    features::levels::policy::XpPolicy,
    pipeline::{
        ledger::{Ledger, memory::Memory},
        parts::Pending,
    },
    settings::Settings,
};

/// Guild 9 has chosen nothing.
fn policy() -> XpPolicy {
    let settings = Settings::new(&Config::defaults().levels);
    settings.pretend(Id::new(9));
    XpPolicy::new(settings)
}

fn ledger() -> Ledger {
    Ledger::new(Arc::new(Memory::new(1 << 20)), Pending::new(16, policy(), None))
}

#[test]
fn privileged_intents_are_asked_for_on_request_only() {
    let privileged = Intents::MESSAGE_CONTENT | Intents::GUILD_MEMBERS | Intents::GUILD_PRESENCES;
    let mut discord = Config::defaults().discord;
    assert!(!intents(&discord).intersects(privileged));
    let open = Intents::GUILDS
        | Intents::GUILD_MESSAGES
        | Intents::GUILD_MODERATION
        | Intents::AUTO_MODERATION_EXECUTION;
    assert!(intents(&discord).contains(open));
    (discord.member_events, discord.message_content) = (true, true);
    assert!(intents(&discord).contains(Intents::MESSAGE_CONTENT | Intents::GUILD_MEMBERS));
}

/// Something tries to parse every event whose intents are requested.
#[test]
fn every_event_that_is_asked_for_is_read() {
    let dispatcher = Dispatcher::new(policy(), &Config::defaults().discord);
    for (event, _) in handled() {
        let name = event.name().expect("a dispatch event");
        assert!(
            matches!(
                dispatcher.dispatch(name, "{}", &mut ledger(), Counting::Here),
                Dispatched::Malformed(Some(_))
            ),
            "{name}"
        );
    }
    assert_eq!(
        dispatcher.dispatch("TYPING_START", "{}", &mut ledger(), Counting::Here),
        Dispatched::Unhandled
    );
}

#[test]
fn a_message_becomes_a_row_and_a_bots_message_none() {
    let dispatcher = Dispatcher::new(policy(), &Config::defaults().discord);
    let mut ledger = ledger();
    let message = |author: &str| {
        format!(
            r#"{{"t":"MESSAGE_CREATE","s":1,"op":0,"d":{{"id":"1300000000000000000","channel_id":"7","guild_id":"9","author":{{"id":"8"{author}}},"type":0}}}}"#
        )
    };
    let dispatch =
        |text: &str, ledger: &mut Ledger| dispatcher.dispatch("MESSAGE_CREATE", text, ledger, Counting::Here);
    assert_eq!(
        dispatch(&message(r#","bot":true"#), &mut ledger),
        Dispatched::Handled
    );
    assert_eq!(ledger.rows(), 0);
    assert_eq!(dispatch(&message(""), &mut ledger), Dispatched::Handled);
    assert_eq!(ledger.rows(), 1);
}
