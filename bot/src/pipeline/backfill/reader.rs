//! Reads a guild's missed messages over REST, page by page and in order.

use std::{collections::VecDeque, time::Duration};

use futures_util::{
    StreamExt as _,
    future::BoxFuture,
    stream::{self, FuturesUnordered},
};
use tokio::time::Instant;
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, MessageMarker},
};

use crate::{
    discord::{
        events::message_create::MessageCreate,
        rest::{Priority, Rest, Retry},
    },
    pipeline::backfill::{Backfill, Plan, Unread},
    support::backoff::Backoff,
    telemetry::metrics,
};

/// The number of guilds of a shard that are read concurrently. The pages of a guild are read one after another; several guilds use what the
/// REST limits allow.
const GUILDS_AT_ONCE: usize = 8;

/// The number of channels of a guild whose pages are requested concurrently.
const CHANNELS_AT_ONCE: usize = 4;

/// The number of messages per page, which is Discord's maximum.
const PAGE: u16 = 100;

/// The number of pages after a channel's last known message that are read. Later messages are delivered by the gateway.
const PAGES_BEYOND: usize = 10;

/// How long a shard may be stopped because held messages fill its ledger without progress.
const FULL_PATIENCE: Duration = Duration::from_secs(15);

/// The delays while Discord, or the connection to it, has a problem.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));

/// The guilds of a shard that are being read, each up to its next piece: the following one is only read after it has been taken.
#[derive(Debug)]
pub(crate) struct Reading {
    rest: Rest,
    limit: Duration,
    steps: FuturesUnordered<BoxFuture<'static, Step>>,
    /// The time when the rest is abandoned.
    deadline: Option<Instant>,
    /// The same, as long as the ledger is full of held messages without progress.
    relief: Option<Instant>,
}

/// The result of one step of a guild, and its reader for the next step.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) piece: Piece,
    reader: GuildReader,
}

/// The guild's planned channels are read up to `through`.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) guild_id: Id<GuildMarker>,
    pub(crate) through: Id<MessageMarker>,
    /// The messages by users, ordered by ID.
    pub(crate) messages: Vec<MessageCreate>,
    /// The end of the plan.
    pub(crate) until: Id<MessageMarker>,
    /// Messages by users after the last known one of their channel, which is completely read.
    pub(crate) beyond: Vec<MessageCreate>,
    pub(crate) unread: Vec<(Id<ChannelMarker>, Unread)>,
    pub(crate) is_last: bool,
}

impl Reading {
    /// A reader for what a gap missed, with the time limit `limit`.
    pub(crate) fn new(rest: Rest, limit: Duration) -> Self {
        Self {
            rest,
            limit,
            steps: FuturesUnordered::new(),
            deadline: None,
            relief: None,
        }
    }

    /// Start reading waiting guilds, as long as there are free places. Returns whether they are the first.
    pub(crate) fn begin(&mut self, backfill: &mut Backfill, now: Instant) -> bool {
        while self.steps.len() < GUILDS_AT_ONCE
            && let Some(plan) = backfill.next_plan()
        {
            self.go_on(GuildReader::new(&plan));
        }
        let before = self.deadline;
        self.deadline = backfill.is_active().then(|| before.unwrap_or(now + self.limit));
        before.is_none() && self.deadline.is_some()
    }

    /// When to check the time limit; `None` while nothing is read and nothing waits for it.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let relief = self.relief.filter(|_| self.deadline.is_some());
        [self.deadline, relief].into_iter().flatten().min()
    }

    /// The reason for abandoning the rest at `now`, if the time limit is reached.
    pub(crate) fn is_over(&self, now: Instant) -> Option<Unread> {
        let over = |at: Option<Instant>| at.is_some_and(|at| now >= at);
        if over(self.deadline) {
            return Some(Unread::Time);
        }
        (self.deadline.is_some() && over(self.relief)).then_some(Unread::Memory)
    }

    /// The shard is stopped by held messages, or continues. A shard that does not read for long loses its session, which is worse than a
    /// gap without a backfill.
    pub(crate) fn hurry(&mut self, stands_still: bool, now: Instant) {
        self.relief = stands_still.then(|| self.relief.unwrap_or(now + FULL_PATIENCE));
    }

    /// The next piece of any guild; pending if none is being read. Cancel safe.
    pub(crate) async fn next(&mut self) -> Step {
        match self.steps.next().await {
            Some(step) => step,
            None => std::future::pending().await,
        }
    }

    /// Continue with a guild after its piece was taken, unless it was the last one.
    pub(crate) fn continue_with(&mut self, reader: GuildReader) {
        if !reader.is_at_end() {
            self.go_on(reader);
        }
    }

    /// Stop reading, and leave the rest for later.
    pub(crate) fn stop(&mut self) {
        self.steps.clear();
        self.deadline = None;
    }

    fn go_on(&self, reader: GuildReader) {
        self.steps.push(Box::pin(reader.step(self.rest.clone())));
    }
}

impl Step {
    pub(crate) fn into_parts(self) -> (Piece, GuildReader) {
        (self.piece, self.reader)
    }
}

/// A guild that is being read.
#[derive(Debug)]
pub(crate) struct GuildReader {
    guild_id: Id<GuildMarker>,
    until: Id<MessageMarker>,
    channels: Vec<ChannelReader>,
    beyond: Vec<MessageCreate>,
}

/// The messages of a channel: a page, and if it reaches the last known message, those after it.
#[derive(Debug)]
struct Fetched {
    messages: Vec<MessageCreate>,
    /// Whether there may be more.
    has_more: bool,
}

/// A channel that is being read; at most one page of it is in memory.
#[derive(Debug)]
struct ChannelReader {
    id: Id<ChannelMarker>,
    /// Everything up to this message was requested.
    asked: Id<MessageMarker>,
    until: Id<MessageMarker>,
    /// Whether there may be more after that.
    has_more: bool,
    page: VecDeque<MessageCreate>,
}

impl GuildReader {
    fn new(plan: &Plan) -> Self {
        let channels: Vec<_> = plan
            .channels
            .iter()
            .map(|(id, span)| ChannelReader {
                id: *id,
                asked: span.after,
                until: span.until,
                has_more: true,
                page: VecDeque::new(),
            })
            .collect();
        let until = plan.channels.iter().map(|(_, span)| span.until).max();
        Self {
            guild_id: plan.guild_id,
            until: until.expect("a plan has channels"),
            channels,
            beyond: Vec::new(),
        }
    }

    fn is_at_end(&self) -> bool {
        self.channels
            .iter()
            .all(|channel| !channel.has_more && channel.page.is_empty())
    }

    /// Fetch the missing pages, and return the messages whose order is certain.
    async fn step(mut self, rest: Rest) -> Step {
        let missing: Vec<_> = self
            .channels
            .iter()
            .filter(|channel| channel.has_more && channel.page.is_empty())
            .map(|channel| (channel.id, channel.asked, channel.until))
            .collect();
        let pages: Vec<_> = stream::iter(missing)
            .map(|(channel, after, until)| {
                let rest = rest.clone();
                async move {
                    let page = |after| {
                        let rest = rest.clone();
                        async move { page(&rest, channel, after).await }
                    };
                    (channel, fetch(page, after, until).await)
                }
            })
            .buffer_unordered(CHANNELS_AT_ONCE)
            .collect()
            .await;
        let mut unread = Vec::new();
        for (channel, page) in pages {
            match page {
                Ok(fetched) => self.take_in(channel, fetched),
                Err(why) => {
                    self.channels.retain(|reader| reader.id != channel);
                    unread.push((channel, why));
                }
            }
        }
        let (through, messages) = self.certain();
        Step {
            piece: Piece {
                guild_id: self.guild_id,
                through,
                messages,
                until: self.until,
                beyond: std::mem::take(&mut self.beyond),
                unread,
                is_last: self.is_at_end(),
            },
            reader: self,
        }
    }

    fn take_in(&mut self, channel: Id<ChannelMarker>, fetched: Fetched) {
        let guild_id = self.guild_id;
        let Some(reader) = self.channels.iter_mut().find(|reader| reader.id == channel) else {
            return;
        };
        let mut messages = fetched.messages;
        // Discord returns the newest first.
        messages.sort_unstable_by_key(|message| message.id);
        reader.asked = messages
            .last()
            .map_or(reader.until, |newest| newest.id)
            .max(reader.asked);
        reader.has_more = fetched.has_more && reader.asked < reader.until;
        messages.retain(MessageCreate::is_by_a_person);
        for message in &mut messages {
            // REST responses omit it.
            message.guild_id = Some(guild_id);
        }
        let known = messages.partition_point(|message| message.id <= reader.until);
        self.beyond.extend(messages.drain(known..));
        reader.page = messages.into();
    }

    /// The messages up to the point after which the next page of a channel may contain earlier ones.
    fn certain(&mut self) -> (Id<MessageMarker>, Vec<MessageCreate>) {
        let through = self
            .channels
            .iter()
            .filter(|channel| channel.has_more)
            .map(|channel| channel.asked)
            .min()
            .unwrap_or(self.until);
        let mut messages = Vec::new();
        for channel in &mut self.channels {
            let certain = channel.page.partition_point(|message| message.id <= through);
            messages.extend(channel.page.drain(..certain));
        }
        messages.sort_unstable_by_key(|message| message.id);
        (through, messages)
    }
}

/// Read a page of a channel and, if it reaches `until`, those after it: `until` is what Discord knew at one time, and the gateway need not
/// deliver messages between that time and the session.
async fn fetch<P>(
    page: impl Fn(Id<MessageMarker>) -> P,
    after: Id<MessageMarker>,
    until: Id<MessageMarker>,
) -> Result<Fetched, Unread>
where
    P: Future<Output = Result<Vec<MessageCreate>, Unread>>,
{
    let is_full = |page: &[MessageCreate]| page.len() >= usize::from(PAGE);
    let newest = |messages: &[MessageCreate]| messages.iter().map(|message| message.id).max();
    let mut messages = page(after).await?;
    let mut has_more = is_full(&messages);
    for _ in 0..PAGES_BEYOND {
        let Some(newest) = newest(&messages).filter(|newest| has_more && *newest >= until) else {
            break;
        };
        // The planned messages have been read. The rest is not required, since the gateway delivers it.
        let Ok(next) = page(newest).await else { break };
        has_more = is_full(&next);
        messages.extend(next);
    }
    Ok(Fetched { messages, has_more })
}

/// Read the oldest messages of a channel after a given one, and retry until there is a final answer.
async fn page(
    rest: &Rest,
    channel: Id<ChannelMarker>,
    after: Id<MessageMarker>,
) -> Result<Vec<MessageCreate>, Unread> {
    let mut backoff = Backoff::between(PAUSES.0, PAUSES.1);
    loop {
        metrics::backfill_requests_total().increment(1);
        let request = rest.builders().channel_messages(channel).after(after).limit(PAGE);
        let answer = rest.send(Priority::Background, request).await;
        let error = match answer.and_then(|answer| answer.model()) {
            Ok(page) => return Ok(page),
            Err(error) => error,
        };
        let pause = match error.retry() {
            Retry::After(pause) => pause,
            // The gateway ends the process if the token stays refused, and the next process continues here. An unreadable response is not
            // caused by the channel: it is logged, and has an alert.
            Retry::Later | Retry::Full | Retry::TokenRefused => backoff.pause(),
            Retry::Never { status, .. } => {
                tracing::warn!(channel.id = channel.get(), error = %error, "a channel cannot be read back");
                return Err(match status {
                    Some(403) => Unread::NoAccess,
                    Some(404) => Unread::Gone,
                    Some(_) => Unread::Refused,
                    None => Unread::Unreadable,
                });
            }
        };
        tracing::debug!(channel.id = channel.get(), error = %error, "a page is asked for again");
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests;
