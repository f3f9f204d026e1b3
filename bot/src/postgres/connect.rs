//! Connecting to PostgreSQL. Every connection of the process is opened here, so that none of them is less encrypted than it should be.
//!
//! With its default mode, tokio-postgres may fall back to plain text. Here, each server has either `Disable` or `Require` before anything
//! is sent.

mod cancel;
mod credentials;
mod driver;
mod encryption;
pub mod libpq;
mod name;
mod passfile;
mod settings;
mod tls;

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use thiserror::Error;
use tokio::task::JoinHandle;
use tokio_postgres::{
    Client, Config, NoTls,
    config::{Host, SslMode},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use self::{
    credentials::Credentials,
    driver::{OnNotification, driver, while_driving},
    encryption::{cautions, is_loopback, is_socket, terms, verifies},
    settings::{resolved, session_attributes, settings},
    tls::Terms,
};
pub use self::{
    driver::Driver,
    name::Name,
    tls::{TlsError, Verify},
};
pub(in crate::postgres) use self::{
    name::{process_name, works_in},
    tls::in_words as tls_in_words,
};
use super::pins::Pins;
pub use crate::config::database::conninfo::Fault;
use crate::config::{
    self,
    database::conninfo::{Conninfo, Place},
};

/// PostgreSQL's default port.
const DEFAULT_PORT: u16 = 5432;

/// The schema if none is configured.
const DEFAULT_SCHEMA: &str = "public";

/// The settings until a session has its pinned settings: the statement that pins them must not time out or be compiled. A session that sets
/// no limits of its own has none, whatever the role's settings are.
const FIRST: &str =
    "-c jit=off -c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0";

/// The connection timeout if none is configured.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a target is not usable.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The URL is invalid. It is not shown, because it may contain a password.
    #[error(
        "the database URL (database.url or DATABASE_URL) is {}; a valid one is postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
        .0.in_words()
    )]
    Url(Fault),
    /// TLS cannot be set up.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// TLS is required over a connection that is configured without TLS.
    #[error("sslnegotiation=direct in the database URL needs TLS, and TLS is off for {0}")]
    DirectWithoutTls(String),
    /// PostgreSQL's programs have no built-in certificate authorities.
    #[error(
        "PostgreSQL's programs do not know the certificate authorities that are built into Eventide: type apt-get install \
         ca-certificates, or give the authority's certificate in database.ssl_ca_file"
    )]
    NoBundle,
}

/// Servers, and how to connect to them.
#[derive(Clone)]
pub struct Target {
    routes: Arc<[Route]>,
    tls: Option<MakeRustlsConnect>,
    terms: Option<Arc<Terms>>,
    shuffled: bool,
    schema: Arc<str>,
    /// The application name of connections whose address contains none.
    name: Name,
    patience: Duration,
    /// Whether a pooler assigns each transaction to any session, so that nothing can be set for a session.
    pooled: bool,
    credentials: Credentials,
    /// Settings that are pinned at the start of a session.
    pins: Arc<Pins>,
    /// Warnings about the encryption, a sentence each.
    cautions: Vec<&'static str>,
}

/// One connection attempt: a server, and the required kind of session.
#[derive(Clone, Debug)]
struct Route {
    config: Config,
    encrypted: bool,
    /// Attempts of a later turn come after all those of an earlier one.
    turn: u8,
}

impl Target {
    /// Parse the address and read its password and certificates.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Url`], or a certificate that cannot be used.
    pub fn open(url: &config::Secret, database: &config::Database) -> Result<Self, ConnectError> {
        let info = Conninfo::parse(url.expose()).map_err(ConnectError::Url)?;
        let places: Vec<Place> = info.places.iter().map(resolved).collect();
        let verify = verifies(&database.ssl, &info, &places);
        let mut cautions = cautions(&database.ssl, &info);
        let mut routes = Vec::new();
        for (place, verify) in places.iter().zip(&verify) {
            let mut config = settings(&info, database, place, places.len());
            config.ssl_mode(mode(verify.is_some()));
            if info.get("sslnegotiation") == Some("direct") && verify.is_none() && !is_socket(place) {
                return Err(ConnectError::DirectWithoutTls(place.host.clone()));
            }
            for (turn, attributes) in session_attributes(&info).iter().enumerate() {
                let mut config = config.clone();
                config.target_session_attrs(*attributes);
                routes.push(Route {
                    config,
                    encrypted: verify.is_some(),
                    turn: u8::from(turn > 0),
                });
            }
        }
        routes.sort_by_key(|route| route.turn);
        let terms = verify
            .iter()
            .flatten()
            .next()
            .map(|verify| Arc::new(terms(*verify, &database.ssl, &info)));
        let tls = terms.as_deref().map(tls::connector).transpose()?;
        if verify.contains(&Some(Verify::Nothing)) {
            cautions.push(
                "PostgreSQL's certificate is not verified (no-verify): a machine in between can read and change everything; give the \
                 authority's certificate in database.ssl_ca_file instead",
            );
        }
        Ok(Self {
            routes: routes.into(),
            tls,
            terms,
            shuffled: info.get("load_balance_hosts") == Some("random"),
            schema: Arc::from(database.schema.as_str()),
            name: Name::default(),
            patience: database.connection_timeout,
            pooled: false,
            credentials: Credentials::new(url, database),
            pins: Arc::new(Pins::of_any()),
            cautions,
        })
    }

    /// Warnings about the encryption, a sentence each. Several targets come from one configuration, so the caller logs each warning once.
    pub(crate) fn cautions(&self) -> &[&'static str] {
        &self.cautions
    }

    /// The target for sessions that flush.
    #[must_use]
    pub(in crate::postgres) fn for_flushes(mut self) -> Self {
        self.pins = Arc::new(Pins::of_flushes());
        self
    }

    /// The target with changed settings.
    #[must_use]
    pub fn with(mut self, change: impl Fn(&mut Config)) -> Self {
        let mut routes: Vec<Route> = self.routes.to_vec();
        for route in &mut routes {
            change(&mut route.config);
            route.config.ssl_mode(mode(route.encrypted));
        }
        self.routes = routes.into();
        self
    }

    /// The target with another schema.
    #[must_use]
    pub fn in_schema(mut self, schema: &str) -> Self {
        self.schema = Arc::from(schema);
        self
    }

    /// The target with an application name that can change, unless the address contains one.
    #[must_use]
    pub fn named(mut self, name: &Name) -> Self {
        self.name = name.clone();
        self
    }

    /// The target behind a pooler in transaction mode, which accepts no settings at the start of a session.
    #[must_use]
    pub const fn pooled(mut self) -> Self {
        self.pooled = true;
        self
    }

    /// Whether each transaction may run in a different session.
    pub const fn is_pooled(&self) -> bool {
        self.pooled
    }

    /// The time limit for connecting, including all answers of the server. The pool has its own limit.
    pub const fn patience(&self) -> Duration {
        self.patience
    }

    /// The schema of every connection.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// The servers in readable form: hosts, ports and the database.
    pub fn place(&self) -> String {
        let mut places: Vec<String> = Vec::new();
        for route in self.routes.iter() {
            let port = route.config.get_ports().first().unwrap_or(&DEFAULT_PORT);
            let database = route.config.get_dbname().unwrap_or_default();
            for host in route.config.get_hosts() {
                let host = match host {
                    Host::Tcp(host) => host.clone(),
                    Host::Unix(directory) => directory.display().to_string(),
                };
                let place = format!("{host}:{port}/{database}");
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
        places.join(" or ")
    }

    /// Connect to the first server that answers and has the required kind of session.
    ///
    /// # Errors
    ///
    /// The error of the last server.
    pub async fn connect(&self) -> Result<(Client, Driver), tokio_postgres::Error> {
        self.connect_to_one(None)
            .await
            .map(|(client, driver, _)| (client, driver))
    }

    /// Connect, with a driver that passes on notifications.
    pub(in crate::postgres) async fn connect_and_listen(
        &self,
        on_notification: OnNotification,
    ) -> Result<(Client, Driver), tokio_postgres::Error> {
        self.connect_to_one(Some(on_notification))
            .await
            .map(|(client, driver, _)| (client, driver))
    }

    /// Connect, and return a target with only the server that answered, for further connections to it.
    ///
    /// # Errors
    ///
    /// The error of the last server.
    pub async fn connect_and_stay(&self) -> Result<(Client, Driver, Self), tokio_postgres::Error> {
        let (client, driver, route) = self.connect_to_one(None).await?;
        let mut there = self.clone();
        there.routes = Arc::new([route]);
        Ok((client, driver, there))
    }

    async fn connect_to_one(
        &self,
        on_notification: Option<OnNotification>,
    ) -> Result<(Client, Driver, Route), tokio_postgres::Error> {
        let mut routes: Vec<&Route> = self.routes.iter().collect();
        if self.shuffled {
            fastrand::shuffle(&mut routes);
            routes.sort_by_key(|route| route.turn);
        }
        let mut failed = None;
        for route in routes {
            let mut tried = self.connect_by(route, on_notification.clone()).await;
            if let Err(error) = &tried
                && self.credentials.are_newer(&route.config, error)
            {
                tried = self.connect_by(route, on_notification.clone()).await;
            }
            match tried {
                Ok((client, driver)) => return Ok((client, driver, route.clone())),
                Err(error) => {
                    if let Some(earlier) = failed.replace(error) {
                        tracing::debug!(
                            error = super::error::one_line(&earlier),
                            "one of the hosts cannot be used"
                        );
                    }
                }
            }
        }
        Err(failed.expect("a target has a route"))
    }

    async fn connect_by(
        &self,
        route: &Route,
        on_notification: Option<OnNotification>,
    ) -> Result<(Client, Driver), tokio_postgres::Error> {
        let mut config = route.config.clone();
        self.credentials.put_into(&mut config);
        if config.get_application_name().is_none()
            && let Some(name) = self.name.get(&self.schema)
        {
            config.application_name(name);
        }
        if !self.pooled {
            // This comes last, so it overrides the options in the address. It is part of the session from its start: RESET returns to it.
            let search_path = search_path(&self.schema);
            let options = config.get_options().unwrap_or_default();
            config.options(format!("{FIRST} {options} {search_path}"));
        }
        let (client, driver) = if let (true, Some(tls)) = (route.encrypted, &self.tls) {
            let (client, connection) = config.connect(tls.clone()).await?;
            (client, driver(connection, on_notification))
        } else {
            // tokio-postgres returns an error for `Require` without TLS support.
            let (client, connection) = config.connect(NoTls).await?;
            (client, driver(connection, on_notification))
        };
        if self.pooled {
            return Ok((client, driver));
        }
        let driver = while_driving(driver, self.pins.for_session(&client)).await?;
        Ok((client, driver))
    }
}

/// The target for settings made in this process: plain text on this machine, verified TLS for other hosts.
impl From<&Config> for Target {
    fn from(config: &Config) -> Self {
        let encrypted = !config.get_hosts().iter().all(|host| match host {
            Host::Tcp(host) => is_loopback(host),
            Host::Unix(_) => true,
        });
        let terms = Terms {
            verify: Verify::Full,
            ca_file: None,
            cert_file: None,
            key_file: None,
            only: None,
            direct: false,
        };
        let mut config = config.clone();
        config.ssl_mode(mode(encrypted));
        let route = Route {
            config,
            encrypted,
            turn: 0,
        };
        Self {
            routes: Arc::new([route]),
            tls: encrypted.then(|| tls::connector(&terms).expect("the built-in authorities are usable")),
            terms: encrypted.then(|| Arc::new(terms)),
            shuffled: false,
            schema: Arc::from(DEFAULT_SCHEMA),
            name: Name::default(),
            patience: PATIENCE,
            pooled: false,
            credentials: Credentials::default(),
            pins: Arc::new(Pins::of_any()),
            cautions: Vec::new(),
        }
    }
}

impl deadpool_postgres::Connect for Target {
    /// The pool's own settings are ignored, because the target contains all of them.
    fn connect(
        &self,
        _settings: &Config,
    ) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), tokio_postgres::Error>> {
        Box::pin(async {
            let (client, driver) = self.connect().await?;
            let driver = async {
                if let Err(error) = driver.await {
                    tracing::warn!(
                        error = super::error::one_line(&error),
                        "a connection to PostgreSQL was lost"
                    );
                }
            };
            #[expect(clippy::disallowed_methods, reason = "the pool aborts it with its connection")]
            Ok((client, tokio::spawn(driver)))
        })
    }
}

impl From<Config> for Target {
    fn from(config: Config) -> Self {
        Self::from(&config)
    }
}

impl From<&Self> for Target {
    fn from(target: &Self) -> Self {
        target.clone()
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The `Debug` of `Config` omits the password.
        formatter
            .debug_struct("Target")
            .field("routes", &self.routes)
            .finish_non_exhaustive()
    }
}

const fn mode(encrypted: bool) -> SslMode {
    if encrypted {
        SslMode::Require
    } else {
        SslMode::Disable
    }
}

/// An identifier in double quotes, with any content.
pub fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// The startup option that sets a session's schema: <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-OPTIONS>.
fn search_path(schema: &str) -> String {
    let mut option = "-c search_path=".to_owned();
    for character in quoted(schema).chars() {
        // The server splits options at the characters that C's isspace accepts.
        if matches!(character, ' ' | '\t'..='\r' | '\\') {
            option.push('\\');
        }
        option.push(character);
    }
    option
}

#[cfg(test)]
mod tests;
