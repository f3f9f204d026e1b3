//! The website: what pages share. The pages themselves are in the features.
//!
//! A request passes the limits of its client, gets its language, session and server, and then reaches its page. Any process may answer
//! any request: sessions and sign-ins that have begun are rows. Requests share a bounded part of the database's connections, so the
//! website can neither delay commands nor flushes.

pub(crate) mod access;
pub mod answer;
pub(crate) mod api;
mod assets;
pub(crate) mod chart;
mod client;
pub mod connections;
pub(crate) mod context;
pub(crate) mod elements;
pub(crate) mod form;
mod handling;
mod headers;
mod home;
pub(crate) mod layout;
pub(crate) mod list;
mod oauth;
pub(crate) mod period;
mod random;
pub(crate) mod route;
pub mod server;
pub mod servers;
pub mod session;
mod sign_in;

use tokio::sync::Semaphore;
use twilight_model::id::{Id, marker::ApplicationMarker};

use self::{access::Members, client::Limiter, oauth::OAuth, route::Route};
use crate::{
    config::{Config, Web},
    discord::guilds::Guilds,
    postgres::{
        Store,
        table::{Table, member_table},
    },
    telemetry::metrics,
};

/// The tables. A user may have signed out since a backup.
pub(crate) const TABLES: &[Table] = &[
    member_table!("guild_staff"),
    Table::plain("web_session")
        .of_users(session::EXPORT, session::ERASE)
        .reset(45, "DELETE FROM web_session"),
    Table::plain("web_sign_in").reset(45, "DELETE FROM web_sign_in"),
];

/// Requests that are answered concurrently.
const AT_ONCE: usize = 64;

/// What the website consists of, in one process.
pub(crate) struct Site {
    pub(crate) store: Store,
    pub(crate) guilds: Guilds,
    pub(crate) config: Web,
    oauth: Option<OAuth>,
    routes: Vec<Route>,
    members: Members,
    limiter: Limiter,
    /// Requests of programs, by the number of their token.
    api: Limiter<i64>,
    /// Requests that are answered concurrently.
    turns: Semaphore,
}

impl Site {
    /// A website with these pages, besides those for signing in.
    pub(crate) fn new(
        config: &Config,
        application_id: Id<ApplicationMarker>,
        (store, guilds): (&Store, &Guilds),
        pages: Vec<Route>,
    ) -> Self {
        let mut routes = home::routes();
        routes.extend(sign_in::routes());
        routes.extend(pages);
        // Series exist from the start, since `increase()` does not count a first value.
        for route in &routes {
            metrics::web_requests_total(route.path, "2xx").increment(0);
        }
        drop(metrics::web_request_seconds("/"));
        Self {
            store: store.clone(),
            guilds: guilds.clone(),
            config: config.web.clone(),
            oauth: OAuth::new(config, application_id),
            routes,
            members: Members::default(),
            limiter: Limiter::new(config.web.requests_per_minute),
            api: Limiter::new(api::PER_MINUTE),
            turns: Semaphore::new(AT_ONCE),
        }
    }
}

impl std::fmt::Debug for Site {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Site").finish_non_exhaustive()
    }
}
