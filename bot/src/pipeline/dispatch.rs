//! The dispatcher: it passes each event to what handles it. The intents are derived from what is handled.
//!
//! Messages and interactions have a path of their own. The engine reads some other events itself; every other one goes to the features that
//! read it, by their parts in a flush or by the reactions in their manifests.

use twilight_gateway::Intents;
use twilight_model::{
    gateway::event::EventType,
    id::{Id, marker::RoleMarker},
};

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
        text_command,
    },
    pipeline::{ledger::Ledger, parts::Pending},
    support::ids::{self, MemberKey, ShardKey},
};

/// All events that are read, with the intents that Discord requires for them.
fn handled() -> impl Iterator<Item = (EventType, Intents)> {
    let own_paths = [MessageCreate::EVENT, InteractionPayload::EVENT];
    let of_engine = [GuildNews::EVENTS, MemberNews::EVENTS].concat();
    own_paths.into_iter().chain(of_engine).chain(Pending::events())
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
}

/// Whether this shard counts what an event without a message's ID changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// It does.
    Here,
    /// Another shard that receives the event does. Here it only updates cached data.
    Elsewhere,
}

/// The handlers and their rules.
#[derive(Clone, Debug)]
pub struct Dispatcher {
    policy: XpPolicy,
    guilds: Option<Guilds>,
    interactions: Option<(Interactions, ShardKey)>,
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
        }
    }

    /// Pass this shard's interactions to `interactions`.
    #[must_use]
    pub fn with_interactions(mut self, interactions: Interactions, shard: ShardKey) -> Self {
        self.interactions = Some((interactions, shard));
        self
    }

    /// Pass changes of guilds to `guilds`.
    #[must_use]
    pub fn with_guilds(mut self, guilds: Guilds) -> Self {
        self.guilds = Some(guilds);
        self
    }

    /// The change made by a message that was read by the backfill.
    pub fn count(&self, message: &MessageCreate) -> Option<(MemberKey, MemberMessage)> {
        self.count_with(message, || None)
    }

    fn count_with(
        &self,
        message: &MessageCreate,
        roles: impl FnOnce() -> Option<Vec<Id<RoleMarker>>>,
    ) -> Option<(MemberKey, MemberMessage)> {
        on_message::on_message(&self.policy, message, roles)
    }

    /// Pass an event to its handlers, and its changes to the ledger. An event without a handler is not parsed.
    pub fn dispatch(
        &self,
        event_type: &str,
        text: &str,
        ledger: &mut Ledger,
        counting: Counting,
    ) -> Dispatched {
        let dispatched = match event_type {
            "MESSAGE_CREATE" => {
                MessageCreate::parse(text).map(|message| self.message(&message, text, ledger))
            }
            "INTERACTION_CREATE" => self.interaction(text, ledger, counting),
            _ => self.other(event_type, text, ledger, counting),
        };
        dispatched.unwrap_or_else(|error| Dispatched::Malformed(Some(error)))
    }

    /// Pass on a message.
    pub fn message(&self, message: &MessageCreate, text: &str, ledger: &mut Ledger) -> Dispatched {
        if message.guild_id.is_some() {
            ledger.backfill.saw(message.id);
        }
        let roles = || MessageCreate::roles_in(text);
        if let Some((key, change)) = self.count_with(message, roles) {
            ledger.message(message.id, key, change);
            if self.content {
                self.text_command(message, text, ledger);
            }
        }
        Dispatched::Handled
    }

    fn interaction(
        &self,
        text: &str,
        ledger: &mut Ledger,
        counting: Counting,
    ) -> Result<Dispatched, Unreadable> {
        let payload = InteractionPayload::parse(text)?;
        if let (Some((interactions, shard)), Counting::Here) = (&self.interactions, counting) {
            take(interactions, payload, *shard, ledger);
        }
        Ok(Dispatched::Handled)
    }

    fn other(
        &self,
        event_type: &str,
        text: &str,
        ledger: &mut Ledger,
        counting: Counting,
    ) -> Result<Dispatched, Unreadable> {
        let read = self.engine(event_type, text, ledger, counting);
        if counting == Counting::Here {
            ledger.event(event_type, text)?;
        }
        read
    }

    /// What the engine reads itself.
    fn engine(
        &self,
        event_type: &str,
        text: &str,
        ledger: &mut Ledger,
        counting: Counting,
    ) -> Result<Dispatched, Unreadable> {
        let mut dispatched = Dispatched::Unhandled;
        if MemberNews::reads(event_type) {
            let member = MemberNews::parse(text)?;
            if counting == Counting::Here && !member.is_bot() {
                member_changed(event_type, &member, ledger);
            }
            dispatched = Dispatched::Handled;
        }
        if GuildNews::reads(event_type) {
            match event_type {
                "GUILD_CREATE" => guild_created(text, ledger, counting)?,
                "GUILD_DELETE" => guild_gone(text, ledger, counting)?,
                _ => {}
            }
            dispatched = self.update_guilds(event_type, text)?;
        }
        Ok(dispatched)
    }

    /// Pass on a text command, if the message is one.
    fn text_command(&self, message: &MessageCreate, text: &str, ledger: &mut Ledger) {
        let (Some((interactions, shard)), Some(guild_id)) = (&self.interactions, message.guild_id) else {
            return;
        };
        let payload = self.policy.settings().last_known(guild_id, |settings| {
            text_command::payload(message, text, settings.prefix.as_deref())
        });
        if let Some(payload) = payload.unwrap_or_else(|| text_command::payload(message, text, None)) {
            take(interactions, payload, *shard, ledger);
        }
    }

    /// Update the cached data of guilds.
    fn update_guilds(&self, event_type: &str, text: &str) -> Result<Dispatched, Unreadable> {
        let Some(news) = GuildNews::scan(event_type, text)? else {
            return Ok(Dispatched::Handled);
        };
        Ok(match &self.guilds {
            Some(guilds) if !guilds.update(&news) => Dispatched::Malformed(None),
            _ => Dispatched::Handled,
        })
    }
}

/// A member has joined, was admitted, or is gone.
fn member_changed(event_type: &str, member: &MemberNews, ledger: &mut Ledger) {
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
}

fn guild_created(text: &str, ledger: &mut Ledger, counting: Counting) -> Result<(), Unreadable> {
    let id = GuildCreate::id_of(text)?;
    if counting == Counting::Here {
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

fn guild_gone(text: &str, ledger: &mut Ledger, counting: Counting) -> Result<(), Unreadable> {
    let gone = GuildGone::parse(text)?;
    // During an outage, the guild still has the bot.
    if !gone.unavailable && counting == Counting::Here {
        ledger.guild(gone.id, false);
    }
    Ok(())
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
mod tests;
