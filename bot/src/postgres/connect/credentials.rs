//! Roles and passwords that were rotated after the start: if PostgreSQL rejects them, `database.url_file` and the password file are read
//! again.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use tokio_postgres::{Config, config::Host, error::SqlState};

use super::settings::{resolved, settings};
use crate::config::{
    self,
    database::conninfo::{Conninfo, Place},
};

/// The source of credentials, and those that are newer than the target's settings. Clones share the same state.
#[derive(Clone, Default)]
pub(super) struct Credentials(Option<Arc<Source>>);

struct Source {
    url: config::Secret,
    database: config::Database,
    newer: RwLock<Vec<(Key, Pair)>>,
}

/// The hosts and ports of a server.
type Key = (Vec<Host>, Vec<u16>);

/// A role and its password.
type Pair = (Option<String>, Option<Vec<u8>>);

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Credentials {
    pub(super) fn new(url: &config::Secret, database: &config::Database) -> Self {
        Self(Some(Arc::new(Source {
            url: url.clone(),
            database: database.clone(),
            newer: RwLock::default(),
        })))
    }

    /// Replace the settings by newer ones.
    pub(super) fn put_into(&self, config: &mut Config) {
        let Some(source) = &self.0 else { return };
        let newer = source.newer.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((user, password)) = pair_in(&newer, &key_of(config)) {
            if let Some(user) = user {
                config.user(user);
            }
            if let Some(password) = password {
                config.password(password);
            }
        }
    }

    /// Whether another attempt is worthwhile after this error, because the files have changed.
    pub(super) fn are_newer(&self, tried: &Config, error: &tokio_postgres::Error) -> bool {
        let refused = matches!(
            error.code(),
            Some(&SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
        );
        let Some(source) = self.0.as_ref().filter(|_| refused) else {
            return false;
        };
        let url = source.url.read_again();
        let Ok(info) = Conninfo::parse(url.as_ref().unwrap_or(&source.url).expose()) else {
            tracing::warn!("database.url_file has changed and contains no readable address");
            return false;
        };
        let places: Vec<Place> = info.places.iter().map(resolved).collect();
        let read: Vec<(Key, Pair)> = places
            .iter()
            .map(|place| {
                let config = settings(&info, &source.database, place, places.len());
                (key_of(&config), pair_of(&config))
            })
            .collect();
        let mut used = tried.clone();
        self.put_into(&mut used);
        let differs = pair_in(&read, &key_of(tried)).is_some_and(|pair| *pair != pair_of(&used));
        if differs {
            *source.newer.write().unwrap_or_else(PoisonError::into_inner) = read;
            tracing::info!("PostgreSQL refused the password; read a new one");
        }
        differs
    }
}

fn key_of(config: &Config) -> Key {
    (config.get_hosts().to_vec(), config.get_ports().to_vec())
}

fn pair_in<'a>(pairs: &'a [(Key, Pair)], key: &Key) -> Option<&'a Pair> {
    let found = pairs.iter().find(|(other, _)| other == key);
    found.map(|(_, pair)| pair)
}

fn pair_of(config: &Config) -> Pair {
    (
        config.get_user().map(str::to_owned),
        config.get_password().map(<[u8]>::to_vec),
    )
}
