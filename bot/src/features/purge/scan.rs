//! Finding the messages.

use std::time::Duration;

use twilight_model::id::{
    Id,
    marker::{ChannelMarker, MessageMarker},
};

use super::filter::{Filter, Message};
use crate::{
    discord::rest::{Priority, Rest, RestError},
    support::ids::{self, Millis},
};

/// The largest number of messages that are looked at.
pub(crate) const SCANNED: usize = 1_000;
/// The largest page of Discord.
const PAGE: u16 = 100;

/// Discord deletes several messages at once for two weeks:
/// <https://docs.discord.com/developers/resources/message#bulk-delete-messages>. A minute less, for clocks that differ.
const DELETABLE: Duration = Duration::from_mins(14 * 24 * 60 - 1);

/// Which part of the channel to look at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Range {
    /// Only messages after this one.
    pub(crate) after: Option<Id<MessageMarker>>,
    /// Only messages before this one.
    pub(crate) before: Option<Id<MessageMarker>>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Messages to be deleted, the newest first.
    pub(crate) messages: Vec<Id<MessageMarker>>,
    /// Messages that match and are too old.
    pub(crate) too_old: u64,
}

/// Whether a message can be deleted together with others.
pub(crate) fn is_deletable(id: Id<MessageMarker>, now: Millis) -> bool {
    let most = Millis::try_from(DELETABLE.as_millis()).unwrap_or(Millis::MAX);
    now - ids::millis(id) < most
}

/// Look for up to `count` messages, the newest first.
pub(crate) async fn scan(
    rest: &Rest,
    channel_id: Id<ChannelMarker>,
    (filter, range): (&Filter, Range),
    count: usize,
    now: Millis,
) -> Result<Found, RestError> {
    let (mut found, mut scanned) = (Found::default(), 0);
    let mut before = range.before;
    while scanned < SCANNED {
        let page = page(rest, channel_id, before).await?;
        for message in &page {
            let is_after = range.after.is_none_or(|after| message.id > after);
            let is_full = found.messages.len() + usize::try_from(found.too_old).unwrap_or(0) >= count;
            if !is_after || is_full {
                return Ok(found);
            }
            if !filter.matches(message) {
                continue;
            }
            if is_deletable(message.id, now) {
                found.messages.push(message.id);
            } else {
                found.too_old += 1;
            }
        }
        scanned += page.len();
        before = page.iter().map(|message| message.id).min();
        if page.len() < usize::from(PAGE) {
            break;
        }
    }
    Ok(found)
}

/// A page of messages, the newest first.
async fn page(
    rest: &Rest,
    channel_id: Id<ChannelMarker>,
    before: Option<Id<MessageMarker>>,
) -> Result<Vec<Message>, RestError> {
    let client = rest.builders();
    let sent = if let Some(before) = before {
        let request = client.channel_messages(channel_id).before(before);
        rest.send(Priority::Command, request.limit(PAGE)).await
    } else {
        let request = client.channel_messages(channel_id);
        rest.send(Priority::Command, request.limit(PAGE)).await
    };
    let mut page: Vec<Message> = sent?.model()?;
    page.sort_unstable_by_key(|message| std::cmp::Reverse(message.id));
    Ok(page)
}
