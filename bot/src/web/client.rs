//! Clients: their addresses, and how many requests each may send.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use hyper::HeaderMap;
use tokio::time::Instant;

use crate::config::Web;

/// Clients that are remembered. Beyond that all are forgotten, which lets some send more.
const REMEMBERED: usize = 50_000;

/// The client's address. A proxy that is trusted names the client in `X-Forwarded-For`, to which each proxy appends the address that
/// it saw; the last one that is no trusted proxy counts, since a client can send the others itself.
pub(super) fn address(config: &Web, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let is_trusted = |address: IpAddr| config.trusted_proxies.iter().any(|proxy| proxy.contains(address));
    let peer = peer.to_canonical();
    if !is_trusted(peer) {
        return peer;
    }
    let lists = headers.get_all("x-forwarded-for").iter();
    let names: Vec<&str> = lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','))
        .collect();
    let mut client = peer;
    for name in names.into_iter().rev() {
        let Ok(address) = name.trim().parse::<IpAddr>() else {
            break;
        };
        client = address.to_canonical();
        if !is_trusted(client) {
            break;
        }
    }
    client
}

/// What counts as one client: an IPv4 address, or an IPv6 network, of which one client usually has all addresses.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

/// Limits how often each client does something: a minute's number at once, and then as they come back.
#[derive(Debug)]
pub(crate) struct Limiter<K = IpAddr> {
    per_minute: u32,
    /// For each client, when it will have all of them back.
    full: Mutex<HashMap<K, Instant>>,
}

impl<K: Eq + Hash> Limiter<K> {
    pub(crate) fn new(per_minute: u32) -> Self {
        Self {
            per_minute,
            full: Mutex::default(),
        }
    }

    /// Take one of a client's.
    ///
    /// # Errors
    ///
    /// It has none left for this time.
    pub(crate) fn admit(&self, client: K, now: Instant) -> Result<(), Duration> {
        let minute = Duration::from_mins(1);
        let each = minute / self.per_minute;
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        if full.len() >= REMEMBERED {
            full.retain(|_, until| *until > now);
            if full.len() >= REMEMBERED {
                full.clear();
            }
        }
        let until = full.entry(client).or_insert(now);
        let next = (*until).max(now) + each;
        let wait = next.saturating_duration_since(now + minute);
        if wait.is_zero() {
            *until = next;
            Ok(())
        } else {
            Err(wait)
        }
    }
}

#[cfg(test)]
mod tests;
