//! How to connect: every connection of the process is opened here, so that none of them is encrypted less than it should be.
//!
//! tokio-postgres falls back to plain text by itself when its mode is not set. Here each place has `Disable` or `Require`
//! before anything is sent, and nothing in between.

pub mod conninfo;
mod passfile;
mod tls;

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
    time::Duration,
};

use futures_util::future::BoxFuture;
use thiserror::Error;
use tokio::task::JoinHandle;
use tokio_postgres::{
    Client, Config, NoTls,
    config::{ChannelBinding, Host, LoadBalanceHosts, SslMode, SslNegotiation, TargetSessionAttrs},
};
use tokio_postgres_rustls::MakeRustlsConnect;

pub(in crate::store) use self::tls::in_words as tls_in_words;
pub use self::tls::{TlsError, Verify};
use self::{
    conninfo::{Conninfo, Fault, Place},
    passfile::Wanted,
    tls::Terms,
};
use crate::config::{self, SslMode as Wish};

/// Where PostgreSQL keeps its socket: Debian's place, then PostgreSQL's own.
const SOCKET_DIRECTORIES: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// Where tables are if nobody says anything else.
const DEFAULT_SCHEMA: &str = "public";

/// PostgreSQL cuts an application's name after so many bytes.
const NAME_BYTES: usize = 63;

/// A silent connection is probed after this.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);

/// Time between two probes.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// A connection that has not answered so many probes is given up.
const KEEPALIVE_RETRIES: u32 = 3;

/// A connection is given up when what was sent stays unacknowledged for so long.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(30);

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
}

/// Where and how to connect.
#[derive(Clone)]
pub struct Target {
    routes: Arc<[Route]>,
    tls: Option<MakeRustlsConnect>,
    shuffled: bool,
    schema: Arc<str>,
    /// How a connection is called that has no name from elsewhere.
    name: Name,
}

/// How the connections that are opened from now on are called in `pg_stat_activity`.
#[derive(Clone, Debug, Default)]
pub struct Name(Arc<RwLock<String>>);

impl Name {
    /// Call them by what they are `for_what`, after the host and the process.
    pub fn set(&self, for_what: &str) {
        *self.0.write().expect("nothing panics while it holds the name") = process_name(for_what);
    }

    fn get(&self) -> String {
        self.0
            .read()
            .expect("nothing panics while it holds the name")
            .clone()
    }
}

/// One try: a place, and what it must be.
#[derive(Clone, Debug)]
struct Route {
    config: Config,
    encrypted: bool,
    /// Tries of a later turn come after all of an earlier one.
    turn: u8,
}

/// A connection's own future: it carries what its client sends, and ends with it.
pub type Driver = BoxFuture<'static, Result<(), tokio_postgres::Error>>;

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
        let tls = match verify.iter().flatten().next() {
            Some(verify) => Some(tls::connector(&terms(*verify, &database.ssl, &info))?),
            None => None,
        };
        if verify.contains(&Some(Verify::Nothing)) {
            tracing::warn!(
                "PostgreSQL's certificate is not verified (no-verify): whoever sits between can read and change everything; give \
                 the authority's certificate in database.ssl_ca_file instead"
            );
        }
        Ok(Self {
            routes: routes.into(),
            tls,
            shuffled: info.get("load_balance_hosts") == Some("random"),
            schema: Arc::from(database.schema.as_str()),
            name: Name::default(),
        })
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

    /// The schema that every connection is bound to.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// Connect to the first place that answers and is what it must be.
    ///
    /// # Errors
    ///
    /// The last place's.
    pub async fn connect(&self) -> Result<(Client, Driver), tokio_postgres::Error> {
        let mut routes: Vec<&Route> = self.routes.iter().collect();
        if self.shuffled {
            fastrand::shuffle(&mut routes);
            routes.sort_by_key(|route| route.turn);
        }
        let mut failed = None;
        for route in routes {
            match self.connect_by(route).await {
                Ok(connected) => return Ok(connected),
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

    async fn connect_by(&self, route: &Route) -> Result<(Client, Driver), tokio_postgres::Error> {
        let mut config = route.config.clone();
        // Last, and so stronger than what the address says. It is part of the session from its beginning: RESET goes back to it.
        let search_path = search_path(&self.schema);
        let name = self.name.get();
        if config.get_application_name().is_none() && !name.is_empty() {
            config.application_name(name);
        }
        config.options(format!("{} {search_path}", config.get_options().unwrap_or_default()).trim());
        if let (true, Some(tls)) = (route.encrypted, &self.tls) {
            let (client, connection) = config.connect(tls.clone()).await?;
            return Ok((client, Box::pin(connection)));
        }
        // `Require` with no TLS at hand is refused by tokio-postgres.
        let (client, connection) = config.connect(NoTls).await?;
        Ok((client, Box::pin(connection)))
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
            shuffled: false,
            schema: Arc::from(DEFAULT_SCHEMA),
            name: Name::default(),
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

/// `eventide HOST:PID` and what a connection is for, in the bytes that PostgreSQL keeps of it.
pub(in crate::store) fn process_name(for_what: &str) -> String {
    let host = nix::unistd::gethostname().unwrap_or_default();
    let host = host.to_string_lossy();
    let rest = format!(":{} {for_what}", std::process::id());
    let room = NAME_BYTES.saturating_sub("eventide ".len() + rest.len());
    let host = host.get(..host.floor_char_boundary(room)).unwrap_or_default();
    format!("eventide {host}{rest}").trim_end().to_owned()
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

/// A place with libpq's default host filled in.
fn resolved(place: &Place) -> Place {
    let mut place = place.clone();
    if !place.host.is_empty() {
        return place;
    }
    if let Some(address) = place.address {
        place.host = address.to_string();
        return place;
    }
    let socket = |directory: &&&str| {
        Path::new(directory)
            .join(format!(".s.PGSQL.{}", place.port))
            .exists()
    };
    let directory = SOCKET_DIRECTORIES
        .iter()
        .find(socket)
        .unwrap_or(&SOCKET_DIRECTORIES[0]);
    (*directory).clone_into(&mut place.host);
    place
}

fn is_socket(place: &Place) -> bool {
    place.address.is_none() && place.host.starts_with('/')
}

fn is_loopback(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

/// What is checked of each place's certificate; `None` where there is no TLS.
fn verifies(ssl: &config::Ssl, info: &Conninfo, places: &[Place]) -> Vec<Option<Verify>> {
    let asked = info.get("sslmode");
    if asked == Some("disable") {
        return vec![None; places.len()];
    }
    let demanded = matches!(asked, Some("require" | "verify-ca" | "verify-full"));
    match ssl.mode {
        Wish::Off if demanded => {
            tracing::warn!("database.ssl (DATABASE_SSL) turns TLS off although the database URL asks for it");
        }
        Wish::Unknown => tracing::warn!(
            "the value of database.ssl (DATABASE_SSL) is not known and is taken for \"on\": TLS with the certificate verified"
        ),
        _ => {}
    }
    let files = ssl.ca_file.is_some() || ssl.cert_file.is_some() || info.get("sslrootcert").is_some();
    let verify = |place: &Place| match (ssl.mode, asked) {
        // PostgreSQL has no TLS on a socket; nobody sits in between.
        _ if is_socket(place) => None,
        (Wish::Off, _) => None,
        (Wish::NoVerify, _) => Some(Verify::Nothing),
        (Wish::Unset, Some("verify-ca")) => Some(Verify::Authority),
        (Wish::Unset, _) if !demanded && !files && is_local(place) => None,
        (Wish::Unset | Wish::Verified | Wish::Unknown, _) => Some(Verify::Full),
    };
    places.iter().map(verify).collect()
}

fn is_local(place: &Place) -> bool {
    match place.address {
        Some(address) => address.to_canonical().is_loopback(),
        None => is_loopback(&place.host),
    }
}

fn terms(verify: Verify, ssl: &config::Ssl, info: &Conninfo) -> Terms {
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

/// What the session must be, in the order in which it is tried.
fn session_attributes(info: &Conninfo) -> &'static [TargetSessionAttrs] {
    use TargetSessionAttrs::{Any, ReadOnly, ReadWrite};
    match info.get("target_session_attrs") {
        Some("read-write" | "primary") => &[ReadWrite],
        Some("read-only" | "standby") => &[ReadOnly],
        Some("prefer-standby") => &[ReadOnly, Any],
        _ => &[Any],
    }
}

/// Everything but TLS. `places` share the time for connecting.
fn settings(info: &Conninfo, database: &config::Database, place: &Place, places: usize) -> Config {
    let mut config = Config::new();
    config.host(&place.host).port(place.port);
    if let Some(address) = place.address {
        config.hostaddr(address);
    }
    let user = info.get("user").map_or_else(account, str::to_owned);
    let name = info.get("dbname").unwrap_or(&user).to_owned();
    let password = info.get("password").map(str::to_owned).or_else(|| {
        let path = info
            .get("passfile")
            .map(PathBuf::from)
            .or_else(|| database.password_file.clone())?;
        let host = if SOCKET_DIRECTORIES.contains(&place.host.as_str()) {
            "localhost"
        } else {
            &place.host
        };
        path.exists().then_some(())?;
        passfile::password(
            &path,
            Wanted {
                host,
                port: place.port,
                database: &name,
                user: &user,
            },
        )
    });
    if let Some(password) = password {
        config.password(password);
    }
    config.user(user).dbname(name);
    if let Some(options) = info.get("options") {
        config.options(options);
    }
    if let Some(name) = info
        .get("application_name")
        .or_else(|| info.get("fallback_application_name"))
    {
        config.application_name(name);
    }
    let share = database.connection_timeout / u32::try_from(places.max(1)).unwrap_or(u32::MAX);
    let asked = info
        .number("connect_timeout")
        .filter(|seconds| *seconds > 0)
        .map(Duration::from_secs);
    config.connect_timeout(asked.map_or(share, |asked| asked.min(share)));
    keepalive(&mut config, info);
    config.channel_binding(match info.get("channel_binding") {
        Some("disable") => ChannelBinding::Disable,
        Some("require") => ChannelBinding::Require,
        _ => ChannelBinding::Prefer,
    });
    if info.get("sslnegotiation") == Some("direct") {
        config.ssl_negotiation(SslNegotiation::Direct);
    }
    if info.get("load_balance_hosts") == Some("random") {
        config.load_balance_hosts(LoadBalanceHosts::Random);
    }
    config
}

/// Without these a server that has vanished without a word is noticed after two hours.
fn keepalive(config: &mut Config, info: &Conninfo) {
    let seconds = |key: &str, default| {
        info.number(key)
            .filter(|seconds| *seconds > 0)
            .map_or(default, Duration::from_secs)
    };
    let retries = info
        .number("keepalives_count")
        .or_else(|| info.number("keepalives_retries"));
    config
        .keepalives(info.number("keepalives") != Some(0))
        .keepalives_idle(seconds("keepalives_idle", KEEPALIVE_IDLE))
        .keepalives_interval(seconds("keepalives_interval", KEEPALIVE_INTERVAL))
        .keepalives_retries(
            retries
                .and_then(|retries| u32::try_from(retries).ok())
                .filter(|retries| *retries > 0)
                .unwrap_or(KEEPALIVE_RETRIES),
        )
        .tcp_user_timeout(
            info.number("tcp_user_timeout")
                .map_or(TCP_USER_TIMEOUT, Duration::from_millis),
        );
}

/// The operating system's account, which is libpq's default for the role.
fn account() -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid());
    user.ok()
        .flatten()
        .map_or_else(|| "postgres".to_owned(), |user| user.name)
}

#[cfg(test)]
mod tests;
