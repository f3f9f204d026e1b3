//! Deleting messages, one or many at once.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    Answer, Asked, RestState,
    channels::{Spot, event},
};
use crate::{
    engine::{Engine, MessageRange},
    payload::MANAGE_MESSAGES,
    snowflake::time_ms,
};

/// The age up to which messages can be deleted in bulk.
const BULK_AGE_MS: u64 = 14 * 86_400_000;

/// Whether the message is there and by whom.
enum Of {
    Bot,
    Member,
}

fn find(rest: &RestState, engine: &Engine, spot: Spot, id: u64) -> Option<Of> {
    let has = |kept: &rustc_hash::FxHashMap<u64, std::collections::BTreeMap<u64, Value>>| {
        kept.get(&spot.id)
            .is_some_and(|messages| messages.contains_key(&id))
    };
    if has(&rest.messages) {
        return Some(Of::Bot);
    }
    let range = MessageRange {
        after: id.saturating_sub(1),
        before: id.saturating_add(1),
        limit: 1,
        oldest: true,
    };
    let is_there = has(&rest.written)
        || (!rest.gone.contains(&id) && !engine.channel_messages(range, spot.place).is_empty());
    is_there.then_some(Of::Member)
}

fn remove(rest: &mut RestState, spot: Spot, id: u64) {
    let RestState {
        messages,
        written,
        gone,
        ..
    } = rest;
    let kept = [messages, written];
    let removed = kept.into_iter().any(|kept| {
        kept.get_mut(&spot.id)
            .is_some_and(|messages| messages.remove(&id).is_some())
    });
    if !removed {
        gone.insert(id);
    }
}

pub(super) fn single(asked: &Asked<'_>, spot: Spot, id: u64) -> Answer {
    let found = {
        let rest = asked.hub.rest();
        find(&rest, &asked.hub.lock(), spot, id)
    };
    match found {
        None => return Answer::unknown("Message", 10_008),
        Some(Of::Member) => {
            if let Err(refused) = spot.may(asked, MANAGE_MESSAGES) {
                return refused;
            }
        }
        Some(Of::Bot) => {}
    }
    remove(&mut asked.hub.rest(), spot, id);
    let mut engine = asked.hub.lock();
    let now = engine.clock.next_id();
    let gone = json!({"id": id.to_string(), "channel_id": spot.id.to_string()});
    let told = event(asked, &engine.overlay, "MESSAGE_DELETE", spot, now, &gone);
    engine.publish_raw(&asked.hub.world, spot.guild(), told);
    Answer::empty()
}

/// <https://docs.discord.com/developers/resources/message#bulk-delete-messages>
pub(super) fn bulk(asked: &Asked<'_>, spot: Spot) -> Answer {
    if let Err(refused) = spot.may(asked, MANAGE_MESSAGES) {
        return refused;
    }
    let given = asked.body["messages"].as_array().map_or(&[][..], Vec::as_slice);
    if !(2..=100).contains(&given.len()) {
        let message =
            "Provided too few or too many messages to delete. Must provide at least 2 and at most 100.";
        return Answer::error(400, 50_016, message);
    }
    let ids: Option<BTreeSet<u64>> = given.iter().map(|id| id.as_str()?.parse().ok()).collect();
    let Some(ids) = ids.filter(|ids| ids.len() == given.len()) else {
        let message = "The messages must be different snowflakes.";
        return Answer::invalid("messages", "SET_TYPE_CONTAINS_DUPLICATE", message);
    };
    let now = {
        let mut engine = asked.hub.lock();
        engine.clock.follow(1);
        engine.clock.now_ms()
    };
    if ids.iter().any(|id| time_ms(*id) + BULK_AGE_MS < now) {
        let message = "You can only bulk delete messages that are under 14 days old.";
        return Answer::error(400, 50_034, message);
    }
    let mut rest = asked.hub.rest();
    let mut engine = asked.hub.lock();
    let there: Vec<u64> = ids
        .into_iter()
        .filter(|id| find(&rest, &engine, spot, *id).is_some())
        .collect();
    for id in &there {
        remove(&mut rest, spot, *id);
    }
    let texts: Vec<String> = there.iter().map(u64::to_string).collect();
    let gone = json!({"ids": texts, "channel_id": spot.id.to_string()});
    let now = engine.clock.next_id();
    let told = event(asked, &engine.overlay, "MESSAGE_DELETE_BULK", spot, now, &gone);
    engine.publish_raw(&asked.hub.world, spot.guild(), told);
    Answer::empty()
}
