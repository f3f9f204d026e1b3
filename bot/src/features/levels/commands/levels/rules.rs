//! XP rules: what messages earn, and how much XP levels need.

use serde_json::json;
use twilight_model::{
    channel::ChannelType,
    id::{Id, marker::GuildMarker},
};

use super::change;
use crate::{
    discord::guilds::authority::XpPermit,
    features::levels::adjust,
    interactions::{CommandContext, CommandError, Services, payload::BadOption, reply::Reply},
    postgres::StoreError,
    settings::{
        LeavePolicy,
        change::{Change, change_if, few},
        values::{
            curve::Curve,
            earning::{Boost, LONGEST_COOLDOWN, MAX_PERCENT, MOST_XP, Percent, RoleMode, Target},
        },
    },
    support::{
        i18n::{Language, Value},
        ids::{self, Millis},
    },
};

/// Four weeks, in hours.
pub(super) const LONGEST_BOOST: i64 = 672;
/// The maximum number of boosts at the same time.
pub(in crate::features::levels) const MOST_BOOSTS: usize = 10;

/// The values of the option `kind`.
pub(super) const CURVES: [&str; 4] = ["mee6", "linear", "arcane", "cubic"];

/// A number without trailing zeros, such as 1.5.
fn decimal(percent: Percent, language: Language) -> String {
    let written = format!("{}.{:02}", percent / 100, percent % 100);
    let written = written.trim_end_matches('0').trim_end_matches('.');
    match language {
        Language::English => written.to_owned(),
        Language::German => written.replace('.', ","),
    }
}

/// The value of a required option.
pub(super) fn given<T>(option: Option<T>, name: &'static str) -> Result<T, CommandError> {
    option.ok_or(CommandError::Option(BadOption(name)))
}

pub(super) async fn xp(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let number = |name| -> Result<u32, CommandError> {
        let number = u32::try_from(given(context.payload.integer(name)?, name)?).ok();
        given(number.filter(|xp| *xp <= MOST_XP), name)
    };
    let (least, most) = (number("least")?, number("most")?);
    if least > most {
        return Err(context.refuse("levels-xp-order"));
    }
    let details = json!({"least": least, "most": most});
    change(
        context,
        services,
        "levels_xp",
        &details,
        vec![Change::Xp(
            context.xp_permit(services).await?,
            Some((least, most)),
        )],
    )
    .await?;
    let language = context.language();
    let values = [("range", range(least, most, language).into())];
    Ok(Reply::private(language.filled("levels-xp-done", &values)))
}

/// The range of XP that a message earns, as text.
pub(super) fn range(least: u32, most: u32, language: Language) -> String {
    let values = [
        ("least", Value::from(language.number(least.into()))),
        ("most", Value::from(language.number(most.into()))),
    ];
    if least == most {
        language.filled("levels-xp-one", &values[1..])
    } else {
        language.filled("levels-xp-range", &values)
    }
}

pub(super) async fn cooldown(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let seconds = given(context.payload.integer("seconds")?, "seconds")?;
    let seconds = u32::try_from(seconds).ok();
    let seconds = given(seconds.filter(|seconds| *seconds <= LONGEST_COOLDOWN), "seconds")?;
    let details = json!({"seconds": seconds});
    let changes = vec![Change::Cooldown(
        context.xp_permit(services).await?,
        Some(seconds),
    )];
    change(context, services, "levels_cooldown", &details, changes).await?;
    let language = context.language();
    let values = [
        ("seconds", Value::Count(seconds.into())),
        ("count", language.number(seconds.into()).into()),
    ];
    Ok(Reply::private(language.filled("levels-cooldown-done", &values)))
}

/// The role or channel that was chosen; at most one is allowed.
fn target(context: &CommandContext) -> Result<Option<Target>, CommandError> {
    let role_id = context.payload.role("role")?;
    let channel = context.payload.channel("channel")?;
    match (role_id, channel) {
        (Some(_), Some(_)) => Err(context.refuse("levels-one-of-both")),
        (Some(role_id), None) => Ok(Some(Target::Role(role_id))),
        (None, Some(channel)) => Ok(Some(Target::Channel(channel.id))),
        (None, None) => Ok(None),
    }
}

fn factor(context: &CommandContext) -> Result<Percent, CommandError> {
    let factor = given(context.payload.number("factor")?, "factor")?;
    if !(0.0..=f64::from(MAX_PERCENT) / 100.0).contains(&factor) {
        return Err(CommandError::Option(BadOption("factor")));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to 1,000"
    )]
    Ok((factor * 100.0).round() as Percent)
}

/// A role, a channel or the guild, as Discord shows it.
pub(in crate::features::levels) fn shown(target: Target, language: Language) -> String {
    match target {
        Target::Role(role_id) => format!("<@&{role_id}>"),
        Target::Channel(channel_id) => format!("<#{channel_id}>"),
        Target::Server => language.text("levels-server"),
    }
}

/// A factor, such as ×1.5.
pub(in crate::features::levels) fn times(percent: Percent, language: Language) -> String {
    format!("×{}", decimal(percent, language))
}

pub(super) async fn multiplier(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let percent = factor(context)?;
    let target = target(context)?.ok_or_else(|| context.refuse("levels-one-of-both"))?;
    let language = context.language();
    let details = json!({"target": format!("{target:?}"), "percent": percent});
    let changes = vec![Change::Multiplier(
        context.xp_permit(services).await?,
        target,
        percent,
    )];
    let request = context.request("levels_multiplier", &details)?;
    // Counted in the transaction, so that a replay and a change of one that is there are not refused.
    let done = change_if(&services.store, request, changes, few).await?;
    done.map_err(|_too_many| context.refuse("levels-multiplier-too-many"))?;
    let key = match percent {
        0 => "levels-multiplier-none",
        100 => "levels-multiplier-gone",
        _ => "levels-multiplier-done",
    };
    let values = [
        ("target", Value::from(shown(target, language))),
        ("factor", times(percent, language).into()),
    ];
    Ok(Reply::private(language.filled(key, &values)))
}

pub(super) async fn role_mode(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let word = given(context.payload.text("mode")?, "mode")?;
    let mode = given(RoleMode::of_word(word), "mode")?;
    let details = json!({"mode": mode.word()});
    change(
        context,
        services,
        "levels_role_mode",
        &details,
        vec![Change::RoleMode(context.xp_permit(services).await?, mode)],
    )
    .await?;
    let language = context.language();
    let values = [(
        "mode",
        language
            .text(&format!("levels-option-mode-{}", mode.word()))
            .into(),
    )];
    Ok(Reply::private(language.filled("levels-role-mode-done", &values)))
}

pub(super) async fn boost(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let percent = factor(context)?;
    let hours = given(context.payload.integer("hours")?, "hours")?;
    let hours = given((1..=LONGEST_BOOST).contains(&hours).then_some(hours), "hours")?;
    let target = target(context)?.unwrap_or(Target::Server);
    let from: Millis = ids::millis(context.payload.id);
    let until = from + hours * 3_600_000;
    let settings = services.settings.of(&services.store, context.guild()?).await?;
    let running = settings
        .earning
        .boosts()
        .iter()
        .filter(|boost| boost.until > from);
    if running.count() >= MOST_BOOSTS {
        return Err(context.refuse("levels-boost-too-many"));
    }
    let details = json!({"target": format!("{target:?}"), "percent": percent, "hours": hours});
    let boost = Boost {
        target,
        percent,
        from,
        until,
    };
    let text = boosted(&boost, context.language());
    let (id, permit) = (context.payload.id, context.xp_permit(services).await?);
    change(
        context,
        services,
        "levels_boost",
        &details,
        vec![Change::Boost { permit, id, boost }],
    )
    .await?;
    Ok(Reply::private(text))
}

/// A boost with its end.
pub(in crate::features::levels) fn boosted(boost: &Boost, language: Language) -> String {
    let values = [
        ("target", Value::from(shown(boost.target, language))),
        ("factor", times(boost.percent, language).into()),
        ("until", format!("<t:{}:f>", boost.until / 1_000).into()),
    ];
    language.filled("levels-boost-done", &values)
}

pub(super) async fn boost_end(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let at = ids::millis(context.payload.id);
    let permit = context.xp_permit(services).await?;
    let changes = vec![Change::EndBoosts { permit, at }];
    change(context, services, "levels_boost_end", &json!({}), changes).await?;
    Ok(Reply::private(context.language().text("levels-boost-end-done")))
}

pub(super) async fn curve(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let hundredths = |name| -> Result<u32, CommandError> {
        let number = context.payload.number(name)?.unwrap_or(0.0);
        let number = given((0.0..=10_000.0).contains(&number).then_some(number), name)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to 1,000,000"
        )]
        Ok((number * 100.0).round() as u32)
    };
    let chosen = match given(context.payload.text("kind")?, "kind")? {
        "mee6" => Some(Curve::Mee6),
        "arcane" => Some(Curve::ARCANE),
        "linear" => Curve::cubic([0, 0, hundredths("step")?]),
        "cubic" => Curve::cubic([
            hundredths("cubic")?,
            hundredths("square")?,
            hundredths("straight")?,
        ]),
        _ => return Err(CommandError::Option(BadOption("kind"))),
    };
    let chosen = chosen.ok_or_else(|| context.refuse("levels-curve-flat"))?;
    let permit = context.xp_permit(services).await?;
    let details = json!({"curve": format!("{chosen:?}")});
    change(
        context,
        services,
        "levels_curve",
        &details,
        vec![Change::Curve(permit, chosen)],
    )
    .await?;
    curve_changed(services, context.guild()?, permit).await?;
    let language = context.language();
    Ok(Reply::private(
        language.filled("levels-curve-done", &totals(chosen, language)),
    ))
}

/// Update the reward roles of members whose level a new curve changes.
pub(in crate::features::levels) async fn curve_changed(
    services: &Services,
    guild_id: Id<GuildMarker>,
    permit: XpPermit,
) -> Result<(), StoreError> {
    let settings = services.settings.of(&services.store, guild_id).await?;
    if !settings.rewards.switched_off {
        let demotes = settings.rewards.demotion.holds(false);
        adjust::sync_rewards(&services.store, guild_id, &settings, demotes, permit).await?;
    }
    Ok(())
}

pub(super) async fn departed(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let word = given(context.payload.text("fate")?, "fate")?;
    let departed = given(LeavePolicy::of_word(word), "fate")?;
    let details = json!({"departed": departed.word()});
    let changes = vec![Change::LeavePolicy(departed)];
    change(context, services, "levels_departed", &details, changes).await?;
    let key = format!("levels-departed-{}", departed.word());
    Ok(Reply::private(context.language().text(&key)))
}

/// The XP that some levels need on a curve.
pub(in crate::features::levels) fn totals(curve: Curve, language: Language) -> [(&'static str, Value); 4] {
    let at = |level| Value::from(language.number(curve.xp_at(level)));
    [
        ("one", at(1)),
        ("ten", at(10)),
        ("fifty", at(50)),
        ("hundred", at(100)),
    ]
}

/// Whether messages can be sent in channels of this type.
pub(super) fn takes_messages(kind: ChannelType) -> bool {
    super::TEXT_CHANNELS.contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::{Language, decimal};

    #[test]
    fn factors_are_short() {
        for (percent, english) in [(150, "1.5"), (100, "1"), (0, "0"), (25, "0.25"), (1_000, "10")] {
            assert_eq!(decimal(percent, Language::English), english);
        }
        assert_eq!(decimal(150, Language::German), "1,5");
    }
}
