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
mod tests {
    use std::{net::IpAddr, time::Duration};

    use hyper::{HeaderMap, header::HeaderValue};
    use tokio::time::Instant;

    use super::{Limiter, REMEMBERED, address, network};
    use crate::config::Config;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn the_last_untrusted_address_is_the_client() {
        let variables = [("EVENTIDE__WEB__TRUSTED_PROXIES", "10.0.0.0/8")];
        let environment = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = Config::load(None, &environment.into()).expect("valid").web;
        let of = |peer: &str, forwarded: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for list in forwarded {
                headers.append("x-forwarded-for", HeaderValue::from_static(list));
            }
            address(&config, ip(peer), &headers)
        };
        // Not from a proxy: the header is the client's own invention.
        assert_eq!(of("192.0.2.1", &["198.51.100.7"]), ip("192.0.2.1"));
        assert_eq!(of("10.0.0.1", &[]), ip("10.0.0.1"));
        assert_eq!(of("10.0.0.1", &["198.51.100.7"]), ip("198.51.100.7"));
        assert_eq!(of("::ffff:10.0.0.1", &["198.51.100.7"]), ip("198.51.100.7"));
        // What the client sent before the proxy's own entry is ignored, in one header or in two.
        assert_eq!(
            of("10.0.0.1", &["1.1.1.1, 198.51.100.7, 10.2.0.1"]),
            ip("198.51.100.7")
        );
        assert_eq!(of("10.0.0.1", &["1.1.1.1", "198.51.100.7"]), ip("198.51.100.7"));
        assert_eq!(of("10.0.0.1", &["1.1.1.1, nonsense"]), ip("10.0.0.1"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_gets_its_requests_back() {
        let limiter = Limiter::new(60);
        let now = Instant::now();
        let send = |client: &str, now| limiter.admit(network(ip(client)), now);
        assert!((0..60).all(|_| send("192.0.2.1", now).is_ok()));
        let wait = send("192.0.2.1", now).expect_err("none left");
        assert_eq!(wait, Duration::from_secs(1));
        assert!(send("192.0.2.2", now).is_ok());
        assert!(send("192.0.2.1", now + wait).is_ok());
        assert!(send("192.0.2.1", now + wait).is_err());
        // An IPv6 network is one client.
        assert!((0..60).all(|host| send(&format!("2001:db8::{host:x}"), now).is_ok()));
        assert!(send("2001:db8::ffff", now).is_err());
        assert!(send("2001:db8:0:1::1", now).is_ok());
        for number in 0..2 * u32::try_from(REMEMBERED).expect("small") {
            assert!(limiter.admit(IpAddr::from(number.to_be_bytes()), now).is_ok());
        }
        assert!(limiter.full.lock().expect("no panic").len() <= REMEMBERED);
    }
}
