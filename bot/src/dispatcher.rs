//! The dispatcher: which event goes to which handler, and where its changes go.
//!
//! The only place that knows what is handled: the intents are derived from the same table.

pub mod portion;

use twilight_gateway::Intents;
use twilight_model::{
    gateway::event::EventType,
    id::{Id, marker::MessageMarker},
};

use self::portion::Portion;
use crate::{
    events::{guild_create::GuildCreate, guild_news::GuildNews, message_create::MessageCreate},
    guilds::Guilds,
    handlers::levels,
    interactions::{Interactions, asked::Asked},
    ledger::{
        Ledger,
        member_xp::{MemberKey, MemberMessage},
    },
    store::shard_checkpoint::ShardKey,
};

/// The events that somebody handles, with the intents under which Discord sends them.
/// <https://discord.com/developers/docs/events/gateway#list-of-intents>
const HANDLED: &[(EventType, Intents)] = &[
    (EventType::MessageCreate, Intents::GUILD_MESSAGES),
    (EventType::GuildCreate, Intents::GUILDS),
    (EventType::GuildUpdate, Intents::GUILDS),
    (EventType::GuildDelete, Intents::GUILDS),
    (EventType::RoleCreate, Intents::GUILDS),
    (EventType::RoleUpdate, Intents::GUILDS),
    (EventType::RoleDelete, Intents::GUILDS),
    (EventType::ChannelCreate, Intents::GUILDS),
    (EventType::ChannelUpdate, Intents::GUILDS),
    (EventType::ChannelDelete, Intents::GUILDS),
    (EventType::ThreadUpdate, Intents::GUILDS),
    (EventType::ThreadDelete, Intents::GUILDS),
    // These come without any intent; of members, the bot itself.
    (EventType::MemberUpdate, Intents::empty()),
    (EventType::InteractionCreate, Intents::empty()),
];

/// What the bot asks Discord for: what its handlers want, and nothing else.
pub fn intents() -> Intents {
    HANDLED
        .iter()
        .fold(Intents::empty(), |all, (_, wanted)| all | *wanted)
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dispatched {
    /// A handler had it.
    Handled,
    /// Nobody wants it.
    Unhandled,
    /// It could not be read, and was skipped.
    Malformed,
    /// Nobody knows yet whose it is to count: it has not been handled.
    Undecided(Id<MessageMarker>),
    /// It was for a shard of another number to count.
    Past,
}

/// The handlers with the rules they apply.
#[derive(Clone, Debug)]
pub struct Dispatcher {
    levels: levels::Rules,
    guilds: Option<Guilds>,
    interactions: Option<(Interactions, ShardKey)>,
    portion: Portion,
}

impl Dispatcher {
    /// A dispatcher with the rules of the configuration.
    pub const fn new(levels: levels::Rules) -> Self {
        Self {
            levels,
            guilds: None,
            interactions: None,
            portion: Portion::ALL,
        }
    }

    /// The same, which hands `interactions` over what members ask of this shard.
    #[must_use]
    pub fn asking(mut self, interactions: Interactions, shard: ShardKey) -> Self {
        self.interactions = Some((interactions, shard));
        self
    }

    /// Which messages count from now on.
    pub const fn set_portion(&mut self, portion: Portion) {
        self.portion = portion;
    }

    /// Which messages count.
    pub const fn portion(&self) -> Portion {
        self.portion
    }

    /// The same, which tells `guilds` what changes in them.
    #[must_use]
    pub fn telling(mut self, guilds: Guilds) -> Self {
        self.guilds = Some(guilds);
        self
    }

    /// What a message changes, wherever it comes from, if it is this shard's to count.
    pub fn count(&self, message: &MessageCreate) -> Option<(MemberKey, MemberMessage)> {
        self.portion
            .counts(message.id)
            .then(|| levels::on_message(&self.levels, message))?
    }

    /// Hand an event to its handler and its changes to the ledger. An event that nobody handles is not parsed.
    pub fn dispatch(&self, event_type: &str, text: &str, ledger: &mut Ledger) -> Dispatched {
        match event_type {
            "MESSAGE_CREATE" => {
                let Ok(message) = MessageCreate::parse(text) else {
                    return Dispatched::Malformed;
                };
                if message.guild_id.is_some() {
                    if self.portion.is_undecided(message.id) {
                        return Dispatched::Undecided(message.id);
                    }
                    ledger.backfill.saw(message.id);
                    if self.portion.is_past(message.id) {
                        return Dispatched::Past;
                    }
                }
                if let Some((key, change)) = self.count(&message) {
                    ledger.message(message.id, key, change);
                }
                Dispatched::Handled
            }
            "INTERACTION_CREATE" => {
                let Ok(asked) = Asked::parse(text) else {
                    return Dispatched::Malformed;
                };
                // While the number of shards changes, those of the old one answer.
                if let Some((interactions, shard)) = &self.interactions
                    && !self.portion.counts_nothing()
                {
                    interactions.take(asked, *shard, ledger.committed());
                }
                Dispatched::Handled
            }
            "GUILD_CREATE" => {
                let Ok(id) = GuildCreate::id_of(text) else {
                    return Dispatched::Malformed;
                };
                if ledger.backfill.wants(id) {
                    match GuildCreate::parse(text) {
                        Ok(Some(created)) => ledger.backfill.guild_created(&created),
                        Ok(None) => {}
                        Err(_) => {
                            ledger.backfill.guild_unreadable(id);
                            return Dispatched::Malformed;
                        }
                    }
                }
                self.tell(event_type, text)
            }
            "GUILD_UPDATE"
            | "GUILD_DELETE"
            | "GUILD_ROLE_CREATE"
            | "GUILD_ROLE_UPDATE"
            | "GUILD_ROLE_DELETE"
            | "CHANNEL_CREATE"
            | "CHANNEL_UPDATE"
            | "CHANNEL_DELETE"
            | "THREAD_UPDATE"
            | "THREAD_DELETE"
            | "GUILD_MEMBER_UPDATE" => self.tell(event_type, text),
            _ => Dispatched::Unhandled,
        }
    }

    /// Tell what is known of guilds that something has changed in one.
    fn tell(&self, event_type: &str, text: &str) -> Dispatched {
        let Ok(news) = GuildNews::scan(event_type, text) else {
            return Dispatched::Malformed;
        };
        match &self.guilds {
            Some(guilds) if !guilds.hear(&news) => Dispatched::Malformed,
            _ => Dispatched::Handled,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use twilight_gateway::Intents;

    use super::{Dispatched, Dispatcher, HANDLED, intents};
    use crate::{
        config::Config,
        handlers::levels,
        ledger::{Ledger, memory::Memory},
    };

    fn ledger() -> Ledger {
        Ledger::new(Arc::new(Memory::new(1 << 20)), 16)
    }

    #[test]
    fn no_privileged_intent_is_asked_for() {
        let privileged = Intents::MESSAGE_CONTENT | Intents::GUILD_MEMBERS | Intents::GUILD_PRESENCES;
        assert!(!intents().intersects(privileged));
        assert_eq!(intents(), Intents::GUILDS | Intents::GUILD_MESSAGES);
    }

    /// Guards the table: every event in it has an arm in `dispatch`, which tries to read it.
    #[test]
    fn every_event_of_the_table_is_handled() {
        let dispatcher = Dispatcher::new(levels::Rules::from(&Config::defaults().levels));
        for (event, _) in HANDLED {
            let name = event.name().expect("a dispatch event");
            assert_eq!(
                dispatcher.dispatch(name, "{}", &mut ledger()),
                Dispatched::Malformed,
                "{name}"
            );
        }
        assert_eq!(
            dispatcher.dispatch("TYPING_START", "{}", &mut ledger()),
            Dispatched::Unhandled
        );
    }

    #[test]
    fn a_message_becomes_a_row_and_a_bots_message_none() {
        let dispatcher = Dispatcher::new(levels::Rules::from(&Config::defaults().levels));
        let mut ledger = ledger();
        let message = |author: &str| {
            format!(
                r#"{{"t":"MESSAGE_CREATE","s":1,"op":0,"d":{{"id":"1300000000000000000","channel_id":"7","guild_id":"9","author":{{"id":"8"{author}}},"type":0}}}}"#
            )
        };
        assert_eq!(
            dispatcher.dispatch("MESSAGE_CREATE", &message(r#","bot":true"#), &mut ledger),
            Dispatched::Handled
        );
        assert_eq!(ledger.rows(), 0);
        assert_eq!(
            dispatcher.dispatch("MESSAGE_CREATE", &message(""), &mut ledger),
            Dispatched::Handled
        );
        assert_eq!(ledger.rows(), 1);
    }
}
