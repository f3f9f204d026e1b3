//! What levels consist of.

use super::{
    adjust, boosts,
    card::Cards,
    commands,
    effects::{announcement::LevelUps, roles::kind::RewardRoles},
};
use crate::{
    interactions::feature::{Expected, Feature},
    postgres::guild_table::guild_tables,
    settings::table::multipliers::BOOST_REMOVAL,
};

/// The manifest.
pub(crate) const FEATURE: Feature = Feature {
    commands: &[
        &commands::card::Card,
        &commands::leaderboard::Leaderboard,
        &commands::levels::Levels,
        &commands::rank::Rank,
        &commands::xp::Xp,
    ],
    effects: |settings| {
        vec![
            Box::new(LevelUps(settings.clone())),
            Box::new(RewardRoles(settings.clone())),
        ]
    },
    timers: |registry, process| {
        registry
            .with(boosts::Removal)
            .with_job(adjust::mass::job(process.store, process.settings))
    },
    state: |state, config| {
        state.insert(Cards::new(&config.discord.cdn_url));
    },
    // Deleting members changes the counts, so these come after them.
    expected: &[Expected::fixed(BOOST_REMOVAL)],
    settings: &[],
    tables: guild_tables![
        "member_xp",
        "member_card",
        "given_role",
        "audit_xp",
        "level_role",
        "xp_multiplier",
        "xp_boost",
        "bucket_count",
        "ranked_guild",
        "mass_change",
    ],
};
