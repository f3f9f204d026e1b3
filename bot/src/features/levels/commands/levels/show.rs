//! An overview of a guild's level settings.

use super::{rewards, rules};
use crate::{
    config::Announce,
    interactions::{CommandContext, CommandError, Services, current_settings, reply::Reply},
    settings::{GuildSettings, table, values::earning::Target},
    support::{i18n::Value, ids, text::limits},
};

/// The maximum number of multipliers shown.
const SHOWN: usize = 25;
/// The maximum length of the reason why something was turned off, in characters.
const REASON: usize = 200;

pub(super) async fn run(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let language = context.language();
    let settings = current_settings::settings(context, services).await?;
    let earning = &settings.earning;
    let seconds = (earning.cooldown / 1_000).unsigned_abs();
    let mut parts = vec![language.filled(
        "levels-show",
        &[
            (
                "range",
                rules::range(earning.xp_min, earning.xp_max, language).into(),
            ),
            ("seconds", Value::Count(seconds)),
            ("count", language.number(seconds).into()),
        ],
    )];
    parts.push(language.filled("levels-show-curve", &rules::totals(settings.curve, language)));
    let roles = earning
        .roles()
        .iter()
        .map(|(role, percent)| (Target::Role(*role), *percent));
    let channels = earning.channels().iter();
    let channels = channels.map(|(channel, percent)| (Target::Channel(*channel), *percent));
    let mut multipliers: Vec<String> = roles
        .chain(channels)
        .map(|(target, percent)| {
            format!(
                "{} {}",
                rules::shown(target, language),
                rules::times(percent, language)
            )
        })
        .collect();
    if !multipliers.is_empty() {
        let more = multipliers.len().saturating_sub(SHOWN);
        if more > 0 {
            multipliers.drain(SHOWN..);
            multipliers.push(format!("+{}", language.number(more as u64)));
        }
        let counted = language.text(&format!("levels-option-mode-{}", earning.role_mode.word()));
        let values = [
            ("list", Value::from(multipliers.join(" · "))),
            ("mode", counted.into()),
        ];
        parts.push(language.filled("levels-show-multipliers", &values));
    }
    let now = ids::millis(context.payload.id);
    for boost in earning.boosts().iter().filter(|boost| boost.until > now) {
        parts.push(rules::boosted(boost, language));
    }
    parts.extend(given(context, services, &settings).await?);
    Ok(Reply::private_list(parts.join("\n")))
}

/// The effects of levels: announcements and roles.
async fn given(
    context: &CommandContext,
    services: &Services,
    settings: &GuildSettings,
) -> Result<Vec<String>, CommandError> {
    let (guild_id, language) = (context.guild()?, context.language());
    let announced = match settings.announce {
        Announce::Off => language.text("levels-announce-off"),
        Announce::SameChannel => language.filled("levels-announce-same", &[("channel", "".into())]),
        Announce::Direct => language.filled("levels-announce-direct", &[("channel", "".into())]),
        Announce::Channel(id) => language.filled(
            "levels-announce-channel",
            &[("channel", format!("<#{id}>").into())],
        ),
    };
    let mut parts = vec![announced];
    let stored = table::read(&services.store, &[guild_id]).await?;
    let stored = stored.first();
    let off = |reason: Option<&str>| {
        let reason = Value::from(limits::excerpt(reason?, REASON));
        Some(language.filled("levels-show-off", &[("reason", reason)]))
    };
    parts.extend(off(
        stored.and_then(|stored| stored.announce_off_reason.as_deref())
    ));
    if settings.announce != Announce::Off {
        parts.push(language.text(if settings.ping {
            "levels-show-ping"
        } else {
            "levels-show-no-ping"
        }));
    }
    parts.push(language.text(&format!("levels-show-departed-{}", settings.departed.word())));
    parts.push(rewards::in_words(settings, language));
    if !settings.rewards.roles().is_empty() {
        parts.extend(off(stored.and_then(|stored| stored.rewards_off_reason.as_deref())));
        let troubles = rewards::troubles(services, guild_id, settings, language).await?;
        parts.extend(
            troubles
                .lines()
                .filter(|line| !line.is_empty())
                .map(str::to_owned),
        );
        parts.push(language.text(&format!("levels-demotion-{}", settings.rewards.demotion.word())));
        parts.push(language.text(if settings.rewards.on_join {
            "levels-rejoin-on"
        } else {
            "levels-rejoin-off"
        }));
    }
    if settings.announce != Announce::Off {
        // In a code block, so that it is shown exactly as written.
        let template = settings.template.as_str().replace("```", "'''");
        parts.push(format!(
            "{}\n```\n{template}\n```",
            language.text("levels-show-text")
        ));
    }
    Ok(parts)
}
