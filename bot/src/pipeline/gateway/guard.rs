//! Decides what to do when a connection ends. Every reconnect goes through here, so that none becomes a busy loop.
//!
//! twilight itself resumes immediately, without a delay and forever, after 4007, 4009 and a repeated op 9, all of which mean that the
//! session is dead. Its shard is therefore never polled again after a close: the guard decides when, and with which session, a new one is
//! created.

use std::time::Duration;

use crate::{support::backoff::Backoff, telemetry::metrics::labels};

/// How many times in a row resuming a session may fail before it is abandoned. A failed connection attempt does not count, because it says
/// nothing about the session. With the delays in between this takes some minutes, which is as long as Discord keeps a session anyway.
const MAX_FAILED_RESUMES: u32 = 10;

/// The maximum frequency of sessions that are repeatedly broken: 144 of the day's 1,000 identifies.
const LONG: Duration = Duration::from_mins(10);

/// The weight of an unanswered RESUME: after four of them the session is abandoned.
const UNANSWERED_WEIGHT: u32 = 3;

/// The number of consecutive connections without READY or RESUMED that causes a warning.
const SEVERAL: u32 = 3;

/// The first delay after a failed connection; it is doubled each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// After a connection that was established for this long, the delays start from the beginning.
const STABLE: Duration = Duration::from_secs(2);

/// Whether a close code indicates a problem: one of Discord's codes that is more than a request to reconnect, or a broken WebSocket.
pub(super) fn is_a_fault(code: Option<u16>) -> bool {
    code.is_some_and(|code| matches!(code, 1002..=1003 | 1007..=1010 | 4001..))
}

/// The label of a close code.
pub fn close_label(code: Option<u16>) -> &'static str {
    let Some(code) = code else { return "none" };
    let code = code.to_string();
    let known = labels::CLOSE_CODES.iter().find(|known| **known == code);
    known.copied().unwrap_or("other")
}

/// The reason for a gap in the sequence numbers.
pub const SEQUENCE: &str = "sequence";

/// The reason for a message that arrived too late for the shards of the old number, after the number of shards had changed.
pub const RESHARD: &str = "reshard";

/// The reason for a session that was abandoned because the gateway broke the protocol.
const PROTOCOL: &str = "protocol";

/// The next action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Connect after a delay, and resume the session if there is one.
    Reconnect {
        /// The delay.
        after: Duration,
    },
    /// The session is dead: connect after a delay, and identify.
    Identify {
        /// The delay.
        after: Duration,
        /// The reason for the gap that is recorded.
        reason: &'static str,
    },
    /// Another attempt cannot help.
    Fatal(Fatal),
}

/// A close code that requires a change by the operator.
///
/// <https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes>
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fatal {
    /// 4004
    #[error(
        "Discord refused the token (close code 4004): set discord.token (or DISCORD_TOKEN) to the bot's current token, from \
         https://discord.com/developers/applications → your application → Bot → Reset Token"
    )]
    AuthenticationFailed,
    /// 4010
    #[error(
        "Discord refused the shard (close code 4010, invalid shard): set gateway.shard_count to \"auto\""
    )]
    InvalidShard,
    /// 4011
    #[error(
        "Discord requires more shards (close code 4011): a shard may have at most 2,500 guilds; raise gateway.shard_count or set \
         it to \"auto\""
    )]
    ShardingRequired,
    /// 4012
    #[error(
        "Discord no longer speaks this gateway version (close code 4012): install a newer version of Eventide"
    )]
    InvalidApiVersion,
    /// 4013
    #[error(
        "Discord does not know an intent that was asked for (close code 4013): install a newer version of Eventide"
    )]
    InvalidIntents,
    /// 4014
    #[error(
        "Discord refused a privileged intent (close code 4014): switch it on at https://discord.com/developers/applications → \
         your application → Bot → Privileged Gateway Intents, or switch off what needs it: discord.member_events the Server Members Intent,          discord.message_content the Message Content Intent"
    )]
    DisallowedIntents,
}

impl Fatal {
    const fn from_code(code: u16) -> Option<Self> {
        Some(match code {
            4004 => Self::AuthenticationFailed,
            4010 => Self::InvalidShard,
            4011 => Self::ShardingRequired,
            4012 => Self::InvalidApiVersion,
            4013 => Self::InvalidIntents,
            4014 => Self::DisallowedIntents,
            _ => return None,
        })
    }
}

/// The history of recent connections.
#[derive(Debug)]
pub struct Guard {
    backoff: Backoff,
    failed_resumes: u32,
    /// The number of connections since the last one with READY or RESUMED.
    unready: u32,
}

impl Guard {
    /// A guard whose delays grow up to `limit`.
    pub const fn new(limit: Duration) -> Self {
        Self {
            backoff: Backoff::between(FIRST_PAUSE, limit),
            failed_resumes: 0,
            unready: 0,
        }
    }

    /// READY or RESUMED has arrived: the session is alive.
    pub const fn established(&mut self) {
        self.failed_resumes = 0;
        self.unready = 0;
    }

    /// A connection has ended without READY or RESUMED. Returns the number of consecutive ones if it causes a warning.
    pub(super) fn never_ready(&mut self) -> Option<u32> {
        self.unready = self.unready.saturating_add(1);
        (self.unready >= SEVERAL && (self.unready == SEVERAL || self.unready.is_power_of_two()))
            .then_some(self.unready)
    }

    /// Discord did not answer IDENTIFY or RESUME. Since this takes longer than a refusal, the session is abandoned after fewer attempts.
    pub(super) fn unanswered(&mut self) -> Next {
        self.failed_resumes += UNANSWERED_WEIGHT - 1;
        self.failed()
    }

    /// The gateway broke the protocol, and a resume would bring the same events again. Each new session costs one of the day's identifies,
    /// so the delays grow unless the connection was established for [`LONG`]. `up_for` is the same as in [`closed`](Self::closed).
    pub(super) fn violated(&mut self, up_for: Option<Duration>) -> Next {
        self.forgive(up_for.filter(|lasted| *lasted >= LONG));
        self.dead(PROTOCOL)
    }

    /// The connection has ended, with or without a close code. `up_for` is the time since READY or RESUMED arrived on it, if it did.
    pub fn closed(&mut self, code: Option<u16>, up_for: Option<Duration>) -> Next {
        self.forgive(up_for);
        match code {
            Some(code) if let Some(fatal) = Fatal::from_code(code) => Next::Fatal(fatal),
            Some(4007) => self.dead("invalid_sequence"),
            Some(4009) => self.dead("session_timed_out"),
            // Discord regularly ends healthy connections.
            _ if up_for.is_some() => self.again(),
            _ => self.failed(),
        }
    }

    /// Discord sent op 9. With `false`, the session is dead, and the documentation requires a delay of 1 to 5 s. `up_for` is the same as in
    /// [`closed`](Self::closed).
    pub fn invalid_session(&mut self, resumable: bool, up_for: Option<Duration>) -> Next {
        self.forgive(up_for);
        if resumable {
            return self.failed();
        }
        let pause = Duration::from_secs(1) + Duration::from_secs(4).mul_f64(fastrand::f64());
        Next::Identify {
            after: pause.max(self.backoff.pause()),
            reason: "invalid_session",
        }
    }

    /// The connection could not be opened. `up_for` belongs to the previous connection if that broke and twilight tried to open another one
    /// immediately.
    pub fn unreachable(&mut self, up_for: Option<Duration>) -> Next {
        self.forgive(up_for);
        Next::Reconnect {
            after: self.backoff.pause(),
        }
    }

    /// Discord requested a reconnect with op 7, or the shard itself needs a new connection.
    pub fn reconnect_requested(&mut self, up_for: Option<Duration>) -> Next {
        self.forgive(up_for);
        self.again()
    }

    fn forgive(&mut self, up_for: Option<Duration>) {
        if up_for.is_some_and(|lasted| lasted >= STABLE) {
            self.backoff.reset();
        }
    }

    /// Resume almost immediately the first time; the delays grow if connections keep breaking.
    fn again(&mut self) -> Next {
        let first = self.backoff.tries() == 0;
        let pause = self.backoff.pause();
        Next::Reconnect {
            // A tenth is random enough that shards whose connections break at the same time do not return in the same millisecond.
            after: if first { pause / 10 } else { pause },
        }
    }

    fn failed(&mut self) -> Next {
        self.failed_resumes += 1;
        if self.failed_resumes > MAX_FAILED_RESUMES {
            self.failed_resumes = 0;
            return self.dead("resume_failed");
        }
        Next::Reconnect {
            after: self.backoff.pause(),
        }
    }

    fn dead(&mut self, reason: &'static str) -> Next {
        Next::Identify {
            after: self.backoff.pause(),
            reason,
        }
    }
}

#[cfg(test)]
mod tests;
