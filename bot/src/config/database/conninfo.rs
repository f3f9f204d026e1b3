//! The address of PostgreSQL, in the forms that libpq accepts:
//! <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING>.
//!
//! tokio-postgres parses these too, but rejects `verify-full` and `sslrootcert`, reads `tcp_user_timeout` as seconds, and ignores
//! `passfile`. Errors repeat nothing of the text but the names of known keys, because what looks like a key can be part of a password.

mod fault;
mod foreign;

use std::collections::BTreeMap;

pub use self::fault::Fault;
use self::foreign::Foreign;

/// The supported keys, and those that make no difference here.
const KNOWN: [&str; 37] = [
    "application_name",
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "dbname",
    "fallback_application_name",
    "gssdelegation",
    "gssencmode",
    "gsslib",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "krbsrvname",
    "load_balance_hosts",
    "max_protocol_version",
    "min_protocol_version",
    "options",
    "passfile",
    "password",
    "port",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcert",
    "sslcertmode",
    "sslcompression",
    "sslkey",
    "sslmode",
    "sslnegotiation",
    "sslrootcert",
    "sslsni",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];

/// libpq's keys for something that the bot does not support. Ignoring them would give weaker guarantees than were requested.
const UNSUPPORTED: [&str; 11] = [
    "oauth_client_id",
    "oauth_issuer",
    "replication",
    "require_auth",
    "requirepeer",
    "requiressl",
    "scram_client_key",
    "service",
    "sslcrl",
    "sslcrldir",
    "sslpassword",
];

/// Keys with a fixed set of values.
const WORDS: [(&str, &[&str]); 9] = [
    ("channel_binding", &["disable", "prefer", "require"]),
    ("gssencmode", &["disable", "prefer"]),
    ("load_balance_hosts", &["disable", "random"]),
    ("ssl_max_protocol_version", &["TLSv1.2", "TLSv1.3"]),
    (
        "ssl_min_protocol_version",
        &["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"],
    ),
    ("sslcertmode", &["disable", "allow"]),
    (
        "sslmode",
        &[
            "disable",
            "allow",
            "prefer",
            "require",
            "verify-ca",
            "verify-full",
        ],
    ),
    ("sslnegotiation", &["postgres", "direct"]),
    (
        "target_session_attrs",
        &[
            "any",
            "read-write",
            "read-only",
            "primary",
            "standby",
            "prefer-standby",
        ],
    ),
];

/// Keys with an integer value.
const NUMBERS: [&str; 7] = [
    "connect_timeout",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "tcp_user_timeout",
];

/// One server to connect to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// A host name, an IP address, or a socket's directory; empty for libpq's default.
    pub(crate) host: String,
    /// The IP address to connect to. `host` is then only the name to expect in the certificate.
    pub(crate) address: Option<std::net::IpAddr>,
    /// The port. For a socket, it is the end of the file's name.
    pub(crate) port: u16,
}

/// What an address contains, without any defaults.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Conninfo {
    /// The servers, in the order in which they are tried.
    pub(crate) places: Vec<Place>,
    parameters: BTreeMap<&'static str, String>,
}

impl Conninfo {
    /// Parse a URI or libpq's `key=value` form.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        if let Some(foreign) = Foreign::start_of(text) {
            return Err(Fault::Foreign(foreign));
        }
        let mut found = Found::default();
        let uri = ["postgresql://", "postgres://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme));
        match uri {
            Some(rest) => found.uri(rest)?,
            None => found.pairs(text)?,
        }
        let places = found.places()?;
        Ok(Self {
            places,
            parameters: found.parameters,
        })
    }

    /// The value of a key; an empty value counts as absent.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.parameters
            .get(key)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The value of an integer key.
    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        // To libpq, negative numbers mean the same as zero.
        self.get(key)
            .and_then(|text| text.trim().parse::<i64>().ok())
            .map(|number| number.max(0).unsigned_abs())
    }
}

#[derive(Default)]
struct Found {
    parameters: BTreeMap<&'static str, String>,
}

impl Found {
    fn uri(&mut self, rest: &str) -> Result<(), Fault> {
        // As in libpq, everything before the first @ is the user, unless a slash comes first.
        let mut rest = rest;
        let (before, after) = rest.split_once('@').unwrap_or((rest, rest));
        if before.len() < rest.len() && !before.contains('/') {
            let (user, password) = before
                .split_once(':')
                .map_or((before, None), |(user, password)| (user, Some(password)));
            self.set("user", decoded(user)?)?;
            if let Some(password) = password {
                self.set("password", decoded(password)?)?;
            }
            rest = after;
        }
        if rest.contains('@') {
            // libpq would take the end of the password for a host or a database, and quote it in errors.
            return Err(Fault::Unescaped);
        }
        let (path, query) = rest
            .split_once('?')
            .map_or((rest, None), |(path, query)| (path, Some(query)));
        let (places, database) = path
            .split_once('/')
            .map_or((path, None), |(places, database)| (places, Some(database)));
        self.authority(places)?;
        if let Some(database) = database {
            self.set("dbname", decoded(database)?)?;
        }
        for pair in query
            .into_iter()
            .flat_map(|query| query.split('&'))
            .filter(|pair| !pair.is_empty())
        {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (key, value) = (decoded(key)?, decoded(value)?);
            // JDBC's form, which libpq accepts too.
            if key == "ssl" && value == "true" {
                self.set("sslmode", "require".to_owned())?;
            } else {
                self.set(&key, value)?;
            }
        }
        Ok(())
    }

    fn authority(&mut self, text: &str) -> Result<(), Fault> {
        let (mut hosts, mut ports) = (Vec::new(), Vec::new());
        for place in text.split(',') {
            let (host, port) = if let Some(bracketed) = place.strip_prefix('[') {
                let (host, after) = bracketed.split_once(']').ok_or(Fault::Value("host"))?;
                match after.strip_prefix(':') {
                    Some(port) => (host, port),
                    None if after.is_empty() => (host, ""),
                    None => return Err(Fault::Value("host")),
                }
            } else {
                place.split_once(':').unwrap_or((place, ""))
            };
            hosts.push(decoded(host)?);
            ports.push(decoded(port)?);
        }
        if hosts.iter().any(|host| !host.is_empty()) {
            self.set("host", hosts.join(","))?;
        }
        if ports.iter().any(|port| !port.is_empty()) {
            self.set("port", ports.join(","))?;
        }
        Ok(())
    }

    fn pairs(&mut self, text: &str) -> Result<(), Fault> {
        let mut rest = text.trim_start();
        if rest.is_empty() {
            return Err(Fault::Form);
        }
        while !rest.is_empty() {
            let (key, after) = rest.split_once('=').ok_or(Fault::Form)?;
            let after = after.trim_start();
            let (value, after) = match after.strip_prefix('\'') {
                Some(quoted) => value(quoted, |character| character == '\'', true)?,
                None => value(after, char::is_whitespace, false)?,
            };
            self.set(key.trim_end(), value)?;
            rest = after.trim_start();
        }
        Ok(())
    }

    fn set(&mut self, key: &str, value: String) -> Result<(), Fault> {
        if let Some(key) = UNSUPPORTED.iter().find(|unsupported| **unsupported == key) {
            return Err(Fault::Unsupported(key));
        }
        if let Some(foreign) = Foreign::parameter(key, &value) {
            return Err(Fault::Foreign(foreign));
        }
        let key = KNOWN
            .iter()
            .find(|known| **known == key)
            .ok_or(Fault::Parameter)?;
        let word = WORDS.iter().find(|(word, _)| word == key);
        let right = value.is_empty()
            || if let Some((_, words)) = word {
                words.contains(&value.as_str())
            } else if NUMBERS.contains(key) {
                value.trim().parse::<i64>().is_ok()
            } else {
                !value.contains('\0')
            };
        if !right {
            return Err(Fault::Value(key));
        }
        self.parameters.insert(key, value);
        Ok(())
    }

    fn places(&self) -> Result<Vec<Place>, Fault> {
        let list = |key: &str| -> Vec<&str> {
            self.parameters
                .get(key)
                .filter(|text| !text.is_empty())
                .map(|text| text.split(',').map(str::trim).collect())
                .unwrap_or_default()
        };
        let (hosts, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
        let count = hosts.len().max(addresses.len()).max(1);
        let fits = |length: usize| length == 0 || length == count;
        if !fits(hosts.len()) || !fits(addresses.len()) || !(fits(ports.len()) || ports.len() == 1) {
            return Err(Fault::Counts);
        }
        (0..count)
            .map(|index| {
                let port = match ports.get(index).or(ports.first()).copied().unwrap_or_default() {
                    "" => 5432,
                    port => port
                        .parse()
                        .ok()
                        .filter(|port| *port > 0)
                        .ok_or(Fault::Value("port"))?,
                };
                let address = match addresses.get(index).copied().unwrap_or_default() {
                    "" => None,
                    address => Some(address.parse().map_err(|_error| Fault::Value("hostaddr"))?),
                };
                Ok(Place {
                    host: hosts.get(index).copied().unwrap_or_default().to_owned(),
                    address,
                    port,
                })
            })
            .collect()
    }
}

/// A value up to the character that `ends` it, and the rest of the text. A backslash escapes the next character.
fn value(text: &str, ends: impl Fn(char) -> bool, must_end: bool) -> Result<(String, &str), Fault> {
    let mut value = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if ends(character) {
            return Ok((value, characters.as_str()));
        }
        if character == '\\' {
            value.extend(characters.next());
        } else {
            value.push(character);
        }
    }
    if must_end {
        return Err(Fault::Form);
    }
    Ok((value, ""))
}

/// A part of a URI with its `%XX` escapes decoded. A plus sign stays a plus sign.
fn decoded(text: &str) -> Result<String, Fault> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
            let (high, low) = (digit().ok_or(Fault::Percent)?, digit().ok_or(Fault::Percent)?);
            bytes.push(u8::try_from(high * 16 + low).map_err(|_error| Fault::Form)?);
        } else {
            bytes.push(byte);
        }
    }
    if bytes.contains(&0) {
        return Err(Fault::Form);
    }
    String::from_utf8(bytes).map_err(|_error| Fault::Form)
}

#[cfg(test)]
mod tests;
