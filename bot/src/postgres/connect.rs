//! How to connect: every connection of the process is opened here, so that none of them is encrypted less than it should be.
//!
//! tokio-postgres falls back to plain text by itself when its mode is not set. Here each place has `Disable` or `Require`
//! before anything is sent, and nothing in between.

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
    driver::{Hearing, driver, while_driving},
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

/// PostgreSQL's port.
const DEFAULT_PORT: u16 = 5432;

/// Where tables are if nobody says anything else.
const DEFAULT_SCHEMA: &str = "public";

/// What holds before a session pins its settings: the statement that does so must neither be ended nor compiled. A session that sets no
/// time limits of its own has none, whatever the role's are.
const FIRST: &str =
    "-c jit=off -c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0";

/// How long connecting may take if nobody says anything else.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why it is not known how to connect.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The URL cannot be read. It is not shown: it may hold a password.
    #[error(
        "the database URL (database.url or DATABASE_URL) is {}: postgresql://USER:PASSWORD@HOST:PORT/DATABASE is one",
        .0.in_words()
    )]
    Url(Fault),
    /// TLS cannot be set up.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// TLS is asked for over a connection that is told to be plain.
    #[error("sslnegotiation=direct in the database URL needs TLS, and TLS is off for {0}")]
    DirectWithoutTls(String),
    /// PostgreSQL's programs have no authorities of their own.
    #[error(
        "PostgreSQL's programs do not know the certificate authorities that are built into Eventide: type apt-get install \
         ca-certificates, or give the authority's certificate in database.ssl_ca_file"
    )]
    NoBundle,
}

/// Where and how to connect.
#[derive(Clone)]
pub struct Target {
    routes: Arc<[Route]>,
    tls: Option<MakeRustlsConnect>,
    terms: Option<Arc<Terms>>,
    shuffled: bool,
    schema: Arc<str>,
    /// How a connection is called that has no name from elsewhere.
    name: Name,
    patience: Duration,
    /// A pooler hands every transaction to another session: nothing can be said once for all of them.
    pooled: bool,
    credentials: Credentials,
    /// What is pinned as a session begins.
    pins: Arc<Pins>,
    /// What an operator should know about the encryption, each a sentence.
    cautions: Vec<&'static str>,
}

/// One try: a place, and what it must be.
#[derive(Clone, Debug)]
struct Route {
    config: Config,
    encrypted: bool,
    /// Tries of a later turn come after all of an earlier one.
    turn: u8,
}

impl Target {
    /// Read the address, its password and the certificates.
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

    /// What an operator should know about the encryption, each a sentence. Several targets are made from one configuration, so the
    /// caller logs each once.
    pub(crate) fn cautions(&self) -> &[&'static str] {
        &self.cautions
    }

    /// The same for sessions that flush.
    #[must_use]
    pub(in crate::postgres) fn for_flushes(mut self) -> Self {
        self.pins = Arc::new(Pins::of_flushes());
        self
    }

    /// The same with other settings.
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

    /// The same in another schema.
    #[must_use]
    pub fn in_schema(mut self, schema: &str) -> Self {
        self.schema = Arc::from(schema);
        self
    }

    /// The same under a name that can change, unless the address gives one.
    #[must_use]
    pub fn named(mut self, name: &Name) -> Self {
        self.name = name.clone();
        self
    }

    /// The same through a pooler in transaction mode, which takes no settings at the start of a session.
    #[must_use]
    pub const fn pooled(mut self) -> Self {
        self.pooled = true;
        self
    }

    /// Whether every transaction may run in another session.
    pub const fn is_pooled(&self) -> bool {
        self.pooled
    }

    /// How long connecting may take, with everything that the server has to answer. The pool counts its own time.
    pub const fn patience(&self) -> Duration {
        self.patience
    }

    /// The schema that every connection is bound to.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// Where it is, for people: hosts, ports and the database.
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

    /// Connect to the first place that answers and is what it must be.
    ///
    /// # Errors
    ///
    /// The last place's.
    pub async fn connect(&self) -> Result<(Client, Driver), tokio_postgres::Error> {
        self.connect_to_one(None)
            .await
            .map(|(client, driver, _)| (client, driver))
    }

    /// The same, with a driver that hands on what the server tells by NOTIFY.
    pub(in crate::postgres) async fn connect_and_hear(
        &self,
        hearing: Hearing,
    ) -> Result<(Client, Driver), tokio_postgres::Error> {
        self.connect_to_one(Some(hearing))
            .await
            .map(|(client, driver, _)| (client, driver))
    }

    /// The same, with a target that has the place alone that answered: for those who connect there again.
    ///
    /// # Errors
    ///
    /// The last place's.
    pub async fn connect_and_stay(&self) -> Result<(Client, Driver, Self), tokio_postgres::Error> {
        let (client, driver, route) = self.connect_to_one(None).await?;
        let mut there = self.clone();
        there.routes = Arc::new([route]);
        Ok((client, driver, there))
    }

    async fn connect_to_one(
        &self,
        hearing: Option<Hearing>,
    ) -> Result<(Client, Driver, Route), tokio_postgres::Error> {
        let mut routes: Vec<&Route> = self.routes.iter().collect();
        if self.shuffled {
            fastrand::shuffle(&mut routes);
            routes.sort_by_key(|route| route.turn);
        }
        let mut failed = None;
        for route in routes {
            let mut tried = self.connect_by(route, hearing.clone()).await;
            if let Err(error) = &tried
                && self.credentials.are_newer(&route.config, error)
            {
                tried = self.connect_by(route, hearing.clone()).await;
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
        hearing: Option<Hearing>,
    ) -> Result<(Client, Driver), tokio_postgres::Error> {
        let mut config = route.config.clone();
        self.credentials.put_into(&mut config);
        if config.get_application_name().is_none()
            && let Some(name) = self.name.get(&self.schema)
        {
            config.application_name(name);
        }
        if !self.pooled {
            // Last, and so stronger than what the address says. It is part of the session from its beginning: RESET goes back to it.
            let search_path = search_path(&self.schema);
            let options = config.get_options().unwrap_or_default();
            config.options(format!("{FIRST} {options} {search_path}"));
        }
        let (client, driver) = if let (true, Some(tls)) = (route.encrypted, &self.tls) {
            let (client, connection) = config.connect(tls.clone()).await?;
            (client, driver(connection, hearing))
        } else {
            // `Require` with no TLS at hand is refused by tokio-postgres.
            let (client, connection) = config.connect(NoTls).await?;
            (client, driver(connection, hearing))
        };
        if self.pooled {
            return Ok((client, driver));
        }
        let driver = while_driving(driver, self.pins.for_session(&client)).await?;
        Ok((client, driver))
    }
}

/// The server that is meant by settings made in this process: plain on this machine, verified anywhere else.
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
    /// The pool's own settings are not looked at: the target has all of them.
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
        // A Config's own Debug leaves the password out.
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

/// An identifier as PostgreSQL reads it, whatever it contains.
pub fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// The startup option that binds a session to a schema:
/// <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-OPTIONS>.
fn search_path(schema: &str) -> String {
    let mut option = "-c search_path=".to_owned();
    for character in quoted(schema).chars() {
        // The server splits the options at what C's isspace takes for a space.
        if matches!(character, ' ' | '\t'..='\r' | '\\') {
            option.push('\\');
        }
        option.push(character);
    }
    option
}

#[cfg(test)]
mod tests;
