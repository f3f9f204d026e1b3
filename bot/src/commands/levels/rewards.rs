//! The roles that levels give.

use std::time::Duration;

use serde_json::json;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, RoleMarker},
};

use super::{change, rules::given};
use crate::{
    grants,
    guilds::Assignable,
    interactions::{Around, Progress, Question, Refusal, reply::Reply},
    language::{Language, Value},
    rest::Priority,
    rules::curve::MAX_LEVEL,
    settings::{
        GuildSettings, RewardMode,
        change::{Change, RewardError, add_reward, remove_reward},
    },
    store::outbox,
};

/// The words of the option `keep`.
pub(super) const MODES: [&str; 2] = ["stack", "replace"];

/// How often the progress of a sync is shown.
const SHOWN_EVERY: Duration = Duration::from_secs(5);
/// Discord takes changes of an answer for 15 minutes.
const SHOWN_FOR: Duration = Duration::from_mins(14);

pub(super) async fn add(question: &Question, around: &Around) -> Result<Reply, Refusal> {
    let level = given(question.asked.integer("level")?, "level")?;
    let level = u32::try_from(level)
        .ok()
        .filter(|level| (1..=MAX_LEVEL).contains(level));
    let level = given(level, "level")?;
    let role_id = given(question.asked.role("role")?, "role")?;
    let guild_id = question.guild()?;
    let language = question.language();
    let details = json!({"level": level, "role": role_id});
    let entry = question.entry("levels_reward_add", &details)?;
    match add_reward(&around.store, guild_id, (level, role_id), Some(entry)).await {
        Ok(()) => around.settings.forget(guild_id),
        Err(RewardError::TooMany) => return Err(question.refuse("levels-reward-too-many")),
        Err(RewardError::Store(error)) => return Err(error.into()),
    }
    let values = [
        ("role", Value::from(format!("<@&{role_id}>"))),
        ("level", language.number(level.into()).into()),
    ];
    let mut text = language.filled("levels-reward-added", &values);
    // It is kept all the same: what is in the way can be put right later.
    if let Some(fault) = in_the_way(around, guild_id, role_id).await {
        text = format!("{text}\n⚠️ {}", language.text(fault));
    }
    Ok(Reply::private(text))
}

/// What keeps the bot from giving a role, if that is known.
async fn in_the_way(
    around: &Around,
    guild_id: Id<GuildMarker>,
    role_id: Id<RoleMarker>,
) -> Option<&'static str> {
    let assignable = around
        .guilds
        .assignable(guild_id, role_id, Priority::Interaction)
        .await;
    match assignable.ok()? {
        Assignable::Yes => None,
        Assignable::NoPermission => Some("levels-reward-no-permission"),
        Assignable::RoleAboveBot { .. } => Some("levels-reward-above"),
        Assignable::Managed | Assignable::Everyone | Assignable::UnknownRole => {
            Some("levels-reward-not-given")
        }
    }
}

pub(super) async fn remove(question: &Question, around: &Around) -> Result<Reply, Refusal> {
    let role_id = given(question.asked.role("role")?, "role")?;
    let guild_id = question.guild()?;
    let entry = question.entry("levels_reward_remove", &json!({"role": role_id}))?;
    let was_one = remove_reward(&around.store, guild_id, role_id, Some(entry)).await?;
    around.settings.forget(guild_id);
    let key = if was_one {
        "levels-reward-removed"
    } else {
        "levels-reward-none"
    };
    let values = [("role", Value::from(format!("<@&{role_id}>")))];
    Ok(Reply::private(question.language().filled(key, &values)))
}

pub(super) async fn list(question: &Question, around: &Around) -> Result<Reply, Refusal> {
    let settings = around.settings.of(&around.store, question.guild()?).await?;
    Ok(Reply::private_list(in_words(&settings, question.language())))
}

/// The rewards, one a line.
pub(super) fn in_words(settings: &GuildSettings, language: Language) -> String {
    // What fits into a message, with what stands around it.
    const SHOWN: usize = 40;
    let roles = settings.rewards.roles();
    if roles.is_empty() {
        return language.text("levels-reward-empty");
    }
    let mut lines: Vec<String> = roles
        .iter()
        .take(SHOWN)
        .map(|(level, role_id)| {
            let values = [
                ("level", Value::from(language.number((*level).into()))),
                ("role", format!("<@&{role_id}>").into()),
            ];
            language.filled("levels-reward-line", &values)
        })
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

pub(super) async fn mode(question: &Question, around: &Around) -> Result<Reply, Refusal> {
    let mode = match given(question.asked.text("keep")?, "keep")? {
        "stack" => RewardMode::Stack,
        "replace" => RewardMode::Replace,
        _ => return given(None, "keep"),
    };
    let details = json!({"mode": mode.word()});
    change(
        question,
        around,
        "levels_reward_mode",
        &details,
        vec![Change::Rewards(mode)],
    )
    .await?;
    let key = match mode {
        RewardMode::Stack => "levels-reward-stack",
        RewardMode::Replace => "levels-reward-replace",
    };
    Ok(Reply::private(question.language().text(key)))
}

/// Make the roles of every member right, in the background.
pub(super) async fn sync(question: &Question, around: &Around) -> Result<Reply, Refusal> {
    let guild_id = question.guild()?;
    let language = question.language();
    let settings = around.settings.of(&around.store, guild_id).await?;
    if settings.rewards.roles().is_empty() {
        return Err(question.refuse("levels-reward-empty"));
    }
    question.afterwards(move |progress| async move {
        match synced(&progress, guild_id, &settings, language).await {
            Ok(text) => Reply::private(text),
            Err(error) => {
                tracing::warn!(%error, command = "levels", "a command could not use the database");
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
    language: Language,
) -> Result<String, crate::store::StoreError> {
    let store = &progress.around().store;
    let all = grants::sync_rewards(store, guild_id, settings).await?;
    let until = tokio::time::Instant::now() + SHOWN_FOR;
    loop {
        let left = outbox::roles_left(store, guild_id).await?.min(all);
        let values = [
            ("done", Value::from(language.number(all - left))),
            ("members", Value::Count(all)),
            ("count", language.number(all).into()),
        ];
        if left == 0 {
            return Ok(language.filled("levels-sync-done", &values));
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
