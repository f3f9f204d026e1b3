//! Levels: members earn XP by sending messages, reach levels, and receive roles as rewards.

pub mod adjust;
mod api;
pub mod boosts;
pub mod card;
/// The commands.
pub mod commands {
    pub(crate) mod card;
    pub(crate) mod leaderboard;
    pub(crate) mod levels;
    pub(crate) mod rank;
    pub(crate) mod xp;
}
/// The effects on Discord.
pub mod effects {
    pub mod announcement;
    pub mod plan;
    pub(crate) mod roles;
}
pub mod export;
pub mod import;
pub mod last_awards;
pub mod members;
pub mod writing;
/// The pages of the website.
pub(crate) mod pages {
    pub(crate) mod leaderboard;
    pub(crate) mod member;
    pub(crate) mod recent;
    pub(crate) mod settings;
    mod visibility;
    mod weeks;
}
pub mod on_message;
pub mod pending;
pub mod policy;
/// The tables.
pub mod rows {
    pub mod audit_xp;
    pub mod departed;
    pub mod given_role;
    pub mod import_job;
    pub mod leaderboard;
    pub(crate) mod mass_change;
    pub mod member_card;
    pub(crate) mod member_week;
    pub mod member_xp;
    pub(crate) mod public_board;
    pub mod rank_buckets;
}
/// Pure functions of an event and the stored state, without clock, random numbers, database or Discord, so a replayed event gives the same
/// result.
pub mod rules {
    pub mod award;
    pub mod cooldown;
    pub mod week;
}
pub(crate) mod settings;
mod weeks;

use std::sync::Arc;

use self::{
    card::Cards,
    effects::{announcement::LevelUps, roles::kind::RewardRoles},
    pages::recent::RecentPages,
    settings::LevelSettings,
};
use crate::{
    discord::guilds::authority::XpPermit,
    interactions::feature::{Expected, Feature},
    postgres::table::{Table, guild_table, member_table},
    settings::{section::Choices as _, table::multipliers::BOOST_REMOVAL},
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
    pages: &[
        &api::LeaderboardApi,
        &pages::leaderboard::Leaderboard,
        &pages::member::Member,
        &pages::member::CardImage,
        &pages::member::CardPreview,
        &pages::settings::XP,
        &pages::settings::REWARDS,
        &pages::settings::CARDS,
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
            .with_job(weeks::job(process.store, process.settings))
    },
    state: |state, config| {
        state.insert(Cards::new(&config.discord.cdn_url));
        state.insert(Arc::<RecentPages>::default());
    },
    expected: &[Expected::fixed(BOOST_REMOVAL)],
    undos: &commands::levels::UNDOS,
    follow_up: |services, guild_id, names| {
        Box::pin(async move {
            if names.iter().any(|name| name == "xp.curve") {
                let permit = XpPermit::recorded();
                commands::levels::rules::curve_changed(services, guild_id, permit).await?;
            }
            Ok(())
        })
    },
    settings: &[&LevelSettings::SECTION],
    tables: &[
        guild_table!("guild_week"),
        member_table!("member_xp").exported_by(rows::member_xp::EXPORT),
        member_table!("audit_xp"),
        member_table!("member_week"),
        member_table!("member_card"),
        member_table!("given_role"),
        guild_table!("level_role"),
        guild_table!("xp_multiplier"),
        guild_table!("xp_boost"),
        // Deleting members changes the counts, so these come after them.
        guild_table!("bucket_count"),
        guild_table!("ranked_guild"),
        guild_table!("mass_change"),
        // The operator's own record of a file.
        Table::plain("import_job"),
    ],
    ..Feature::NOTHING
};
