//! The TLS settings of each server, from the configuration and the address.

use std::{net::IpAddr, path::PathBuf};

use super::tls::{Terms, Verify};
use crate::config::{
    self, SslMode as Wish,
    database::conninfo::{Conninfo, Place},
};

/// Warnings about the TLS settings.
pub(super) fn cautions(ssl: &config::Ssl, info: &Conninfo) -> Vec<&'static str> {
    match ssl.mode {
        Wish::Off if demands_tls(info) => {
            vec!["database.ssl (DATABASE_SSL) turns TLS off although the database URL asks for it"]
        }
        Wish::Unknown if info.get("sslmode") != Some("disable") => vec![
            "the value of database.ssl (DATABASE_SSL) is not known and is taken for \"on\": TLS with the certificate verified",
        ],
        _ => Vec::new(),
    }
}

/// The verification of each server's certificate; `None` without TLS.
pub(super) fn verifies(ssl: &config::Ssl, info: &Conninfo, places: &[Place]) -> Vec<Option<Verify>> {
    let asked = info.get("sslmode");
    if asked == Some("disable") {
        return vec![None; places.len()];
    }
    let demanded = demands_tls(info);
    let files = ssl.ca_file.is_some() || ssl.cert_file.is_some() || info.get("sslrootcert").is_some();
    let verify = |place: &Place| match (ssl.mode, asked) {
        // PostgreSQL has no TLS on sockets, which cannot be intercepted.
        _ if is_socket(place) => None,
        (Wish::Off, _) => None,
        (Wish::NoVerify, _) => Some(Verify::Nothing),
        (Wish::Unset, Some("verify-ca")) => Some(Verify::Authority),
        (Wish::Unset, _) if !demanded && !files && is_local(place) => None,
        (Wish::Unset | Wish::Verified | Wish::Unknown, _) => Some(Verify::Full),
    };
    places.iter().map(verify).collect()
}

pub(super) fn terms(verify: Verify, ssl: &config::Ssl, info: &Conninfo) -> Terms {
    let file = |own: &Option<PathBuf>, key| own.clone().or_else(|| info.get(key).map(PathBuf::from));
    let only = match (
        info.get("ssl_min_protocol_version"),
        info.get("ssl_max_protocol_version"),
    ) {
        (Some("TLSv1.3"), _) => Some(&rustls::version::TLS13),
        (_, Some("TLSv1.2")) => Some(&rustls::version::TLS12),
        _ => None,
    };
    Terms {
        verify,
        ca_file: file(&ssl.ca_file, "sslrootcert"),
        cert_file: file(&ssl.cert_file, "sslcert"),
        key_file: file(&ssl.key_file, "sslkey"),
        only,
        direct: info.get("sslnegotiation") == Some("direct"),
    }
}

fn demands_tls(info: &Conninfo) -> bool {
    matches!(info.get("sslmode"), Some("require" | "verify-ca" | "verify-full"))
}

pub(super) fn is_socket(place: &Place) -> bool {
    place.address.is_none() && place.host.starts_with('/')
}

pub(super) fn is_loopback(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

fn is_local(place: &Place) -> bool {
    match place.address {
        Some(address) => address.to_canonical().is_loopback(),
        None => is_loopback(&place.host),
    }
}
