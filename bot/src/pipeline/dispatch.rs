//! The dispatcher: which event goes to which handler, and where its changes go.
//!
//! The only place that knows what is handled: the intents are derived from the same table.

pub mod message_range;

use twilight_gateway::Intents;
use twilight_model::{
    gateway::event::EventType,
    id::{
        Id,
        marker::{MessageMarker, RoleMarker},
    },
};

use self::message_range::MessageRange;
use crate::{
    config,
    discord::{
        events::{
            guild_create::GuildCreate,
            guild_news::{GuildGone, GuildNews},
            member_news::MemberNews,
            message_create::{MessageCreate, Unreadable},
        },
        guilds::Guilds,
    },
    features::levels::{on_message, pending::MemberMessage, policy::XpPolicy},
    interactions::{Interactions, payload::InteractionPayload, written},
    pipeline::ledger::Ledger,
    support::ids::{MemberKey, ShardKey},
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
    (EventType::ThreadCreate, Intents::GUILDS),
    (EventType::ThreadUpdate, Intents::GUILDS),
    (EventType::ThreadDelete, Intents::GUILDS),
    // These come without any intent; of members, the bot itself.
    (EventType::MemberUpdate, Intents::empty()),
    (EventType::InteractionCreate, Intents::empty()),
    // Who is banned has gone, which nobody tells otherwise without a privileged intent.
    (EventType::BanAdd, Intents::GUILD_MODERATION),
];

/// Those that only some operators want, since they take privileged intents.
const MEMBER_EVENTS: &[(EventType, Intents)] = &[
    (EventType::MemberAdd, Intents::GUILD_MEMBERS),
    (EventType::MemberRemove, Intents::GUILD_MEMBERS),
];

/// What the bot asks Discord for: what its handlers want, and nothing else.
pub fn intents(discord: &config::Discord) -> Intents {
    let optional = if discord.member_events { MEMBER_EVENTS } else { &[] };
    let content = if discord.message_content {
        Intents::MESSAGE_CONTENT
    } else {
        Intents::empty()
    };
    let handled = HANDLED.iter().chain(optional);
    handled.fold(content, |all, (_, wanted)| all | *wanted)
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dispatched {
    /// A handler had it.
    Handled,
    /// Nobody wants it.
    Unhandled,
    /// It could not be read, for this reason, and was skipped. Without a reason, something known of a guild was forgotten because of it.
    Malformed(Option<Unreadable>),
    /// Nobody knows yet whose it is to count: it has not been handled.
    Undecided(Id<MessageMarker>),
    /// It was for a shard of another number to count.
    Past,
}

impl Dispatched {
    fn unreadable(error: impl Into<Unreadable>) -> Self {
        Self::Malformed(Some(error.into()))
    }
}

/// The handlers with the rules they apply.
#[derive(Clone, Debug)]
pub struct Dispatcher {
    policy: XpPolicy,
    guilds: Option<Guilds>,
    interactions: Option<(Interactions, ShardKey)>,
    message_range: MessageRange,
    /// Whether messages say what they say.
    content: bool,
}

impl Dispatcher {
    /// A dispatcher by whose rules messages earn what `judge` says.
    pub const fn new(policy: XpPolicy, discord: &config::Discord) -> Self {
        Self {
            policy,
            content: discord.message_content,
            guilds: None,
            interactions: None,
            message_range: MessageRange::ALL,
        }
    }

    /// The same, which hands `interactions` over what members ask of this shard.
    #[must_use]
    pub fn asking(mut self, interactions: Interactions, shard: ShardKey) -> Self {
        self.interactions = Some((interactions, shard));
        self
    }

    /// Which messages count from now on.
    pub const fn set_message_range(&mut self, message_range: MessageRange) {
        self.message_range = message_range;
    }

    /// Which messages count.
    pub const fn message_range(&self) -> MessageRange {
        self.message_range
    }

    /// The same, which tells `guilds` what changes in them.
    #[must_use]
    pub fn telling(mut self, guilds: Guilds) -> Self {
        self.guilds = Some(guilds);
        self
    }

    /// What a message that was read back changes, if it is this shard's to count.
    pub fn count(&self, message: &MessageCreate) -> Option<(MemberKey, MemberMessage)> {
        self.count_with(message, || None)
    }

    fn count_with(
        &self,
        message: &MessageCreate,
        roles: impl FnOnce() -> Option<Vec<Id<RoleMarker>>>,
    ) -> Option<(MemberKey, MemberMessage)> {
        self.message_range
            .counts(message.id)
            .then(|| on_message::on_message(&self.policy, message, roles))?
    }

    /// Hand an event to its handler and its changes to the ledger. An event that nobody handles is not parsed.
    pub fn dispatch(&self, event_type: &str, text: &str, ledger: &mut Ledger) -> Dispatched {
        match event_type {
            "MESSAGE_CREATE" => {
                let message = match MessageCreate::parse(text) {
                    Ok(message) => message,
                    Err(error) => return Dispatched::unreadable(error),
                };
                if message.guild_id.is_some() {
                    if self.message_range.is_undecided(message.id) {
                        return Dispatched::Undecided(message.id);
                    }
                    ledger.backfill.saw(message.id);
                    if self.message_range.is_past(message.id) {
                        return Dispatched::Past;
                    }
                }
                let roles = || MessageCreate::roles_in(text);
                if let Some((key, change)) = self.count_with(&message, roles) {
                    ledger.message(message.id, key, change);
                    if self.content {
                        self.written(&message, text, ledger);
                    }
                }
                Dispatched::Handled
            }
            "INTERACTION_CREATE" => {
                let payload = match InteractionPayload::parse(text) {
                    Ok(payload) => payload,
                    Err(error) => return Dispatched::unreadable(error),
                };
                // While the number of shards changes, those of the old one answer.
                if let Some((interactions, shard)) = &self.interactions
                    && !self.message_range.is_standby()
                {
                    let is_pending = payload.members().any(|key| ledger.is_pending(&key));
                    interactions.take(payload, *shard, ledger.committed(), is_pending);
                }
                Dispatched::Handled
            }
            "GUILD_MEMBER_ADD" | "GUILD_MEMBER_REMOVE" | "GUILD_BAN_ADD" => {
                self.moved(event_type, text, ledger)
            }
            "GUILD_CREATE" => {
                let id = match GuildCreate::id_of(text) {
                    Ok(id) => id,
                    Err(error) => return Dispatched::unreadable(error),
                };
                if !self.message_range.is_standby() {
                    ledger.guild(id, true);
                }
                if ledger.backfill.wants(id) {
                    match GuildCreate::parse(text) {
                        Ok(Some(created)) => ledger.backfill.guild_created(&created),
                        Ok(None) => {}
                        Err(error) => {
                            ledger.backfill.guild_unreadable(id);
                            return Dispatched::unreadable(error);
                        }
                    }
                }
                self.tell(event_type, text)
            }
            "GUILD_DELETE" => {
                let gone = match GuildGone::parse(text) {
                    Ok(gone) => gone,
                    Err(error) => return Dispatched::unreadable(error),
                };
                // One that is away for an outage has the bot still.
                if !gone.unavailable && !self.message_range.is_standby() {
                    ledger.guild(gone.id, false);
                }
                self.tell(event_type, text)
            }
            "GUILD_UPDATE" | "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE" | "GUILD_ROLE_DELETE"
            | "CHANNEL_CREATE" | "CHANNEL_UPDATE" | "CHANNEL_DELETE" | "THREAD_CREATE" | "THREAD_UPDATE"
            | "THREAD_DELETE" => self.tell(event_type, text),
            "GUILD_MEMBER_UPDATE" => match self.moved(event_type, text, ledger) {
                Dispatched::Handled => self.tell(event_type, text),
                unreadable => unreadable,
            },
            _ => Dispatched::Unhandled,
        }
    }

    /// A member has come, was let in, or is gone.
    fn moved(&self, event_type: &str, text: &str, ledger: &mut Ledger) -> Dispatched {
        let member = match MemberNews::parse(text) {
            Ok(member) => member,
            Err(error) => return Dispatched::unreadable(error),
        };
        if member.is_bot() || self.message_range.is_standby() {
            return Dispatched::Handled;
        }
        match event_type {
            "GUILD_MEMBER_ADD" => ledger.coming(member.joining()),
            "GUILD_MEMBER_UPDATE" => {
                if let Some(admission) = member.admission() {
                    ledger.coming(admission);
                }
            }
            _ => ledger.left(member.key()),
        }
        Dispatched::Handled
    }

    /// Hand over a command that was written as a message, if it is one.
    fn written(&self, message: &MessageCreate, text: &str, ledger: &mut Ledger) {
        let (Some((interactions, shard)), Some(guild_id)) = (&self.interactions, message.guild_id) else {
            return;
        };
        let payload = self.policy.settings().last_known(guild_id, |settings| {
            written::payload(message, text, settings.prefix.as_deref())
        });
        if let Some(payload) = payload.unwrap_or_else(|| written::payload(message, text, None)) {
            let is_pending = payload.members().any(|key| ledger.is_pending(&key));
            interactions.take(payload, *shard, ledger.committed(), is_pending);
        }
    }

    /// Tell what is known of guilds that something has changed in one.
    fn tell(&self, event_type: &str, text: &str) -> Dispatched {
        let news = match GuildNews::scan(event_type, text) {
            Ok(Some(news)) => news,
            Ok(None) => return Dispatched::Handled,
            Err(error) => return Dispatched::unreadable(error),
        };
        match &self.guilds {
            Some(guilds) if !guilds.hear(&news) => Dispatched::Malformed(None),
            _ => Dispatched::Handled,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use twilight_gateway::Intents;

    use super::{Dispatched, Dispatcher, HANDLED, MEMBER_EVENTS, intents};
    use crate::{
        config::Config,
        features::levels::policy::XpPolicy,
        pipeline::ledger::{Ledger, memory::Memory},
        settings::Settings,
    };

    fn policy() -> XpPolicy {
        XpPolicy::new(Settings::new(&Config::defaults().levels))
    }

    fn ledger() -> Ledger {
        Ledger::new(Arc::new(Memory::new(1 << 20)), 16)
    }

    #[test]
    fn privileged_intents_are_asked_for_on_request_only() {
        let privileged = Intents::MESSAGE_CONTENT | Intents::GUILD_MEMBERS | Intents::GUILD_PRESENCES;
        let mut discord = Config::defaults().discord;
        assert!(!intents(&discord).intersects(privileged));
        assert_eq!(
            intents(&discord),
            Intents::GUILDS | Intents::GUILD_MESSAGES | Intents::GUILD_MODERATION
        );
        (discord.member_events, discord.message_content) = (true, true);
        assert!(intents(&discord).contains(Intents::MESSAGE_CONTENT | Intents::GUILD_MEMBERS));
    }

    /// Guards the table: every event in it has an arm in `dispatch`, which tries to read it.
    #[test]
    fn every_event_of_the_table_is_handled() {
        let dispatcher = Dispatcher::new(policy(), &Config::defaults().discord);
        for (event, _) in HANDLED.iter().chain(MEMBER_EVENTS) {
            let name = event.name().expect("a dispatch event");
            assert!(
                matches!(
                    dispatcher.dispatch(name, "{}", &mut ledger()),
                    Dispatched::Malformed(Some(_))
                ),
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
        let dispatcher = Dispatcher::new(policy(), &Config::defaults().discord);
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
