//! Violations of the protocol by a gateway, and values that are not trusted.
//!
//! A resume would replay what broke the session, even after a restart. So the session is abandoned, and a new one starts after a delay
//! determined by the guard.

use std::{ops::RangeInclusive, time::Duration};

use hyper::Uri;
use twilight_gateway::CloseFrame;

/// The accepted intervals between heartbeats. [Discord's](https://docs.discord.com/developers/events/gateway#sending-heartbeats) is 41.25
/// s; twilight panics at 0, and a shard that only sends heartbeats counts nothing.
pub(super) const HEARTBEAT_INTERVALS: RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_mins(10);

/// Discord's session IDs have 32 characters.
const MAX_SESSION_ID: usize = 256;

/// Discord's resume URLs have about 40 characters.
const MAX_RESUME_URL: usize = 512;

/// The maximum length of a close reason in the log; a close frame has room for 123 bytes.
const MAX_REASON: usize = 123;

/// How a gateway broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::pipeline) enum Violation {
    /// HELLO has no heartbeat interval.
    #[error("HELLO could not be read")]
    Hello,
    /// The interval is outside of [`HEARTBEAT_INTERVALS`].
    #[error("HELLO asks for heartbeats at an impossible interval")]
    HeartbeatInterval,
    /// A field that a resume requires is missing in READY.
    #[error("READY could not be read")]
    Ready,
    /// The session ID in READY is too long or has invalid characters.
    #[error("READY has an impossible session ID")]
    SessionId,
    /// A session started on a connection that already has one.
    #[error("READY came twice on one connection")]
    SecondReady,
    /// A number that is much higher than the previous one, or many numbers that are not higher.
    #[error("the sequence numbers are not consecutive")]
    Sequence,
    /// twilight panicked while it processed a payload.
    #[error("a payload broke the gateway library")]
    Library,
}

/// Whether a session ID can be stored and sent.
pub(super) fn is_session_id(id: &str) -> bool {
    (1..=MAX_SESSION_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A resume URL in twilight's format, if the token may be sent there: over TLS, or to the host to which it is already sent in plain text.
/// Without one, a session is resumed at the gateway's general address.
pub(super) fn trusted_resume_url(url: &str, gateway_url: &str) -> Option<String> {
    let url = url.trim_end_matches('/');
    if url.len() > MAX_RESUME_URL || url.contains(['#', '?', '@']) {
        return None;
    }
    let parsed: Uri = url.parse().ok()?;
    let host = parsed.host()?;
    let encrypted = parsed.scheme_str()? == "wss";
    let same_plain_host = || {
        let gateway: Uri = gateway_url.parse().ok()?;
        let plain = parsed.scheme_str() == Some("ws") && gateway.scheme_str() == Some("ws");
        Some(plain && gateway.host()?.eq_ignore_ascii_case(host))
    };
    (encrypted || same_plain_host().unwrap_or(false)).then(|| url.to_owned())
}

/// The reason in a close frame, on one line for the log; `None` if there is none.
pub(super) fn loggable_reason(frame: &CloseFrame<'_>, token: &str) -> Option<String> {
    let secret = token.trim_start_matches("Bot ");
    let reason = if secret.is_empty() {
        frame.reason.to_string()
    } else {
        frame.reason.replace(secret, "…")
    };
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let reason: String = reason.chars().take(MAX_REASON).map(printable).collect();
    let reason = reason.trim();
    (!reason.is_empty()).then(|| reason.to_owned())
}

#[cfg(test)]
mod tests;
