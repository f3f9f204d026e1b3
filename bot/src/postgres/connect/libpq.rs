//! The connection settings for PostgreSQL's programs, as libpq's environment variables:
//! <https://www.postgresql.org/docs/current/libpq-envars.html>. Command lines are visible to every user of the machine.

use std::{ffi::OsString, os::unix::ffi::OsStringExt as _, path::Path};

use rustls::ProtocolVersion;
use tokio_postgres::config::{ChannelBinding, Host, SslNegotiation};

use super::{
    ConnectError, Target,
    tls::{SYSTEM, Terms, Verify},
};

/// Where operating systems store the certificate authorities that browsers trust: Debian and Arch, Fedora, openSUSE, Alpine.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// A file that never exists. Otherwise libpq would verify against a root certificate in the home directory.
const NO_FILE: &str = "/dev/null/none";

/// Variables for PostgreSQL's programs. They can contain a password, so there is no `Debug`.
#[derive(Clone)]
pub struct Environment(Vec<(&'static str, OsString)>);

impl Environment {
    /// Names and values.
    pub fn variables(&self) -> impl Iterator<Item = (&'static str, &OsString)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    fn set(&mut self, name: &'static str, value: impl Into<OsString>) {
        self.0.push((name, value.into()));
    }
}

/// Settings without a variable, as a connection string. They detect a server that has vanished.
pub const KEEPALIVE: &str =
    "keepalives=1 keepalives_idle=30 keepalives_interval=10 keepalives_count=3 tcp_user_timeout=30000";

impl Target {
    /// Variables for a program that connects to the target's first server, with its own name in `pg_stat_activity`.
    ///
    /// # Errors
    ///
    /// [`ConnectError::NoBundle`] if the certificate is to be verified with authorities that libpq does not have.
    pub fn environment(&self, for_what: &str) -> Result<Environment, ConnectError> {
        let route = self.routes.first().expect("a target has a route");
        let config = &route.config;
        let mut environment = Environment(Vec::new());
        let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        if let Some(host) = config.get_hosts().first() {
            match host {
                Host::Tcp(host) => environment.set("PGHOST", host),
                Host::Unix(directory) => environment.set("PGHOST", directory),
            }
        }
        if let Some(address) = config.get_hostaddrs().first() {
            environment.set("PGHOSTADDR", address.to_string());
        }
        let port = config.get_ports().first().copied().unwrap_or(5432);
        environment.set("PGPORT", port.to_string());
        let optional = [
            ("PGUSER", config.get_user()),
            ("PGDATABASE", config.get_dbname()),
            ("PGOPTIONS", config.get_options()),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                environment.set(name, value);
            }
        }
        if let Some(password) = config.get_password() {
            environment.set("PGPASSWORD", text(password));
        }
        environment.set("PGAPPNAME", super::process_name(for_what));
        environment.set("PGCONNECT_TIMEOUT", self.patience.as_secs().max(2).to_string());
        environment.set("PGCLIENTENCODING", "UTF8");
        environment.set("PGGSSENCMODE", "disable");
        environment.set(
            "PGCHANNELBINDING",
            match config.get_channel_binding() {
                ChannelBinding::Disable => "disable",
                ChannelBinding::Require => "require",
                _ => "prefer",
            },
        );
        match &self.terms {
            Some(terms) if route.encrypted => environment.encrypted(terms)?,
            _ => environment.set("PGSSLMODE", "disable"),
        }
        if config.get_ssl_negotiation() == SslNegotiation::Direct {
            environment.set("PGSSLNEGOTIATION", "direct");
        }
        Ok(environment)
    }
}

impl Environment {
    fn encrypted(&mut self, terms: &Terms) -> Result<(), ConnectError> {
        let mode = match terms.verify {
            Verify::Full => "verify-full",
            Verify::Authority => "verify-ca",
            Verify::Nothing => "require",
        };
        self.set("PGSSLMODE", mode);
        let own = terms.ca_file.as_deref().filter(|path| *path != Path::new(SYSTEM));
        let roots = match (terms.verify, own) {
            (Verify::Nothing, _) => Path::new(NO_FILE),
            (_, Some(own)) => own,
            // `sslrootcert=system` requires libpq 16, and Debian 12 has version 15.
            (_, None) => BUNDLES
                .iter()
                .map(Path::new)
                .find(|path| path.is_file())
                .ok_or(ConnectError::NoBundle)?,
        };
        self.set("PGSSLROOTCERT", roots);
        if let Some(certificate) = &terms.cert_file {
            self.set("PGSSLCERT", certificate);
        }
        if let Some(key) = &terms.key_file {
            self.set("PGSSLKEY", key);
        }
        match terms.only.map(|only| only.version) {
            Some(ProtocolVersion::TLSv1_3) => self.set("PGSSLMINPROTOCOLVERSION", "TLSv1.3"),
            Some(_) => self.set("PGSSLMAXPROTOCOLVERSION", "TLSv1.2"),
            None => {}
        }
        Ok(())
    }
}
