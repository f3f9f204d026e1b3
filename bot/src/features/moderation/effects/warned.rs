//! Notifying members of their warnings by direct message.

use serde::{Deserialize, Serialize};
use twilight_model::id::{Id, marker::UserMarker};

use super::{
    action_message::with_appeal,
    wording::{Facts, Wording},
};
use crate::{
    features::moderation::{LONGEST_QUOTATION, Severity, rows::warning, texts},
    outbox::{
        delivery::Deliverer,
        kind::{EffectBody, EffectKind, Owner},
        message::{send_direct, server_of},
        outcome::Undelivered,
        queue::Waiting,
    },
    support::{i18n::Language, ids, text::names::Name},
};

/// A warning, as sent to the warned member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarnedDirectly {
    /// The number of the warning.
    pub case_id: i64,
    /// The moderator, if the guild shows moderators to members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moderator_id: Option<Id<UserMarker>>,
    /// The reason, as the moderator wrote it.
    pub reason: String,
    /// The severity.
    pub severity: Severity,
    /// The points.
    pub points: i64,
    /// When it expires, in milliseconds since 1970; `None` if it never does.
    pub expires_at_ms: Option<i64>,
    /// The guild's language, as one of Discord's locales.
    pub locale: String,
    /// The guild's own words.
    #[serde(default, skip_serializing_if = "Wording::is_usual")]
    pub wording: Wording,
    /// Where the user can appeal against the ban that the warning leads to; `None` for nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appeal_url: Option<String>,
}

impl EffectBody for WarnedDirectly {
    const KIND: &'static str = "warned";
    const OWNER: Owner = Owner::Staff;
}

/// Sends direct messages about warnings.
#[derive(Debug)]
pub(crate) struct DirectWarnings;

impl EffectKind for DirectWarnings {
    type Body = WarnedDirectly;

    async fn deliver(
        &self,
        to: &Deliverer,
        effect: &Waiting,
        warned: WarnedDirectly,
    ) -> Result<(), Undelivered> {
        deliver(to, effect, &warned).await
    }
}

async fn deliver(to: &Deliverer, effect: &Waiting, warned: &WarnedDirectly) -> Result<(), Undelivered> {
    let server = server_of(to, effect).await?;
    let usual = || text(warned, &server);
    let content = effect.user_id.map_or_else(usual, |user_id| {
        let facts = Facts {
            user_id,
            server: &server,
            case_id: warned.case_id,
            reason: &warned.reason,
            until: warned.expires_at_ms.map(ids::to_time),
        };
        warned.wording.apply(&facts, usual)
    });
    let content = with_appeal(content, (warned.appeal_url.as_deref(), &warned.locale));
    let sent = send_direct(to, effect, &content).await;
    let became = match sent {
        Ok(()) => "delivered",
        Err(Undelivered::Cancelled) => "closed",
        Err(why) => return Err(why),
    };
    let case = (effect.guild_id, warned.case_id);
    to.retry_until_committed("noting what became of a message", || {
        warning::note_message(&to.store, case, became)
    })
    .await;
    sent
}

fn text(warned: &WarnedDirectly, server: &Name) -> String {
    let language = Language::of_stored(&warned.locale);
    let values = [
        ("server", server.in_markdown().into()),
        ("case", warned.case_id.to_string().into()),
        ("severity", texts::severity(language, warned.severity).into()),
        ("points", texts::points(language, warned.points).into()),
        ("reason", texts::quoted(&warned.reason, LONGEST_QUOTATION).into()),
        (
            "expiry",
            texts::expiry(language, warned.expires_at_ms.map(ids::to_time)).into(),
        ),
    ];
    let mut text = language.filled("warn-direct", &values);
    if let Some(moderator_id) = warned.moderator_id {
        text.push('\n');
        text.push_str(&language.filled(
            "warn-direct-by",
            &[("moderator", moderator_id.to_string().into())],
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use twilight_model::id::Id;

    use super::{Name, WarnedDirectly, Wording, text};
    use crate::features::moderation::Severity;

    #[test]
    fn the_longest_message_fits() {
        for locale in ["en-US", "de"] {
            let warned = WarnedDirectly {
                case_id: i64::MAX,
                moderator_id: Some(Id::new(u64::MAX)),
                reason: "ä".repeat(1_000),
                severity: Severity::Medium,
                points: 100,
                expires_at_ms: Some(4_000_000_000_000),
                locale: locale.to_owned(),
                wording: Wording::default(),
                appeal_url: None,
            };
            let text = text(&warned, &Name::first([Some(&*"S".repeat(100))], 1));
            assert!(text.chars().count() <= 2_000, "{text}");
            assert!(
                text.contains(&warned.reason)
                    && text.contains("<t:4000000000:R>")
                    && text.ends_with(&format!("<@{}>.", u64::MAX)),
                "{text}"
            );
        }
    }
}
