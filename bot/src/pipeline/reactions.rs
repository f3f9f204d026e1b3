//! The part in a flush that all reactions to events share.

use serde::{Deserialize, Serialize};
use twilight_gateway::Intents;
use twilight_model::gateway::event::EventType;

use crate::{
    discord::events::message_create::Unreadable,
    features,
    flush::{
        Change, Flush, Kept, Pending, SetAside,
        reaction::{AnyReaction, Read},
    },
    postgres::StoreError,
};

/// The kind of an event in quarantine.
const KIND: &str = "event";

/// The events of a shard to which features react, and which are not in a batch yet.
#[derive(Debug)]
pub struct Reactions {
    /// All reactions, with the names of their events.
    all: Vec<(&'static str, &'static dyn AnyReaction)>,
    events: Vec<Reacted>,
}

/// An event and the reaction to it.
#[derive(Clone, Debug)]
pub struct Reacted {
    reaction: &'static dyn AnyReaction,
    read: Read,
}

impl Default for Reactions {
    fn default() -> Self {
        let named = |reaction: &'static dyn AnyReaction| Some((reaction.event().0.name()?, reaction));
        Self {
            all: features::reactions().filter_map(named).collect(),
            events: Vec::new(),
        }
    }
}

impl Pending for Reactions {
    type Batch = Vec<Reacted>;

    fn events() -> Vec<(EventType, Intents)> {
        features::reactions().map(AnyReaction::event).collect()
    }

    fn on_event(&mut self, event_type: &str, text: &str) -> Result<usize, Unreadable> {
        let mut grown = 0;
        for (name, reaction) in &self.all {
            if *name == event_type
                && let Some(read) = reaction.read(text)?
            {
                grown += size_of::<Reacted>() + read.event.capacity();
                self.events.push(Reacted {
                    reaction: *reaction,
                    read,
                });
            }
        }
        Ok(grown)
    }

    fn changes(&self) -> usize {
        self.events.len()
    }

    fn take(&mut self) -> Vec<Reacted> {
        std::mem::take(&mut self.events)
    }

    fn forget(&mut self) {
        self.events.clear();
    }
}

/// What the quarantine keeps of an event.
#[derive(Debug, Deserialize, Serialize)]
struct Body {
    reaction: String,
    event: String,
}

impl Change for Reacted {
    const KINDS: &'static [&'static str] = &[KIND];

    fn set_aside(&self) -> SetAside {
        let body = Body {
            reaction: self.reaction.name().to_owned(),
            event: self.read.event.clone(),
        };
        SetAside {
            user_id: self.read.user_id,
            ..SetAside::of_guild(KIND, self.read.guild_id, &body)
        }
    }

    fn read(kept: &Kept) -> Option<Self> {
        if kept.kind != KIND {
            return None;
        }
        let body: Body = kept.body()?;
        Some(Self {
            reaction: features::reactions().find(|reaction| reaction.name() == body.reaction)?,
            read: Read {
                guild_id: kept.guild_id?,
                user_id: kept.user_id,
                event: body.event,
            },
        })
    }

    async fn write(events: Vec<Self>, flush: &mut Flush<'_, '_>) -> Result<(), StoreError> {
        for Self { reaction, read } in &events {
            reaction.react(&read.event, flush).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{AnyReaction, Change as _, Kept, Pending as _, Reacted, Reactions};
    use crate::features;

    #[test]
    fn each_reaction_has_a_name_of_its_own() {
        let names: Vec<_> = features::reactions().map(AnyReaction::name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }

    #[test]
    fn an_event_comes_back_from_quarantine() {
        let mut reactions = Reactions::default();
        let text = r#"{"t":"AUTO_MODERATION_ACTION_EXECUTION","s":1,"op":0,"d":{"guild_id":"9","action":{"type":1},"user_id":"8","channel_id":"7","content":"secret"}}"#;
        let name = "AUTO_MODERATION_ACTION_EXECUTION";
        assert!(reactions.on_event(name, text).expect("read") > 0);
        assert_eq!(reactions.on_event("TYPING_START", text), Ok(0));
        assert!(reactions.on_event(name, "{}").is_err());
        let batch = reactions.take();
        assert_eq!((batch.len(), reactions.changes()), (1, 0));
        let aside = batch[0].set_aside();
        assert!(!aside.body.contains("secret"), "{aside:?}");
        let kept = Kept {
            kind: aside.kind.to_owned(),
            guild_id: aside.guild_id,
            user_id: aside.user_id,
            body: aside.body,
        };
        let again = Reacted::read(&kept).expect("known");
        assert_eq!(again.read, batch[0].read);
    }
}
