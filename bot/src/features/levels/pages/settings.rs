//! The settings that `/levels` and `/card` change.

use futures_util::future::BoxFuture;

use crate::{
    features::levels::commands::{
        card::Card,
        levels::{
            Levels, rewards,
            rules::{self, MOST_BOOSTS},
        },
    },
    interactions::form_page::{Form, FormPage, ReadRows, Reading, Row, Rows},
    settings::{
        GuildSettings,
        values::{
            curve::Curve,
            earning::{Percent, Target},
        },
    },
    support::{clock::host_time, ids},
    web::answer::Fault,
};

/// What messages earn, and what levels need.
pub(crate) const XP: FormPage = FormPage {
    path: "/servers/{guild}/settings/xp",
    title: "levels-page-xp",
    forms: &[
        Form::new(&Levels, &["xp"]).now(xp),
        Form::new(&Levels, &["cooldown"]).now(|settings, _| {
            let seconds = settings.earning.cooldown / 1_000;
            Some(seconds.to_string())
        }),
        Form::new(&Levels, &["curve"]).now(curve),
        Form::new(&Levels, &["multiplier"]),
        Form::new(&Levels, &["role-mode"])
            .now(|settings, _| Some(settings.earning.role_mode.word().to_owned())),
        Form::new(&Levels, &["boost"]),
        Form::new(&Levels, &["boost-end"]),
    ],
    // Without a multiplier, messages earn what is usual.
    rows: Some((Form::new(&Levels, &["multiplier"]), multipliers as ReadRows)),
    preview: None,
};

/// The roles that levels give.
pub(crate) const REWARDS: FormPage = FormPage {
    path: "/servers/{guild}/settings/rewards",
    title: "levels-page-rewards",
    forms: &[
        Form::new(&Levels, &["reward", "add"]),
        Form::new(&Levels, &["reward", "mode"])
            .now(|settings, _| Some(settings.rewards.mode.word().to_owned())),
        Form::new(&Levels, &["reward", "demotion"])
            .now(|settings, _| Some(settings.rewards.demotion.word().to_owned())),
        Form::new(&Levels, &["reward", "rejoin"]).now(|settings, _| {
            let word = if settings.rewards.on_join { "on" } else { "off" };
            Some(word.to_owned())
        }),
    ],
    rows: Some((Form::new(&Levels, &["reward", "remove"]), rewards as ReadRows)),
    preview: None,
};

/// The colour of rank cards.
pub(crate) const CARDS: FormPage = FormPage {
    path: "/servers/{guild}/settings/cards",
    title: "levels-page-cards",
    forms: &[
        Form::new(&Card, &["server"]).now(|settings, _| Some(settings.card_colour?.to_string())),
        Form::new(&Card, &["reset"]).fixed(&[("server", "on")]),
    ],
    rows: None,
    preview: Some("colour"),
};

fn xp(settings: &GuildSettings, option: &str) -> Option<String> {
    let earning = &settings.earning;
    match option {
        "least" => Some(earning.xp_min.to_string()),
        "most" => Some(earning.xp_max.to_string()),
        _ => None,
    }
}

fn curve(settings: &GuildSettings, option: &str) -> Option<String> {
    let (kind, factors) = match settings.curve {
        Curve::Mee6 => ("mee6", None),
        Curve::ARCANE => ("arcane", None),
        Curve::Cubic([0, 0, step]) => ("linear", Some([("step", step), ("", 0), ("", 0)])),
        Curve::Cubic([cubic, square, straight]) => (
            "cubic",
            Some([("cubic", cubic), ("square", square), ("straight", straight)]),
        ),
    };
    if option == "kind" {
        return Some(kind.to_owned());
    }
    let factors = factors.into_iter().flatten();
    let mut factors = factors.filter(|(name, _)| *name == option);
    factors.next().map(|(_, hundredths)| {
        let whole = f64::from(hundredths) / 100.0;
        whole.to_string()
    })
}

fn multipliers(of: Reading<'_>) -> BoxFuture<'_, Result<Rows, Fault>> {
    let Reading {
        settings, language, ..
    } = of;
    let earning = &settings.earning;
    let words = |target: Target, percent: Percent| {
        format!(
            "{} {}",
            rules::shown(target, language),
            rules::times(percent, language)
        )
    };
    let usual = |name: &'static str, id: String| Some(vec![("factor", "1".to_owned()), (name, id)]);
    let roles = earning.roles().iter().map(|(role, percent)| Row {
        text: words(Target::Role(*role), *percent),
        removal: usual("role", role.to_string()),
    });
    let channels = earning.channels().iter().map(|(channel, percent)| Row {
        text: words(Target::Channel(*channel), *percent),
        removal: usual("channel", channel.to_string()),
    });
    let now = ids::to_millis(host_time());
    let boosts = earning.boosts().iter().filter(|boost| boost.until > now);
    let boosts = boosts.take(MOST_BOOSTS).map(|boost| Row {
        text: rules::boosted(boost, language),
        removal: None,
    });
    let rows = Rows {
        notes: vec![language.filled("levels-show-curve", &rules::totals(settings.curve, language))],
        rows: roles.chain(channels).chain(boosts).collect(),
    };
    Box::pin(std::future::ready(Ok(rows)))
}

fn rewards(of: Reading<'_>) -> BoxFuture<'_, Result<Rows, Fault>> {
    let Reading {
        services,
        guild_id,
        settings,
        language,
    } = of;
    Box::pin(async move {
        let mut rows = Rows::default();
        if settings.rewards.switched_off {
            rows.notes.push(language.text("levels-reward-off"));
        }
        for (level, role_id) in settings.rewards.roles() {
            let mut text = rewards::line(*level, *role_id, language);
            let trouble = rewards::trouble(services, guild_id, *role_id, language).await?;
            if let Some(trouble) = trouble {
                text.push_str(" ⚠️ ");
                text.push_str(&trouble);
            }
            rows.rows.push(Row {
                text,
                removal: Some(vec![("role", role_id.to_string())]),
            });
        }
        Ok(rows)
    })
}
