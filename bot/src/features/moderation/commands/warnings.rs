//! `/warnings`: a member's warnings, five per page.

use std::time::SystemTime;

use twilight_model::{
    application::command::{Command as Definition, CommandOptionType as Kind},
    channel::message::{
        Component, EmojiReactionType,
        component::{ActionRow, Button, ButtonStyle},
    },
    guild::Permissions,
    id::{Id, marker::UserMarker},
};
use twilight_util::builder::embed::{EmbedBuilder, EmbedFooterBuilder};

use crate::{
    features::moderation::{
        Severity,
        rows::warning::{self, Counting, Warning},
        texts,
    },
    interactions::{
        CommandContext, CommandError, Services,
        command::Command,
        define::{Opt, for_servers},
        reply::Reply,
    },
    support::{
        i18n::{Language, Value},
        ids,
        text::limits::excerpt,
    },
};

/// Warnings per page.
const A_PAGE: i64 = 5;
/// How much of a reason is shown, in UTF-16 code units: five reasons, with the reasons for removal, fit into an embed.
const REASON: usize = 450;
const REMOVED_REASON: usize = 120;
/// Amber.
const COLOUR: u32 = 0x00F0_B232;

#[derive(Debug)]
pub(crate) struct Warnings;

/// A page number, the member whose warnings it lists, and the user who may turn it.
#[derive(Clone, Copy, Debug)]
struct Page {
    user_id: Id<UserMarker>,
    asker_id: Id<UserMarker>,
    number: i64,
}

impl Command for Warnings {
    fn name(&self) -> &'static str {
        "warnings"
    }

    fn definition(&self) -> Definition {
        for_servers(self.name(), None)
            .option(Opt::named(Kind::User, "warnings-option-member", "member"))
            .build()
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        let asker_id = context.payload.user().ok_or(CommandError::Stale)?.id;
        let (user, _) = context.payload.user_option("member")?;
        let page = Page {
            user_id: user.id,
            asker_id,
            number: 0,
        };
        show(context, services, page).await
    }

    async fn component(
        &self,
        context: &mut CommandContext,
        services: &Services,
    ) -> Result<Reply, CommandError> {
        let parts = context.payload.custom_id_parts();
        let page = Page::read(&parts).ok_or(CommandError::Stale)?;
        if context.payload.user().map(|user| user.id) != Some(page.asker_id) {
            return Err(context.refuse("warnings-foreign"));
        }
        Ok(show(context, services, page).await?.updating())
    }
}

impl Page {
    fn read(parts: &[&str]) -> Option<Self> {
        let [user, asker, number, _direction] = parts else {
            return None;
        };
        Some(Self {
            user_id: user.parse().ok()?,
            asker_id: asker.parse().ok()?,
            number: number
                .parse()
                .ok()
                .filter(|number| (0..100_000).contains(number))?,
        })
    }

    /// The `custom_id` of the button that moves `by` pages.
    fn button(self, by: i64, label: &str, last: i64) -> Component {
        let to = self.number + by;
        let Self {
            user_id, asker_id, ..
        } = self;
        let direction = if by < 0 { "back" } else { "on" };
        Component::Button(Button {
            custom_id: Some(format!("warnings:{user_id}:{asker_id}:{}:{direction}", to.max(0))),
            disabled: !(0..=last).contains(&to),
            emoji: Some(EmojiReactionType::Unicode {
                name: label.to_owned(),
            }),
            id: None,
            label: None,
            sku_id: None,
            style: ButtonStyle::Secondary,
            url: None,
        })
    }
}

async fn show(context: &CommandContext, services: &Services, page: Page) -> Result<Reply, CommandError> {
    let guild_id = context.guild()?;
    let may_moderate = context.require_permissions(Permissions::MODERATE_MEMBERS);
    // If the guild hides moderators, members do not learn who warned them: not here, not in the direct message, and not in their export.
    let is_shown = services
        .settings
        .of(&services.store, guild_id)
        .await?
        .moderators_shown;
    let reader = if is_shown || may_moderate.is_ok() {
        Reader::Moderator
    } else {
        Reader::Member
    };
    if page.user_id != page.asker_id {
        may_moderate?;
    }
    let language = context.language();
    let now = ids::to_time(ids::millis(context.payload.id));
    let store = &services.store;
    let (shown, total) = warning::page(store, guild_id, page.user_id, page.number * A_PAGE, A_PAGE).await?;
    if total == 0 {
        let values = [("user", page.user_id.to_string().into())];
        return Ok(Reply::private(language.filled("warnings-none", &values)));
    }
    if shown.is_empty() {
        return Err(context.refuse("warnings-gone"));
    }
    let counting = warning::counting_now(store, guild_id, page.user_id, now).await?;
    let last = (total - 1) / A_PAGE;
    let number = |number: i64| u64::try_from(number).unwrap_or(0);
    let footer = [
        ("page", language.number(number(page.number + 1)).into()),
        ("pages", language.number(number(last + 1)).into()),
    ];
    let embed = EmbedBuilder::new()
        .title(language.filled("warnings-title", &[("total", Value::Count(number(total)))]))
        .description(list((language, reader), page.user_id, &shown, counting, now))
        .footer(EmbedFooterBuilder::new(language.filled("warnings-page", &footer)))
        .color(COLOUR)
        .build();
    let mut reply = Reply::private(String::new()).with_embed(embed);
    if last > 0 {
        let row = ActionRow {
            id: None,
            components: vec![page.button(-1, "◀️", last), page.button(1, "▶️", last)],
        };
        reply = reply.with_components(vec![Component::ActionRow(row)]);
    }
    Ok(reply)
}

/// Who views the list; decides whether moderators are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Member,
    Moderator,
}

fn list(
    (language, reader): (Language, Reader),
    user_id: Id<UserMarker>,
    shown: &[Warning],
    counting: Counting,
    now: SystemTime,
) -> String {
    let counting = texts::counting(language, counting.warnings, counting.points);
    let values = [
        ("user", user_id.to_string().into()),
        ("counting", counting.into()),
    ];
    let mut text = language.filled("warnings-head", &values);
    for warning in shown {
        text.push_str("\n\n");
        text.push_str(&entry((language, reader), warning, now));
    }
    text
}

fn entry((language, reader): (Language, Reader), warning: &Warning, now: SystemTime) -> String {
    let by = |at: SystemTime, moderator_id: Id<UserMarker>| {
        let at = texts::relative(at);
        if reader == Reader::Member {
            return at;
        }
        let values = [("at", at.into()), ("moderator", moderator_id.to_string().into())];
        language.filled("warnings-by", &values)
    };
    let severity = Severity::of(&warning.severity).unwrap_or(Severity::Low);
    let mut values = vec![
        ("case", warning.case_id.to_string().into()),
        ("severity", texts::severity(language, severity).into()),
        ("points", texts::points(language, warning.points).into()),
        ("at", by(warning.created_at, warning.moderator_id).into()),
        ("reason", texts::quoted(&warning.reason, REASON).into()),
    ];
    if let Some(removed_at) = warning.removed_at {
        let remover = warning.removed_by.unwrap_or(warning.moderator_id);
        values.push(("removed", by(removed_at, remover).into()));
        let mut text = language.filled("warnings-entry-removed", &values);
        if let Some(reason) = &warning.removed_reason {
            let reason = excerpt(reason, REMOVED_REASON);
            text.push('\n');
            text.push_str(&language.filled("warnings-removed-reason", &[("reason", reason.into())]));
        }
        return text;
    }
    match warning.expires_at {
        Some(expired) if expired <= now => {
            values.push(("expired", texts::relative(expired).into()));
            language.filled("warnings-entry-expired", &values)
        }
        expires_at => {
            values.push(("expiry", texts::expiry(language, expires_at).into()));
            language.filled("warnings-entry", &values)
        }
    }
}

#[cfg(test)]
mod tests;
