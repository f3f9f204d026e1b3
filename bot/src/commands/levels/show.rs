//! Everything about levels in a server, at a glance.

use super::{rewards, rules};
use crate::{
    interactions::{Around, Question, Refusal, reply::Reply},
    language::Value,
    rules::earning::Target,
    settings::Announce,
    snowflake,
};

/// Multipliers that are shown.
const SHOWN: usize = 25;

pub(super) async fn run(question: &Question, around: &Around) -> Result<Reply, Refusal> {
    let language = question.language();
    let settings = around.settings.of(&around.store, question.guild()?).await?;
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
    let now = snowflake::millis(question.asked.id);
    for boost in earning.boosts().iter().filter(|boost| boost.until > now) {
        let values = [
            ("target", Value::from(rules::shown(boost.target, language))),
            ("factor", rules::times(boost.percent, language).into()),
            ("until", format!("<t:{}:f>", boost.until / 1_000).into()),
        ];
        parts.push(language.filled("levels-boost-done", &values));
    }
    let announced = match settings.announce {
        Announce::Off => language.text("levels-announce-off"),
        Announce::SameChannel => language.filled("levels-announce-same", &[("channel", "".into())]),
        Announce::Direct => language.filled("levels-announce-direct", &[("channel", "".into())]),
        Announce::Channel(id) => language.filled(
            "levels-announce-channel",
            &[("channel", format!("<#{id}>").into())],
        ),
    };
    parts.push(announced);
    parts.push(rewards::in_words(&settings, language));
    Ok(Reply::private_list(parts.join("\n")))
}
