//! The intake's part of the backfill: what the guilds of a new session missed, and counting it.

use twilight_model::id::{Id, marker::MessageMarker};

use super::reader::Piece;
use crate::{
    discord::events::{message_create::MessageCreate, ready::Ready},
    pipeline::{
        backfill::{HeldMessage, Summary, Unread, rows::Left},
        gateway::intake::Intake,
    },
};

impl Intake {
    /// Adopt what earlier processes left: it is read if the backfill is `enabled`; otherwise only what has arrived is counted.
    pub(in crate::pipeline) fn take_up(
        &mut self,
        enabled: bool,
        newest: Option<Id<MessageMarker>>,
        left: Left,
    ) {
        let held = left.held.into_iter().filter_map(|held| {
            let message = MessageCreate::by_a_person(held.id, held.guild_id, held.channel_id, held.user_id);
            self.count(&message).map(|(_, change)| (held, change))
        });
        let held: Vec<_> = held.collect();
        self.ledger.backfill.enabled = enabled;
        self.ledger.take_up(newest, left.channels, held.into_iter());
        if !enabled && self.ledger.backfill.guilds() > 0 {
            self.give_up(Unread::Off);
        }
    }

    /// READY has arrived: its guilds may have missed messages.
    pub(crate) fn look_for_missed(&mut self, text: &str) {
        let is_standby = self.message_range().is_standby();
        let backfill = &mut self.ledger.backfill;
        // Shards of the old number read what was missed; those of the new number would not count it.
        let is_others = backfill.newest().is_some() && is_standby;
        if !backfill.enabled || is_others {
            return;
        }
        match Ready::parse(text) {
            Ok(ready) => backfill.begin(&ready),
            Err(error) => tracing::warn!(
                shard.id = self.key.id,
                // The log contains the position and the field, never the payload.
                error = %error,
                "READY could not be read; missed messages are not read back"
            ),
        }
    }

    /// Count messages that were read.
    pub(in crate::pipeline) fn read_back(&mut self, piece: Piece) {
        for (channel, why) in piece.unread {
            self.ledger.backfill.cannot_read(piece.guild_id, channel, why);
        }
        let beyond = piece.beyond.iter().filter_map(|message| {
            if self.message_range().is_undecided(message.id) {
                return None;
            }
            let (key, change) = self.count(message)?;
            let held = HeldMessage {
                guild_id: key.guild_id,
                id: message.id,
                channel_id: message.channel_id,
                user_id: key.user_id,
                only_read: true,
            };
            Some((held, change))
        });
        let beyond: Vec<_> = beyond.collect();
        self.ledger
            .read_beyond(piece.guild_id, piece.until, beyond.into_iter());
        let messages = piece.messages.iter().filter_map(|message| {
            let (key, change) = self.count(message)?;
            Some((message.id, key, change))
        });
        let messages: Vec<_> = messages.collect();
        self.ledger
            .read_back(piece.guild_id, piece.through, messages.into_iter());
        if piece.is_last {
            self.ledger.backfill.reader_ended(piece.guild_id);
        }
        self.dirty = true;
        self.log_backfill();
    }

    /// Discord has acknowledged a heartbeat.
    pub(in crate::pipeline) fn heartbeat_answered(&mut self) {
        if !self.replaying {
            self.ledger.backfill.heartbeat_answered();
        }
    }

    /// Count the held messages of guilds that are read. Call this while the session is established: everything before the newest message
    /// that was read has then been received.
    pub(in crate::pipeline) fn release(&mut self) {
        if !self.replaying && self.ledger.backfill.has_releases() {
            self.ledger.release();
            self.dirty = true;
            self.log_backfill();
        }
    }

    /// The ledger is full: count held messages that do not have to wait for further reading, although the session is not established.
    pub(in crate::pipeline) fn relieve(&mut self) {
        if self.ledger.backfill.has_releases() && self.ledger.backfill.held() > 0 {
            self.ledger.relieve();
            self.dirty = true;
        }
    }

    /// Abandon the rest of the backfill.
    pub(in crate::pipeline) fn give_up(&mut self, why: Unread) {
        self.ledger.give_up(why);
        self.dirty = true;
        self.log_backfill();
    }

    fn log_backfill(&mut self) {
        let backfill = &mut self.ledger.backfill;
        if backfill.is_active() {
            return;
        }
        let done = backfill.take_summary();
        if done == Summary::default() {
            return;
        }
        if done.unread > 0 {
            tracing::warn!(
                shard.id = self.key.id,
                backfill.messages = done.messages,
                backfill.channels = done.channels,
                backfill.unread_channels = done.unread,
                "missed messages were read back in part; `eventide gaps --json` shows which channels were not, and why"
            );
        } else {
            tracing::info!(
                shard.id = self.key.id,
                backfill.messages = done.messages,
                backfill.channels = done.channels,
                "all missed messages were read back"
            );
        }
    }
}
