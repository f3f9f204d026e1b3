//! Pages of several channels become one stream ordered by ID.

use std::future::ready;

use futures_util::FutureExt as _;
use proptest::prelude::*;
use twilight_model::id::Id;

use super::{Fetched, GuildReader, MessageCreate, PAGE, PAGES_BEYOND, fetch};
use crate::pipeline::backfill::{Plan, Span, Unread};

const AFTER: u64 = 1_000;

fn message(id: u64, channel: u64, by: &str) -> MessageCreate {
    serde_json::from_str(&format!(
        r#"{{"id":"{id}","channel_id":"{channel}","type":0,"author":{{"id":"5"{by}}}}}"#
    ))
    .expect("a message as REST gives it")
}

/// The response of REST: the oldest messages after a given one, newest first.
fn page(messages: &[(u64, u64)], channel: u64, after: u64) -> Vec<MessageCreate> {
    let mut page: Vec<_> = messages
        .iter()
        .filter(|(of, id)| *of == channel && *id > after)
        .take(usize::from(PAGE))
        .map(|(_, id)| message(*id, channel, if id % 7 == 0 { r#","bot":true"# } else { "" }))
        .collect();
    page.reverse();
    page
}

fn fetched(messages: &[(u64, u64)], channel: u64, after: u64, until: u64) -> Fetched {
    let page = |after: Id<_>| ready(Ok(page(messages, channel, after.get())));
    let fetched = fetch(page, Id::new(after), Id::new(until)).now_or_never();
    fetched.expect("at once").expect("no page fails")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pages_become_one_stream(channels in prop::collection::vec(1..4_u64, 1..900), later in 0..40_u64) {
        let messages: Vec<(u64, u64)> = (AFTER + 1..).zip(&channels).map(|(id, channel)| (*channel, id)).collect();
        // Messages that Discord has not announced are not in the plan.
        let planned = &messages[..messages.len().saturating_sub(usize::try_from(later).expect("small")).max(1)];
        let spans: Vec<_> = (1..4)
            .filter_map(|channel| {
                let until = planned.iter().filter(|(of, _)| *of == channel).map(|(_, id)| *id).max()?;
                Some((Id::new(channel), Span { after: Id::new(AFTER), until: Id::new(until) }))
            })
            .collect();
        let plan = Plan { guild_id: Id::new(9), channels: spans.clone() };
        let mut reader = GuildReader::new(&plan);
        let (mut read, mut before, mut steps) = (Vec::new(), AFTER, 0);
        let mut beyond = Vec::new();
        while !reader.is_at_end() {
            steps += 1;
            prop_assert!(steps < 40, "it does not come to an end");
            let missing: Vec<_> = reader
                .channels
                .iter()
                .filter(|channel| channel.has_more && channel.page.is_empty())
                .map(|channel| (channel.id, channel.asked, channel.until))
                .collect();
            prop_assert!(!missing.is_empty(), "a step that asks for nothing");
            for (channel, asked, until) in missing {
                reader.take_in(channel, fetched(&messages, channel.get(), asked.get(), until.get()));
            }
            let above = std::mem::take(&mut reader.beyond);
            // The ledger must have them before the messages around them are counted.
            prop_assert!(above.iter().all(|message| message.id.get() > before));
            prop_assert!(above.iter().all(|message| message.guild_id == Some(Id::new(9))));
            beyond.extend(above.iter().map(|message| message.id.get()));
            let (through, piece) = reader.certain();
            prop_assert!(through.get() >= before);
            prop_assert!(piece.iter().all(|message| message.id.get() > before && message.id <= through));
            prop_assert!(piece.iter().all(|message| message.guild_id == Some(Id::new(9))));
            before = through.get();
            read.extend(piece.iter().map(|message| message.id.get()));
        }
        let (wanted, above): (Vec<_>, Vec<_>) = messages
            .iter()
            .filter(|(channel, id)| id % 7 != 0 && spans.iter().any(|(of, _)| of.get() == *channel))
            .partition(|(channel, id)| {
                spans.iter().any(|(of, span)| of.get() == *channel && *id <= span.until.get())
            });
        let ids = |messages: Vec<(u64, u64)>| messages.into_iter().map(|(_, id)| id).collect::<Vec<_>>();
        prop_assert_eq!(read, ids(wanted));
        beyond.sort_unstable();
        prop_assert_eq!(beyond, ids(above));
    }
}

/// The newest message may have been deleted when its channel is read.
#[test]
fn a_channel_whose_last_message_was_deleted_comes_to_its_end() {
    let span = Span {
        after: Id::new(AFTER),
        until: Id::new(AFTER + 50),
    };
    let mut reader = GuildReader::new(&Plan {
        guild_id: Id::new(9),
        channels: vec![(Id::new(1), span), (Id::new(2), span)],
    });
    let messages = [(1, AFTER + 3)];
    for channel in [1, 2] {
        let fetched = fetched(&messages, channel, AFTER, span.until.get());
        reader.take_in(Id::new(channel), fetched);
    }
    let (through, messages) = reader.certain();
    assert_eq!(through, span.until);
    assert_eq!(messages.len(), 1);
    assert!(reader.is_at_end());
}

/// A channel in which messages are written faster than they can be read does not delay the guild.
#[test]
fn what_is_read_above_the_last_message_is_bounded() {
    let messages: Vec<(u64, u64)> = (AFTER + 1..AFTER + 5_000).map(|id| (1, id)).collect();
    let fetched = fetched(&messages, 1, AFTER, AFTER + 1);
    assert_eq!(fetched.messages.len(), usize::from(PAGE) * (PAGES_BEYOND + 1));
}

/// The planned messages are read, whatever happens to later pages.
#[test]
fn a_page_above_the_last_message_may_fail() {
    let messages: Vec<(u64, u64)> = (AFTER + 1..=AFTER + 100).map(|id| (1, id)).collect();
    let failing = |after: Id<_>| {
        ready(if after.get() == AFTER {
            Ok(page(&messages, 1, AFTER))
        } else {
            Err(Unread::NoAccess)
        })
    };
    let fetched = fetch(failing, Id::new(AFTER), Id::new(AFTER + 100)).now_or_never();
    assert_eq!(fetched.expect("at once").expect("one page").messages.len(), 100);
}
