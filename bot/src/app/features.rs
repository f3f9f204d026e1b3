//! What is derived from the manifests of the features.

use std::sync::Arc;

use hyper::http::Extensions;

pub use crate::features::effect_kinds;
use crate::{
    config::Config,
    discord::rest::Rest,
    features::{FEATURES, privacy::rows::member::MemberData},
    interactions::{self, Services, command::Commands, feature::Process},
    outbox::{self, pruning, timers::Registry},
    pipeline,
    postgres::{
        Store,
        table::{self, Table},
    },
    settings::{self, Settings, section::Section},
    web::{self, route::Route},
};

/// All commands.
pub static COMMANDS: Commands = Commands::new(FEATURES);

/// All tables. Rows of a guild or a member are locked and deleted in this order (docs/invariants.md).
pub fn tables() -> Vec<&'static Table> {
    let before = [
        table::TABLES,
        pipeline::TABLES,
        settings::TABLES,
        interactions::TABLES,
    ];
    let of_features = FEATURES.iter().map(|feature| feature.tables);
    let all = before
        .into_iter()
        .chain(of_features)
        .chain([outbox::TABLES, web::TABLES]);
    all.flatten().collect()
}

/// What `/privacy` exports and erases, with these settings.
pub fn member_data(settings: &Settings) -> MemberData {
    MemberData {
        tables: tables(),
        own_effects: effect_kinds(settings).of_members(),
    }
}

/// Every section of settings that a feature has.
pub fn sections() -> impl Iterator<Item = &'static Section> {
    COMMANDS.sections()
}

/// The kinds of timers that `/scheduled` has words for.
pub fn scheduled_kinds() -> Vec<&'static str> {
    COMMANDS.expected().map(|expected| expected.kind).collect()
}

/// The timers and jobs of all features.
pub fn timers(config: &Config, store: &Store, rest: &Rest, settings: &Settings) -> Registry {
    let process = Process {
        config,
        store,
        rest,
        settings,
        tables: &tables(),
    };
    let own = Registry::default().with_job(pruning::job(store, config.effects.keep_failed));
    FEATURES
        .iter()
        .fold(own, |registry, feature| (feature.timers)(registry, &process))
}

/// The pages of all features.
pub(super) fn pages(services: &Arc<Services>) -> Vec<Route> {
    let pages = FEATURES.iter().flat_map(|feature| feature.pages);
    pages.map(|page| page.route(services)).collect()
}

/// The paths of the pages of all features, with names such as `{guild}` for parts.
pub fn page_patterns() -> Vec<&'static str> {
    let pages = FEATURES.iter().flat_map(|feature| feature.pages);
    pages.map(|page| page.pattern()).collect()
}

/// The state that features keep in a process.
pub(super) fn state(config: &Config, settings: &Settings) -> Extensions {
    let mut state = Extensions::new();
    state.insert(member_data(settings));
    for feature in FEATURES {
        (feature.state)(&mut state, config);
    }
    state
}

#[cfg(test)]
mod tests;
