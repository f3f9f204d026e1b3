//! What the bot does for servers: one folder for each feature. Features do not import each other.
//! What they add is derived from their manifests (`app/features.rs`).

pub(crate) mod api;
pub mod basics;
pub(crate) mod channels;
pub mod levels;
pub mod moderation;
pub mod privacy;
pub(crate) mod purge;
pub(crate) mod roles;
pub mod scheduled;
pub mod server_settings;
pub mod statistics;
pub(crate) mod undo;
pub mod welcome;

use crate::{
    flush::reaction::AnyReaction,
    interactions::feature::Feature,
    outbox::kind::{AnyEffectKind, EffectKinds},
    settings::{Settings, notice::Notices},
};

/// All features. The tables of later ones are emptied later; records of erasures are kept until the end.
pub(crate) static FEATURES: &[&Feature] = &[
    &basics::FEATURE,
    &levels::FEATURE,
    &welcome::FEATURE,
    &moderation::FEATURE,
    &channels::FEATURE,
    &roles::FEATURE,
    &purge::FEATURE,
    &statistics::FEATURE,
    &api::FEATURE,
    &scheduled::FEATURE,
    &undo::FEATURE,
    &server_settings::FEATURE,
    &privacy::FEATURE,
];

/// The reactions of all features to events.
pub(crate) fn reactions() -> impl Iterator<Item = &'static dyn AnyReaction> {
    FEATURES.iter().flat_map(|feature| feature.events.iter().copied())
}

/// All kinds of effects in a process with these settings.
pub fn effect_kinds(settings: &Settings) -> EffectKinds {
    let own: Vec<Box<dyn AnyEffectKind>> = vec![Box::new(Notices(settings.clone()))];
    let of_features = FEATURES.iter().flat_map(|feature| (feature.effects)(settings));
    EffectKinds::new(own.into_iter().chain(of_features).collect())
}
