//! The dispatcher: it passes each event to what handles it. The intents are derived from what is handled.
//!
//! Messages and interactions have a path of their own. The engine reads some other events itself; every other one goes to the features that
//! read it, by their parts in a flush or by the reactions in their manifests.

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
    interactions::{
        Interactions,
        payload::{InteractionPayload, kind},
        written,
    },
    pipeline::{ledger::Ledger, parts::Pending},
    support::ids::{self, MemberKey, ShardKey},
};

/// The events that the engine reads, with the intents that Discord requires for them.
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
    // These need no intent; of members, only the bot itself is included.
    (EventType::MemberUpdate, Intents::empty()),
    (EventType::InteractionCreate, Intents::empty()),
    // A banned member has left, which without a privileged intent is only visible here.
    (EventType::BanAdd, Intents::GUILD_MODERATION),
    (EventType::MemberAdd, Intents::GUILD_MEMBERS),
    (EventType::MemberRemove, Intents::GUILD_MEMBERS),
];

/// All events that are read.
fn handled() -> impl Iterator<Item = (EventType, Intents)> {
    HANDLED.iter().copied().chain(Pending::events())
}

/// The intents that the bot requests: those of the events that are read, and no others. Privileged ones only if the operator enabled them.
pub fn intents(discord: &config::Discord) -> Intents {
    let mut privileged = Intents::empty();
    privileged.set(Intents::GUILD_MEMBERS, discord.member_events);
    privileged.set(Intents::MESSAGE_CONTENT, discord.message_content);
    let open =
        Intents::all() - (Intents::GUILD_MEMBERS | Intents::MESSAGE_CONTENT | Intents::GUILD_PRESENCES);
    let wanted = handled().fold(Intents::MESSAGE_CONTENT, |all, (_, intents)| all | intents);
    wanted & (open | privileged)
}

/// The result of dispatching an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dispatched {
    /// A handler processed it.
    Handled,
    /// There is no handler.
    Unhandled,
    /// It could not be parsed, for this reason, and was skipped. Without a reason, cached data of a guild was discarded because of it.
    Malformed(Option<Unreadable>),
    /// It is not yet decided which shard counts it: it has not been handled.
    Undecided(Id<MessageMarker>),
    /// A shard of another number counts it.
    Past,
}

/// The handlers and their rules.
#[derive(Clone, Debug)]
pub struct Dispatcher {
    policy: XpPolicy,
    guilds: Option<Guilds>,
    interactions: Option<(Interactions, ShardKey)>,
    message_range: MessageRange,
    /// Whether the bot receives the content of messages.
    content: bool,
}

impl Dispatcher {
    /// A dispatcher with these rules for XP.
    pub const fn new(policy: XpPolicy, discord: &config::Discord) -> Self {
        Self {
            policy,
            content: discord.message_content,
            guilds: None,
            interactions: None,
            message_range: MessageRange::ALL,
        }
    }

    /// Pass this shard's interactions to `interactions`.
    #[must_use]
    pub fn asking(mut self, interactions: Interactions, shard: ShardKey) -> Self {
        self.interactions = Some((interactions, shard));
        self
    }

    /// Set which messages count from now on.
    pub const fn set_message_range(&mut self, message_range: MessageRange) {
        self.message_range = message_range;
    }

    /// The messages that count.
    pub const fn message_range(&self) -> MessageRange {
        self.message_range
    }

    /// Pass changes of guilds to `guilds`.
    #[must_use]
    pub fn telling(mut self, guilds: Guilds) -> Self {
        self.guilds = Some(guilds);
        self
    }

    /// The change made by a message that was read by the backfill, if this shard counts it.
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

    /// Pass an event to its handlers, and its changes to the ledger. An event without a handler is not parsed.
    pub fn dispatch(&self, event_type: &str, text: &str, ledger: &mut Ledger) -> Dispatched {
        let dispatched = match event_type {
            "MESSAGE_CREATE" => self.message(text, ledger),
            "INTERACTION_CREATE" => self.interaction(text, ledger),
            _ => self.other(event_type, text, ledger),
        };
        dispatched.unwrap_or_else(|error| Dispatched::Malformed(Some(error)))
    }

    fn other(&self, event_type: &str, text: &str, ledger: &mut Ledger) -> Result<Dispatched, Unreadable> {
        let read = self.engine(event_type, text, ledger);
        if let Some(ledger) = self.counting(ledger) {
            ledger.event(event_type, text)?;
        }
        read
    }

    /// What the engine reads itself.
    fn engine(&self, event_type: &str, text: &str, ledger: &mut Ledger) -> Result<Dispatched, Unreadable> {
        match event_type {
            "GUILD_MEMBER_ADD" | "GUILD_MEMBER_REMOVE" | "GUILD_BAN_ADD" => {
                self.member(event_type, text, ledger)
            }
            "GUILD_MEMBER_UPDATE" => self
                .member(event_type, text, ledger)
                .and_then(|_| self.tell(event_type, text)),
            "GUILD_CREATE" => self
                .guild_created(text, ledger)
                .and_then(|()| self.tell(event_type, text)),
            "GUILD_DELETE" => self
                .guild_gone(text, ledger)
                .and_then(|()| self.tell(event_type, text)),
            "GUILD_UPDATE" | "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE" | "GUILD_ROLE_DELETE"
            | "CHANNEL_CREATE" | "CHANNEL_UPDATE" | "CHANNEL_DELETE" | "THREAD_CREATE" | "THREAD_UPDATE"
            | "THREAD_DELETE" => self.tell(event_type, text),
            _ => Ok(Dispatched::Unhandled),
        }
    }

    /// The ledger for what is counted without a message ID. While the number of shards changes, shards of both numbers receive it, and
    /// those of the old number count it.
    fn counting<'l>(&self, ledger: &'l mut Ledger) -> Option<&'l mut Ledger> {
        (!self.message_range.is_standby()).then_some(ledger)
    }

    fn message(&self, text: &str, ledger: &mut Ledger) -> Result<Dispatched, Unreadable> {
        let message = MessageCreate::parse(text)?;
        if message.guild_id.is_some() {
            if self.message_range.is_undecided(message.id) {
                return Ok(Dispatched::Undecided(message.id));
            }
            ledger.backfill.saw(message.id);
            if self.message_range.is_past(message.id) {
                return Ok(Dispatched::Past);
            }
        }
        let roles = || MessageCreate::roles_in(text);
        if let Some((key, change)) = self.count_with(&message, roles) {
            ledger.message(message.id, key, change);
            if self.content {
                self.written(&message, text, ledger);
            }
        }
        Ok(Dispatched::Handled)
    }

    fn interaction(&self, text: &str, ledger: &mut Ledger) -> Result<Dispatched, Unreadable> {
        let payload = InteractionPayload::parse(text)?;
        if let (Some((interactions, shard)), Some(ledger)) = (&self.interactions, self.counting(ledger)) {
            take(interactions, payload, *shard, ledger);
        }
        Ok(Dispatched::Handled)
    }

    /// A member has joined, was admitted, or is gone.
    fn member(&self, event_type: &str, text: &str, ledger: &mut Ledger) -> Result<Dispatched, Unreadable> {
        let member = MemberNews::parse(text)?;
        let Some(ledger) = self.counting(ledger).filter(|_| !member.is_bot()) else {
            return Ok(Dispatched::Handled);
        };
        match event_type {
            "GUILD_MEMBER_ADD" => ledger.member(member.joining()),
            "GUILD_MEMBER_UPDATE" => {
                if let Some(admission) = member.admission() {
                    ledger.member(admission);
                }
            }
            event_type => {
                ledger.member(member.leaving());
                if event_type == "GUILD_MEMBER_REMOVE" {
                    ledger.departure(member.key().guild_id);
                }
            }
        }
        Ok(Dispatched::Handled)
    }

    fn guild_created(&self, text: &str, ledger: &mut Ledger) -> Result<(), Unreadable> {
        let id = GuildCreate::id_of(text)?;
        if let Some(ledger) = self.counting(ledger) {
            ledger.guild(id, true);
        }
        if ledger.backfill.wants(id) {
            let created = GuildCreate::parse(text).inspect_err(|_| ledger.backfill.guild_unreadable(id))?;
            if let Some(created) = created {
                ledger.backfill.guild_created(&created);
            }
        }
        Ok(())
    }

    fn guild_gone(&self, text: &str, ledger: &mut Ledger) -> Result<(), Unreadable> {
        let gone = GuildGone::parse(text)?;
        // During an outage, the guild still has the bot.
        if !gone.unavailable
            && let Some(ledger) = self.counting(ledger)
        {
            ledger.guild(gone.id, false);
        }
        Ok(())
    }

    /// Pass on a text command, if the message is one.
    fn written(&self, message: &MessageCreate, text: &str, ledger: &mut Ledger) {
        let (Some((interactions, shard)), Some(guild_id)) = (&self.interactions, message.guild_id) else {
            return;
        };
        let payload = self.policy.settings().last_known(guild_id, |settings| {
            written::payload(message, text, settings.prefix.as_deref())
        });
        if let Some(payload) = payload.unwrap_or_else(|| written::payload(message, text, None)) {
            take(interactions, payload, *shard, ledger);
        }
    }

    /// Update the cached data of guilds.
    fn tell(&self, event_type: &str, text: &str) -> Result<Dispatched, Unreadable> {
        let Some(news) = GuildNews::scan(event_type, text)? else {
            return Ok(Dispatched::Handled);
        };
        Ok(match &self.guilds {
            Some(guilds) if !guilds.hear(&news) => Dispatched::Malformed(None),
            _ => Dispatched::Handled,
        })
    }
}

/// Count a command, and pass an interaction on.
fn take(interactions: &Interactions, payload: InteractionPayload, shard: ShardKey, ledger: &mut Ledger) {
    if let (kind::COMMAND, Some(guild_id)) = (payload.kind, payload.guild_id) {
        let at = ids::millis(payload.id);
        ledger.change(|parts| parts.statistics.command(guild_id, payload.command(), at));
    }
    let is_pending = payload.members().any(|key| ledger.is_pending(&key));
    interactions.take(payload, shard, ledger.committed(), is_pending);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use twilight_gateway::Intents;
    use twilight_model::id::Id;

    use super::{Dispatched, Dispatcher, handled, intents};
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
        assert_eq!(
            intents(&discord),
            Intents::GUILDS
                | Intents::GUILD_MESSAGES
                | Intents::GUILD_MODERATION
                | Intents::AUTO_MODERATION_EXECUTION
        );
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
