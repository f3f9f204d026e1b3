//! Reward roles.

use std::time::Duration;

use serde_json::json;
use twilight_model::{
    application::command::CommandOptionType,
    id::{
        Id,
        marker::{GuildMarker, RoleMarker},
    },
};

use super::{change, rules::given};
use crate::{
    discord::{
        guilds::authority::{Denial, XpPermit},
        rest::Priority,
    },
    features::levels::adjust,
    interactions::{
        CommandContext, CommandError, Progress, Services, current_settings,
        define::Opt,
        reply::Reply,
        settings_changes::{reward_permit, unassignable},
    },
    outbox::queue,
    settings::{
        Demotion, GuildSettings, RewardMode,
        change::{Change, RewardError, add_reward, remove_reward},
        table,
        values::curve::MAX_LEVEL,
    },
    support::i18n::{Language, Value},
};

/// The values of the option `keep`.
const MODES: [&str; 2] = ["stack", "replace"];

/// Rewards per list: as many as fit into a message with the surrounding text.
const SHOWN: usize = 40;
/// The interval at which the progress of a sync is updated.
const SHOWN_EVERY: Duration = Duration::from_secs(5);
/// Discord accepts edits of a response for 15 minutes.
const SHOWN_FOR: Duration = Duration::from_mins(14);

/// The subcommands about rewards.
pub(super) fn definition() -> Opt {
    use CommandOptionType::{Boolean, Integer, Role, String};
    let opt = |kind, name| Opt::new(kind, "levels-option", name);
    let role = || opt(Role, "role");
    Opt::group(
        "levels",
        "reward",
        [
            Opt::sub(
                "levels-reward",
                "add",
                [
                    opt(Integer, "level").between(1, MAX_LEVEL.into()).required(),
                    role().required(),
                ],
            ),
            Opt::sub("levels-reward", "remove", [role().required()]),
            Opt::sub("levels-reward", "list", []),
            Opt::sub(
                "levels-reward",
                "mode",
                [opt(String, "keep").one_of("levels-option", MODES).required()],
            ),
            Opt::sub(
                "levels-reward",
                "demotion",
                [opt(String, "remove")
                    .one_of("levels-option", Demotion::ALL.map(Demotion::word))
                    .required()],
            ),
            Opt::sub("levels-reward", "rejoin", [opt(Boolean, "give").required()]),
            Opt::sub(
                "levels-reward",
                "sync",
                [opt(Boolean, "dry-run"), opt(Boolean, "take")],
            ),
        ],
    )
}

pub(super) async fn add(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let level = given(context.payload.integer("level")?, "level")?;
    let level = u32::try_from(level)
        .ok()
        .filter(|level| (1..=MAX_LEVEL).contains(level));
    let level = given(level, "level")?;
    let role_id = given(context.payload.role("role")?, "role")?;
    let language = context.language();
    let permit = reward_permit(context, services, role_id).await?;
    let details = json!({"level": level, "role": role_id});
    let request = context.request("levels_reward_add", &details)?;
    match add_reward(&services.store, request, level, permit).await {
        Ok(()) => {}
        Err(RewardError::TooMany(_)) => return Err(context.refuse("levels-reward-too-many")),
        Err(RewardError::Store(error)) => return Err(error.into()),
    }
    let values = [
        ("role", Value::from(format!("<@&{role_id}>"))),
        ("level", language.number(level.into()).into()),
    ];
    Ok(Reply::private(language.filled("levels-reward-added", &values)))
}

pub(super) async fn remove(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let role_id = given(context.payload.role("role")?, "role")?;
    let request = context.request("levels_reward_remove", &json!({"role": role_id}))?;
    let was_one = remove_reward(&services.store, request, role_id).await?;
    let key = if was_one {
        "levels-reward-removed"
    } else {
        "levels-reward-none"
    };
    let values = [("role", Value::from(format!("<@&{role_id}>")))];
    Ok(Reply::private(context.language().filled(key, &values)))
}

pub(super) async fn list(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let guild_id = context.guild()?;
    let settings = current_settings::settings(context, services).await?;
    let language = context.language();
    let text = in_words(&settings, language);
    let troubles = troubles(services, guild_id, &settings, language).await?;
    Ok(Reply::private_list(format!("{text}{troubles}")))
}

/// One line for each reward that the bot cannot give at the moment.
pub(super) async fn troubles(
    services: &Services,
    guild_id: Id<GuildMarker>,
    settings: &GuildSettings,
    language: Language,
) -> Result<String, CommandError> {
    let mut lines = String::new();
    for (_, role_id) in settings.rewards.roles().iter().take(SHOWN) {
        if let Some(trouble) = trouble(services, guild_id, *role_id, language).await? {
            let values = [
                ("role", Value::from(format!("<@&{role_id}>"))),
                ("why", trouble.into()),
            ];
            lines.push('\n');
            lines.push_str(&language.filled("levels-reward-trouble", &values));
        }
    }
    Ok(lines)
}

/// Why the bot cannot give a reward at the moment.
pub(in crate::features::levels) async fn trouble(
    services: &Services,
    guild_id: Id<GuildMarker>,
    role_id: Id<RoleMarker>,
    language: Language,
) -> Result<Option<String>, CommandError> {
    let guilds = &services.guilds;
    let assignable = guilds
        .assignable(guild_id, role_id, Priority::Interaction)
        .await?;
    if let Some(key) = unassignable(assignable) {
        return Ok(Some(language.text(key)));
    }
    let Some(danger) = guilds
        .dangers_of(guild_id, role_id, Priority::Interaction)
        .await?
    else {
        return Ok(None);
    };
    let configured_by = table::configured_by(&services.store, guild_id, role_id).await?;
    let owner = guilds.owner(guild_id, Priority::Interaction).await?;
    let is_the_owners = configured_by.is_some() && configured_by == owner;
    Ok((!is_the_owners).then(|| Denial::OwnerOnly(role_id, danger).in_words(language)))
}

/// A reward.
pub(in crate::features::levels) fn line(level: u32, role_id: Id<RoleMarker>, language: Language) -> String {
    let values = [
        ("level", Value::from(language.number(level.into()))),
        ("role", format!("<@&{role_id}>").into()),
    ];
    language.filled("levels-reward-line", &values)
}

/// The rewards, one per line.
pub(super) fn in_words(settings: &GuildSettings, language: Language) -> String {
    let roles = settings.rewards.roles();
    if roles.is_empty() {
        return language.text("levels-reward-empty");
    }
    let mut lines: Vec<String> = roles
        .iter()
        .take(SHOWN)
        .map(|(level, role_id)| line(*level, *role_id, language))
        .collect();
    if roles.len() > SHOWN {
        let more = (roles.len() - SHOWN) as u64;
        lines.push(language.filled("levels-reward-more", &[("more", language.number(more).into())]));
    }
    lines.push(language.text(match settings.rewards.mode {
        RewardMode::Stack => "levels-reward-stack",
        RewardMode::Replace => "levels-reward-replace",
    }));
    if settings.rewards.switched_off {
        lines.push(language.text("levels-reward-off"));
    }
    lines.join("\n")
}

pub(super) async fn mode(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let mode = match given(context.payload.text("keep")?, "keep")? {
        "stack" => RewardMode::Stack,
        "replace" => RewardMode::Replace,
        _ => return given(None, "keep"),
    };
    let details = json!({"mode": mode.word()});
    change(
        context,
        services,
        "levels_reward_mode",
        &details,
        vec![Change::Rewards(context.xp_permit(services).await?, mode)],
    )
    .await?;
    let key = match mode {
        RewardMode::Stack => "levels-reward-stack",
        RewardMode::Replace => "levels-reward-replace",
    };
    Ok(Reply::private(context.language().text(key)))
}

/// When members lose the roles of levels that they no longer hold.
pub(super) async fn demotion(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let word = given(context.payload.text("remove")?, "remove")?;
    let demotion = given(Demotion::of_word(word), "remove")?;
    let changes = vec![Change::Demotion(context.xp_permit(services).await?, demotion)];
    let details = json!({"demotion": demotion.word()});
    change(context, services, "levels_reward_demotion", &details, changes).await?;
    let key = format!("levels-demotion-{}", demotion.word());
    Ok(Reply::private(context.language().text(&key)))
}

/// Whether rejoining members get the roles of their level back.
pub(super) async fn rejoin(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let gives = given(context.payload.boolean("give")?, "give")?;
    let changes = vec![Change::RolesOnJoin(context.xp_permit(services).await?, gives)];
    change(
        context,
        services,
        "levels_reward_rejoin",
        &json!({"give": gives}),
        changes,
    )
    .await?;
    let key = if gives {
        "levels-rejoin-on"
    } else {
        "levels-rejoin-off"
    };
    Ok(Reply::private(context.language().text(key)))
}

/// Update the roles of every member, in the background.
pub(super) async fn sync(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let guild_id = context.guild()?;
    let language = context.language();
    let settings = services.settings.of(&services.store, guild_id).await?;
    if settings.rewards.roles().is_empty() {
        return Err(context.refuse("levels-reward-empty"));
    }
    if context.payload.boolean("dry-run")?.unwrap_or(false) {
        let members = adjust::count_to_sync(&services.store, guild_id, &settings).await?;
        let values = [
            ("members", Value::Count(members)),
            ("count", language.number(members).into()),
        ];
        let text = language.filled("levels-sync-dry", &values);
        let troubles = troubles(services, guild_id, &settings, language).await?;
        return Ok(Reply::private(format!("{text}{troubles}")));
    }
    let takes = context.payload.boolean("take")?.unwrap_or(false);
    let permit = context.xp_permit(services).await?;
    context.defer(move |progress| async move {
        match synced(&progress, guild_id, &settings, (takes, permit), language).await {
            Ok(text) => Reply::private(text),
            Err(CommandError::Rest(error)) => {
                tracing::warn!(%error, command = "levels", "a command could not use Discord's API");
                Reply::private(error.in_words(language))
            }
            Err(error) => {
                tracing::warn!(?error, command = "levels", "a command could not use the database");
                Reply::private(language.text("error-away"))
            }
        }
    });
    Ok(Reply::private(language.text("levels-sync-started")))
}

async fn synced(
    progress: &Progress,
    guild_id: Id<GuildMarker>,
    settings: &GuildSettings,
    (takes, permit): (bool, XpPermit),
    language: Language,
) -> Result<String, CommandError> {
    let services = progress.services();
    let store = &services.store;
    let all = adjust::sync_rewards(store, guild_id, settings, takes, permit).await?;
    let until = tokio::time::Instant::now() + SHOWN_FOR;
    loop {
        let left = queue::roles_left(store, guild_id).await?;
        let open = (left.in_line + left.set_aside).min(all);
        let values = [
            ("done", Value::from(language.number(all - open))),
            ("members", Value::Count(all)),
            ("count", language.number(all).into()),
        ];
        if left.in_line == 0 {
            let right = [
                ("members", Value::Count(all - open)),
                ("count", language.number(all - open).into()),
            ];
            let mut text = language.filled("levels-sync-done", &right);
            if open > 0 {
                // An administrator must fix something before the other members get their roles.
                let values = [
                    ("members", Value::Count(open)),
                    ("count", language.number(open).into()),
                ];
                text.push('\n');
                text.push_str(&language.filled("levels-sync-waiting", &values));
                text.push_str(&troubles(services, guild_id, settings, language).await?);
            }
            return Ok(text);
        }
        if tokio::time::Instant::now() >= until {
            return Ok(language.filled("levels-sync-goes-on", &values));
        }
        progress
            .say(&Reply::private(language.filled("levels-sync-progress", &values)))
            .await;
        tokio::time::sleep(SHOWN_EVERY).await;
    }
}
