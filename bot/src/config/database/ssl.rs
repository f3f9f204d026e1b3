//! `database.ssl` and its files: encryption and verification of the connection to PostgreSQL.

use std::path::PathBuf;

use crate::config::{
    input::Input,
    reader::{Section, Special, Text, path},
};

/// TLS to PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssl {
    /// Whether TLS is used, and what is verified.
    pub mode: SslMode,
    /// The accepted certificate authorities, in PEM; `None` for those that browsers trust.
    pub ca_file: Option<PathBuf>,
    /// The client's certificate, in PEM.
    pub cert_file: Option<PathBuf>,
    /// The private key of `cert_file`, in PEM.
    pub key_file: Option<PathBuf>,
}

/// Whether the connection to PostgreSQL is encrypted, and what is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SslMode {
    /// Not configured: off for a socket or this machine, verified for everything else.
    Unset,
    /// No encryption.
    Off,
    /// Encryption without verification.
    NoVerify,
    /// Encryption, with the server's certificate verified.
    Verified,
    /// An unknown value, which is treated as `Verified`.
    Unknown,
}

impl Ssl {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let mode = section.also("DATABASE_SSL").special(
            Special {
                name: "ssl",
                default: SslMode::Unset,
                written: "\"\"",
                allowed: "\"on\", \"no-verify\", \"off\", or \"\" for on, except to this machine".to_owned(),
                why: "TLS to PostgreSQL; sslmode=disable in the URL turns it off, and no-verify accepts any certificate.",
            },
            mode,
        );
        let mut file = |name, allowed, why| {
            let key = Text {
                name,
                default: "",
                allowed,
                why,
            };
            section.optional_text(&key, path)
        };
        Self {
            mode,
            ca_file: file(
                "ssl_ca_file",
                "path of a file with certificates in PEM, or \"system\"",
                "Authorities accepted for PostgreSQL's certificate; by default those that browsers trust.",
            ),
            cert_file: file(
                "ssl_cert_file",
                "path of a file with a certificate in PEM",
                "A client certificate, if PostgreSQL requires one.",
            ),
            key_file: file(
                "ssl_key_file",
                "path of a file with a private key in PEM, without a passphrase",
                "The private key of ssl_cert_file.",
            ),
        }
    }
}

/// Any text is accepted, so that a misspelled value does not turn TLS off.
fn mode(input: &Input) -> Option<SslMode> {
    let text = match (input.boolean(), input.whole()) {
        (Some(on), _) => on.to_string(),
        (_, Some(number)) => number.to_string(),
        _ => input.text()?.trim().to_ascii_lowercase(),
    };
    Some(match text.as_str() {
        "" => SslMode::Unset,
        "false" | "off" | "disable" | "0" => SslMode::Off,
        "no-verify" => SslMode::NoVerify,
        "true" | "on" | "require" | "1" => SslMode::Verified,
        _ => SslMode::Unknown,
    })
}
