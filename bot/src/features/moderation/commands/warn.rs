//! `/warn`: warns a member, as a numbered case.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use twilight_model::{
    application::command::{Command as Definition, CommandOptionType as Type},
    guild::Permissions,
    id::{Id, marker::GuildMarker},
};

use super::{
    act,
    confirmation::{self, CONFIRM},
    forms::{self, FORM, Form, Submitted},
};
use crate::{
    discord::guilds::authority::Sanctions,
    features::moderation::{
        self, Act, Denied, LONGEST_REASON, MOST_POINTS, Severity,
        duration::{self, Expiry},
        evidence,
        kind::Kind,
        policy,
        rows::warning::{self, Outcomes},
        settings::ModerationSettings,
        texts, threshold_settings,
        warnings::{Names, NewWarning, Warned},
    },
    interactions::{
        CommandContext, CommandError, Progress, Services,
        command::Command,
        define::{Opt, for_servers},
        menu::Menu,
        payload::{BadOption, User},
        reply::Reply,
    },
    postgres::request::Actor,
    support::{i18n::Language, text::names::quoted},
};

/// How long a warning counts by default.
const USUAL_EXPIRY: Duration = Duration::from_hours(24 * 90);
/// Interval and limit for showing the outcome of a warning's effects; shutdown waits for it.
const SHOWN_EVERY: Duration = Duration::from_millis(500);
const SHOWN_FOR: Duration = Duration::from_secs(10);
/// The maximum length of an expiry, in characters.
pub(crate) const LONGEST_EXPIRY: u16 = 40;

#[derive(Debug)]
pub(crate) struct Warn;

impl Command for Warn {
    fn name(&self) -> &'static str {
        "warn"
    }

    fn definition(&self) -> Definition {
        let reason = Opt::named(Type::String, "warn-option-reason", "reason").at_most(reason_length());
        let points = Opt::named(Type::Integer, "warn-option-points", "points").between(0, MOST_POINTS);
        let expires = Opt::named(Type::String, "warn-option-expires", "expires").at_most(LONGEST_EXPIRY);
        for_servers(self.name(), Some(Permissions::MODERATE_MEMBERS))
            .option(Opt::named(Type::User, "warn-option-member", "member").required())
            .option(reason.required())
            .option(severity_option("warn-option-severity"))
            .option(points)
            .option(expires)
            .option(Opt::named(Type::Boolean, "warn-option-dm", "dm"))
            .option(act::evidence_option())
            .build()
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        let guild_id = context.guild()?;
        context.require_permissions(Permissions::MODERATE_MEMBERS)?;
        let payload = &context.payload;
        let (user, _) = payload.chosen_user("member")?.ok_or(BadOption("member"))?;
        let severity = severity(context)?.unwrap_or(Severity::Low);
        let about = About {
            severity,
            points: points(context)?.unwrap_or(severity.points()),
            expiry: expiry(context)?.unwrap_or(Expiry::After(USUAL_EXPIRY)),
            message: payload.boolean("dm")?,
        };
        let given = Submitted {
            is_member: payload.roles_of(user.id).is_some(),
            user,
            reason: reason(context, "reason")?,
            report_id: None,
            appeal: None,
            evidence: evidence::given(context, evidence::OPTION)?,
        };
        warn(context, services, guild_id, (about, given)).await
    }

    fn menu(&self) -> Option<Menu> {
        Some(Menu::of_members("warn-menu"))
    }

    async fn chosen(
        &self,
        context: &mut CommandContext,
        _services: &Services,
    ) -> Result<Reply, CommandError> {
        Form::Warn.of_target(context)
    }

    async fn component(
        &self,
        context: &mut CommandContext,
        services: &Services,
    ) -> Result<Reply, CommandError> {
        let guild_id = context.guild()?;
        context.require_permissions(Permissions::MODERATE_MEMBERS)?;
        let parts = context.payload.custom_id_parts();
        if parts.first() == Some(&FORM) {
            let given = forms::submitted(context, services).await?;
            let about = About {
                severity: Severity::Low,
                points: Severity::Low.points(),
                expiry: Expiry::After(USUAL_EXPIRY),
                message: None,
            };
            return warn(context, services, guild_id, (about, given)).await;
        }
        let confirmed = match parts.split_first() {
            Some((&CONFIRM, parts)) => confirmation::confirmed(context, parts),
            _ => None,
        };
        let confirmed = confirmed.ok_or(CommandError::Stale)?;
        let policy = ModerationSettings::of(&services.store, &services.settings, guild_id).await?;
        let new = NewWarning {
            user_id: confirmed.user.id,
            names: names(context, &confirmed.user),
            sanctions: sanctions(context, services, guild_id, &confirmed.user).await?,
            reason: confirmed.reason,
            severity: confirmed.severity,
            points: confirmed.points,
            expiry: confirmed.expiry,
            direct: confirmed.direct,
            report_id: confirmed.report_id,
            evidence: confirmed.evidence,
            appeal_url: act::appeal_url(services, guild_id, (Kind::Ban, &policy)),
        };
        Ok(give(context, services, guild_id, new).await?.updating())
    }
}

/// What a moderator decided about a warning.
struct About {
    severity: Severity,
    points: i64,
    expiry: Expiry,
    /// Whether the member gets a direct message; `None` if the server's setting decides.
    message: Option<bool>,
}

/// Warn a member, or ask first if they have many warnings already.
async fn warn(
    context: &CommandContext,
    services: &Services,
    guild_id: Id<GuildMarker>,
    (about, given): (About, Submitted),
) -> Result<Reply, CommandError> {
    let Submitted {
        user,
        reason,
        report_id,
        evidence,
        ..
    } = given;
    let sanctions = sanctions(context, services, guild_id, &user).await?;
    let policy = ModerationSettings::of(&services.store, &services.settings, guild_id).await?;
    let new = NewWarning {
        user_id: user.id,
        names: names(context, &user),
        reason: reason.ok_or(BadOption("reason"))?,
        severity: about.severity,
        points: about.points,
        expiry: about.expiry,
        direct: about.message.unwrap_or(policy.tells(Kind::Warning)) && !user.bot,
        sanctions,
        report_id,
        evidence,
        appeal_url: act::appeal_url(services, guild_id, (Kind::Ban, &policy)),
    };
    let asked = (&*policy, &user, &new);
    match confirmation::question(context, services, guild_id, asked).await? {
        Some(question) => Ok(question),
        None => give(context, services, guild_id, new).await,
    }
}

/// Warn a member, and follow what becomes of the message and the punishment.
async fn give(
    context: &CommandContext,
    services: &Services,
    guild_id: Id<GuildMarker>,
    new: NewWarning,
) -> Result<Reply, CommandError> {
    let act = act(context, guild_id)?;
    let (language, direct) = (context.language(), new.direct);
    let warned =
        moderation::warnings::warn(&services.store, &services.settings, (act, language), new).await?;
    let warned = warned.map_err(|denied| match denied {
        Denied::NoLog => context.refuse("evidence-no-log"),
        // A warning that passed the permission checks is denied otherwise only if it reacts to a report that is closed.
        _ => context.refuse("report-closed"),
    })?;
    let reply = Reply::private(in_words(&warned, &Outcomes::default(), language));
    let is_punished = warned.crossed.iter().any(|crossing| crossing.hindrance.is_none());
    if direct || is_punished {
        context.defer(move |progress| async move {
            let outcomes = outcomes(&progress, guild_id, &warned, (direct, is_punished)).await;
            Reply::private(in_words(&warned, &outcomes, language))
        });
    }
    Ok(reply)
}

/// The outcome of the direct message and of the punishment, once known.
async fn outcomes(
    progress: &Progress,
    guild_id: Id<GuildMarker>,
    warned: &Warned,
    (direct, is_punished): (bool, bool),
) -> Outcomes {
    let until = Instant::now() + SHOWN_FOR;
    loop {
        let outcomes = warning::outcomes(&progress.services().store, (guild_id, warned.case_id)).await;
        let outcomes = outcomes.unwrap_or_default();
        let is_known = (!direct || outcomes.message.is_some()) && (!is_punished || outcomes.action.is_some());
        if is_known || Instant::now() >= until {
            return outcomes;
        }
        sleep(SHOWN_EVERY).await;
    }
}

/// Check that the moderator ranks above the member, and which punishments they may apply if the guild has thresholds.
async fn sanctions(
    context: &CommandContext,
    services: &Services,
    guild_id: Id<GuildMarker>,
    user: &User,
) -> Result<Sanctions, CommandError> {
    let target = policy::target(context, services, guild_id, (Kind::Warning, user)).await?;
    if threshold_settings::list(&services.store, guild_id)
        .await?
        .is_empty()
    {
        return Ok(Sanctions::none());
    }
    policy::sanctions(services, guild_id, (user, &target)).await
}

/// The change that an interaction asks for.
pub(crate) fn act(context: &CommandContext, guild_id: Id<GuildMarker>) -> Result<Act, CommandError> {
    Ok(Act {
        guild_id,
        interaction_id: context.payload.id,
        moderator_id: context.payload.user().ok_or(CommandError::Stale)?.id,
        is_form: matches!(context.actor()?, Actor::Web(_)),
    })
}

/// The names to be kept in a case.
pub(crate) fn names(context: &CommandContext, user: &User) -> Names {
    Names {
        user: Some(user.username.clone()),
        moderator: context.payload.user().map(|moderator| moderator.username.clone()),
    }
}

pub(crate) fn severity_option(key: &str) -> Opt {
    Opt::named(Type::String, key, "severity").choices([
        (Severity::Low.word(), "warn-severity-low"),
        (Severity::Medium.word(), "warn-severity-medium"),
        (Severity::High.word(), "warn-severity-high"),
    ])
}

pub(crate) fn reason_length() -> u16 {
    u16::try_from(LONGEST_REASON).unwrap_or(u16::MAX)
}

/// The reason, if one was given.
pub(crate) fn reason(context: &CommandContext, name: &'static str) -> Result<Option<String>, CommandError> {
    let reason = context.payload.text(name)?;
    if reason.is_some_and(|reason| reason.trim().is_empty()) {
        return Err(context.refuse("warn-bad-reason"));
    }
    checked_reason(context, reason)
}

/// A reason that fits, without what PostgreSQL cannot store; none if it is empty.
pub(super) fn checked_reason(
    context: &CommandContext,
    reason: Option<&str>,
) -> Result<Option<String>, CommandError> {
    let Some(reason) = reason.map(str::trim).filter(|reason| !reason.is_empty()) else {
        return Ok(None);
    };
    // PostgreSQL text cannot contain NUL.
    let reason = reason.replace('\0', "");
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        return Err(context.refuse("warn-bad-reason"));
    }
    Ok(Some(reason))
}

pub(crate) fn severity(context: &CommandContext) -> Result<Option<Severity>, CommandError> {
    let word = context.payload.text("severity")?;
    let severity = word.map(|word| Severity::of(word).ok_or(BadOption("severity")));
    Ok(severity.transpose()?)
}

pub(crate) fn points(context: &CommandContext) -> Result<Option<i64>, CommandError> {
    match context.payload.integer("points")? {
        Some(points) if !(0..=MOST_POINTS).contains(&points) => Err(context.refuse("warn-bad-points")),
        points => Ok(points),
    }
}

pub(crate) fn expiry(context: &CommandContext) -> Result<Option<Expiry>, CommandError> {
    let Some(text) = context.payload.text("expires")? else {
        return Ok(None);
    };
    let read = duration::expiry(text).ok_or_else(|| {
        let given = quoted(text);
        let language = context.language();
        CommandError::Said(language.filled("warn-bad-expiry", &[("given", given.into())]))
    })?;
    Ok(Some(read))
}

fn in_words(warned: &Warned, outcomes: &Outcomes, language: Language) -> String {
    let counting = texts::counting(language, warned.counting_warnings, warned.counting_points);
    let values = [
        ("case", warned.case_id.to_string().into()),
        ("user", warned.user_id.to_string().into()),
        ("severity", texts::severity(language, warned.severity).into()),
        ("points", texts::points(language, warned.points).into()),
        ("expiry", texts::expiry(language, warned.expires_at()).into()),
        ("counting", counting.into()),
    ];
    let mut text = language.filled("warn-done", &values);
    for crossing in &warned.crossed {
        text.push('\n');
        text.push_str(&texts::crossing(language, crossing));
    }
    if outcomes.message.as_deref() == Some("closed") {
        text.push('\n');
        text.push_str(&language.text("warn-message-closed"));
    }
    if let Some(outcome) = &outcomes.action {
        text.push('\n');
        text.push_str(&match outcome.as_str() {
            "done" => language.text("warn-action-done"),
            "gone" => language.text("warn-action-gone"),
            key => {
                let why = language.text(key);
                language.filled("warn-action-failed", &[("why", why.into())])
            }
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use twilight_model::id::Id;

    use super::{Outcomes, in_words};
    use crate::{
        discord::guilds::authority::Action,
        features::moderation::{MOST_THRESHOLDS, Severity, thresholds::Crossing, warnings::Warned},
        support::i18n::Language,
    };

    #[test]
    fn the_longest_reply_fits() {
        let crossing = Crossing {
            points: 10_000,
            action: Action::Timeout,
            until_ms: Some(4_000_000_000_000),
            hindrance: None,
        };
        for language in Language::ALL {
            let warned = Warned {
                case_id: i64::MAX,
                user_id: Id::new(u64::MAX),
                severity: Severity::Medium,
                points: 100,
                expires_at_ms: None,
                counting_warnings: i64::MAX,
                counting_points: i64::MAX,
                crossed: vec![crossing; MOST_THRESHOLDS],
            };
            let outcomes = Outcomes {
                message: Some("closed".to_owned()),
                action: Some("warning-obstacle-permission".to_owned()),
            };
            let text = in_words(&warned, &outcomes, language);
            assert!(text.chars().count() <= 2_000, "{text}");
        }
    }
}
