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
