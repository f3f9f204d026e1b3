//! The question that `/warn` asks before it warns a member who has many warnings already.
//!
//! What is to be done stands in the question itself, as the bot wrote it, so that nothing is kept meanwhile.

use twilight_model::{
    channel::message::component::ButtonStyle,
    id::{
        Id,
        marker::{GuildMarker, InteractionMarker},
    },
};
use twilight_util::builder::embed::{EmbedBuilder, EmbedFieldBuilder, EmbedFooterBuilder};

use crate::{
    discord::rest::file::{address_of, path_of},
    features::moderation::{
        Severity,
        duration::Expiry,
        evidence::Evidence,
        rows::warning::{self, Counting},
        settings::ModerationSettings,
        warnings::NewWarning,
    },
    interactions::{
        CommandContext, CommandError, Services,
        define::{button, buttons},
        payload::User,
        reply::Reply,
    },
    support::{i18n::Value, ids},
};

/// The button with which a moderator confirms.
pub(super) const CONFIRM: &str = "go";

/// A warning that was confirmed, as far as the question says it.
#[derive(Debug)]
pub(super) struct Confirmed {
    pub(super) user: User,
    pub(super) reason: String,
    pub(super) severity: Severity,
    pub(super) points: i64,
    pub(super) expiry: Expiry,
    pub(super) direct: bool,
    pub(super) report_id: Option<Id<InteractionMarker>>,
    pub(super) evidence: Option<Evidence>,
}

/// The question, if the member has as many active warnings as the server has chosen.
pub(super) async fn question(
    context: &CommandContext,
    services: &Services,
    guild_id: Id<GuildMarker>,
    (policy, user, new): (&ModerationSettings, &User, &NewWarning),
) -> Result<Option<Reply>, CommandError> {
    if policy.confirm_warnings == 0 {
        return Ok(None);
    }
    let at = ids::to_time(ids::millis(context.payload.id));
    // A replay finds the warning of its first time, which is no reason to ask.
    let counting = warning::counting_before(&services.store, guild_id, user.id, at);
    let Counting { warnings, .. } = counting.await?;
    if warnings < policy.confirm_warnings {
        return Ok(None);
    }
    let language = context.language();
    let values = [
        ("user", Value::from(user.id.to_string())),
        ("warnings", Value::Count(warnings.unsigned_abs())),
    ];
    let expiry = match new.expiry {
        Expiry::Never => "never".to_owned(),
        Expiry::After(span) => span.as_secs().to_string(),
    };
    let id = format!(
        "warn:{CONFIRM}:{}:{}:{}:{expiry}:{}:{}",
        user.id,
        new.severity.word(),
        new.points,
        u8::from(new.direct),
        new.report_id.map_or_else(String::new, |id| id.to_string()),
    );
    let mut embed = EmbedBuilder::new()
        .description(&new.reason)
        .footer(EmbedFooterBuilder::new(&user.username));
    if let Some(evidence) = &new.evidence {
        embed = embed.field(EmbedFieldBuilder::new(&evidence.name, address_of(&evidence.path)));
    }
    let confirm = button(id, language.text("warn-confirm-button"), ButtonStyle::Danger);
    let reply = Reply::private(language.filled("warn-confirm", &values))
        .with_embed(embed.build())
        .with_components(vec![buttons([confirm])]);
    Ok(Some(reply))
}

/// What is confirmed by a button with these parts.
pub(super) fn confirmed(context: &CommandContext, parts: &[&str]) -> Option<Confirmed> {
    let [user_id, severity, points, expiry, direct, report_id] = parts else {
        return None;
    };
    let (reason, username) = context.payload.embed()?;
    let evidence = context.payload.embed_field().and_then(|(name, address)| {
        Some(Evidence {
            name: name.to_owned(),
            path: path_of(address)?.to_owned(),
        })
    });
    Some(Confirmed {
        user: User {
            id: user_id.parse().ok()?,
            username: username.to_owned(),
            global_name: None,
            bot: false,
            avatar: None,
        },
        reason: reason.to_owned(),
        severity: Severity::of(severity)?,
        points: points.parse().ok()?,
        expiry: match *expiry {
            "never" => Expiry::Never,
            seconds => Expiry::After(std::time::Duration::from_secs(seconds.parse().ok()?)),
        },
        direct: *direct == "1",
        report_id: match *report_id {
            "" => None,
            id => Some(id.parse().ok()?),
        },
        evidence,
    })
}
