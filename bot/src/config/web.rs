//! `[web]`: the website.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

use twilight_model::id::{Id, marker::UserMarker};

use crate::{
    config::{
        Secret, address,
        guarded::Guarded,
        reader::{Reader, Text, Whole},
    },
    support::ids,
};

const SECRET_ALLOWED: &str = "the client secret as the Developer Portal shows it (OAuth2, Reset Secret)";

/// The website.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Web {
    /// The address of the website. With port 0, the system chooses a free one; `None` switches the website off.
    pub listen: Option<SocketAddr>,
    /// The address that browsers use: `scheme://host[:port]`, without a path or a trailing slash. Empty only without `listen`.
    pub url: String,
    /// The application's OAuth2 secret; without it, users cannot sign in.
    pub client_secret: Option<Secret>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// The users who see the pages about the bot itself.
    pub operators: BTreeSet<Id<UserMarker>>,
    /// Requests that one client may send per minute.
    pub requests_per_minute: u32,
}

/// A range of IP addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// Parse an address, or an address and the length of its prefix, as in `10.0.0.0/8`.
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.parse().ok().filter(|prefix| *prefix <= bits)?,
            None => bits,
        };
        Some(Self { address, prefix })
    }

    /// Whether the range contains an address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - self.prefix).unwrap_or(0);
                (u32::from(own) ^ u32::from(other)) & mask == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - self.prefix).unwrap_or(0);
                (u128::from(own) ^ u128::from(other)) & mask == 0
            }
            _ => false,
        }
    }
}

impl Web {
    /// Whether browsers use TLS.
    pub fn is_secure(&self) -> bool {
        self.url.starts_with("https://")
    }

    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("web", "The website.");
        let listen = section.optional_text(
            &Text {
                name: "listen",
                default: "",
                allowed: "an IP address and a port, as in 127.0.0.1:8080 or [::]:8080",
                why: "Address of the website; normally behind a proxy with TLS, see docs/web.md.",
            },
            |text| text.parse().ok(),
        );
        let url = section.optional_text(
            &Text {
                name: "url",
                default: "",
                allowed: "https:// and a host, or http://localhost with a port, without a path",
                why: "Address that browsers use for the website.",
            },
            public,
        );
        let web = Self {
            listen,
            url: url.unwrap_or_default(),
            client_secret: section.secret(&Guarded {
                name: "client_secret",
                file: "client_secret_file",
                variable: "DISCORD_CLIENT_SECRET",
                allowed: SECRET_ALLOWED,
                why: "For signing in with Discord; without it the website has its public pages only.",
                fault: secret_fault,
            }),
            trusted_proxies: section.text(
                &Text {
                    name: "trusted_proxies",
                    default: "",
                    allowed: "IP addresses or networks, separated by commas, as in 127.0.0.1, 10.0.0.0/8",
                    why: "Proxies whose X-Forwarded-For header names the client, which has its own limits.",
                },
                |text| listed(text, Network::parse),
            ),
            operators: section.text(
                &Text {
                    name: "operators",
                    default: "",
                    allowed: "IDs of Discord users, separated by commas",
                    why: "Users who see the pages about the bot itself, such as the state of its processes.",
                },
                |text| listed(text, ids::written).map(BTreeSet::from_iter),
            ),
            requests_per_minute: section.whole(Whole {
                name: "requests_per_minute",
                default: 600,
                range: 10..=1_000_000,
                unit: "requests",
                why: "Limit of one client (an IPv4 address or an IPv6 network of 64 bits); a page takes up to three requests.",
            }),
        };
        if web.listen.is_some() && web.url.is_empty() {
            reader.impossible(
                [("web", "url"), ("web", "listen")],
                "a website without its address".to_owned(),
                "web.url when web.listen is set",
            );
        }
        web
    }
}

/// The items of a list with commas.
fn listed<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    items.map(parse).collect()
}

/// An address for browsers. Without TLS, cookies would be readable on the way, so that is allowed on one machine only.
fn public(text: &str) -> Option<String> {
    let base = address::base(text, &["http", "https"])?;
    let Some(host) = base.strip_prefix("http://") else {
        return Some(base);
    };
    let authority: axum::http::uri::Authority = host.parse().ok()?;
    let name = authority.host();
    let inner = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let is_local = match inner.unwrap_or(name).parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback(),
        Err(_no_address) => name.eq_ignore_ascii_case("localhost"),
    };
    is_local.then_some(base)
}

fn secret_fault(text: &str) -> Option<String> {
    if text.is_empty() {
        Some("nothing".to_owned())
    } else if text.chars().any(|character| !character.is_ascii_graphic()) {
        Some("text with spaces or other characters that no secret has (not shown)".to_owned())
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
