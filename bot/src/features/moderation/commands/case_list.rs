//! Lists of cases, five per page: `/case list`, `/history` and `/modlog`.

use twilight_model::{
    application::command::{Command as Definition, CommandOptionType as Type},
    channel::message::{
        Component, EmojiReactionType,
        component::{ActionRow, Button, ButtonStyle},
    },
    guild::Permissions,
    id::{Id, marker::UserMarker},
};
use twilight_util::builder::embed::{EmbedBuilder, EmbedFooterBuilder};

use super::case_texts;
use crate::{
    features::moderation::{
        kind::Kind,
        rows::case::{self, Filter},
    },
    interactions::{
        CommandContext, CommandError, Services,
        command::Command,
        define::{Opt, for_servers},
        menu::Menu,
        payload::{BadOption, User},
        reply::Reply,
    },
};

/// Cases per page.
const A_PAGE: u8 = 5;
/// The last page that a button leads to.
const LAST: i64 = 10_000;

/// `/history`: all cases of a member.
#[derive(Debug)]
pub(crate) struct History;

/// `/modlog`: the newest cases of the server.
#[derive(Debug)]
pub(crate) struct Modlog;

impl Command for History {
    fn name(&self) -> &'static str {
        "history"
    }

    fn definition(&self) -> Definition {
        for_servers(self.name(), Some(Permissions::MODERATE_MEMBERS))
            .option(user_option("member", "history-option-member").required())
            .build()
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        let (user, _) = context
            .payload
            .chosen_user("member")?
            .ok_or(BadOption("member"))?;
        history(context, services, &user).await
    }

    fn menu(&self) -> Option<Menu> {
        Some(Menu::of_members("history-menu"))
    }

    async fn chosen(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        let (user, _) = context.payload.target_user().ok_or(CommandError::Stale)?;
        history(context, services, &user).await
    }

    async fn component(
        &self,
        context: &mut CommandContext,
        services: &Services,
    ) -> Result<Reply, CommandError> {
        turn(context, services, self.name()).await
    }
}

impl Command for Modlog {
    fn name(&self) -> &'static str {
        "modlog"
    }

    fn definition(&self) -> Definition {
        for_servers(self.name(), Some(Permissions::MODERATE_MEMBERS))
            .option(user_option("moderator", "case-option-moderator"))
            .option(kind_option())
            .build()
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        let filter = filter(context)?;
        first_page(context, services, self.name(), filter).await
    }

    async fn component(
        &self,
        context: &mut CommandContext,
        services: &Services,
    ) -> Result<Reply, CommandError> {
        turn(context, services, self.name()).await
    }
}

async fn history(context: &CommandContext, services: &Services, user: &User) -> Result<Reply, CommandError> {
    let filter = Filter {
        user_id: Some(user.id),
        ..Filter::default()
    };
    first_page(context, services, History.name(), filter).await
}

pub(super) fn user_option(name: &'static str, key: &str) -> Opt {
    Opt::named(Type::User, key, name)
}

pub(super) fn kind_option() -> Opt {
    let kinds = Kind::ALL.map(|kind| (kind.word(), format!("case-kind-{}", kind.word())));
    Opt::named(Type::String, "case-option-kind", "kind").choices(kinds)
}

/// The filter that the options choose. A command need not have all of them.
pub(super) fn filter(context: &CommandContext) -> Result<Filter, CommandError> {
    let payload = &context.payload;
    let id = |name| Ok::<_, BadOption>(payload.chosen_user(name)?.map(|(user, _)| user.id));
    let kind = payload.text("kind")?;
    Ok(Filter {
        user_id: id("member")?,
        moderator_id: id("moderator")?,
        kind: kind
            .map(|word| Kind::of(word).ok_or(BadOption("kind")))
            .transpose()?,
        with_hidden: payload.boolean("hidden")?.unwrap_or(false),
    })
}

/// A page of a list, and the user who may turn it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Page {
    filter: Filter,
    asker_id: Id<UserMarker>,
    number: i64,
}

impl Page {
    /// Parses the parts of a button's `custom_id` after the name of its command.
    fn read(parts: &[&str]) -> Option<Self> {
        let ["page", user, moderator, kind, hidden, asker, number, _direction] = parts else {
            return None;
        };
        let id = |text: &str| match text {
            "-" => Some(None),
            text => text.parse().ok().map(Some),
        };
        let filter = Filter {
            user_id: id(user)?,
            moderator_id: id(moderator)?,
            kind: match *kind {
                "-" => None,
                word => Some(Kind::of(word)?),
            },
            with_hidden: *hidden == "all",
        };
        let number = number.parse().ok().filter(|number| (0..=LAST).contains(number))?;
        Some(Self {
            filter,
            asker_id: asker.parse().ok()?,
            number,
        })
    }

    /// The button that moves `by` pages.
    fn button(self, command: &str, by: i64, label: &str, is_there: bool) -> Component {
        let id = |id: Option<Id<UserMarker>>| id.map_or_else(|| "-".to_owned(), |id| id.to_string());
        let Filter {
            user_id,
            moderator_id,
            kind,
            with_hidden,
        } = self.filter;
        let custom_id = format!(
            "{command}:page:{}:{}:{}:{}:{}:{}:{}",
            id(user_id),
            id(moderator_id),
            kind.map_or("-", Kind::word),
            if with_hidden { "all" } else { "-" },
            self.asker_id,
            (self.number + by).clamp(0, LAST),
            if by < 0 { "back" } else { "on" },
        );
        Component::Button(Button {
            custom_id: Some(custom_id),
            disabled: !is_there,
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

pub(super) async fn first_page(
    context: &CommandContext,
    services: &Services,
    command: &'static str,
    filter: Filter,
) -> Result<Reply, CommandError> {
    let page = Page {
        filter,
        asker_id: context.payload.user().ok_or(CommandError::Stale)?.id,
        number: 0,
    };
    show(context, services, command, page).await
}

pub(super) async fn turn(
    context: &CommandContext,
    services: &Services,
    command: &'static str,
) -> Result<Reply, CommandError> {
    let page = Page::read(&context.payload.custom_id_parts()).ok_or(CommandError::Stale)?;
    if context.payload.user().map(|user| user.id) != Some(page.asker_id) {
        return Err(context.refuse("error-foreign"));
    }
    Ok(show(context, services, command, page).await?.updating())
}

async fn show(
    context: &CommandContext,
    services: &Services,
    command: &'static str,
    page: Page,
) -> Result<Reply, CommandError> {
    context.require_permissions(Permissions::MODERATE_MEMBERS)?;
    let guild_id = context.guild()?;
    let language = context.language();
    let a_page = i64::from(A_PAGE);
    let skip = page.number * a_page;
    // One more than fits says whether there is another page.
    let cases = case::list(&services.store, guild_id, page.filter, skip, a_page + 1).await?;
    if cases.is_empty() {
        let text = if page.number == 0 {
            "case-list-none"
        } else {
            "case-list-gone"
        };
        return Ok(Reply::private(language.text(text)));
    }
    let has_more = cases.len() > usize::from(A_PAGE) && page.number < LAST;
    let lines: Vec<String> = cases
        .iter()
        .take(usize::from(A_PAGE))
        .map(|case| case_texts::entry(language, case))
        .collect();
    let number = u64::try_from(page.number + 1).unwrap_or(1);
    let footer = language.filled("case-list-page", &[("page", language.number(number).into())]);
    let embed = EmbedBuilder::new()
        .title(language.text("case-list-title"))
        .description(lines.join("\n\n"))
        .footer(EmbedFooterBuilder::new(footer))
        .color(case_texts::COLOUR)
        .build();
    let mut reply = Reply::private(String::new()).with_embed(embed);
    if has_more || page.number > 0 {
        let row = ActionRow {
            id: None,
            components: vec![
                page.button(command, -1, "◀️", page.number > 0),
                page.button(command, 1, "▶️", has_more),
            ],
        };
        reply = reply.with_components(vec![Component::ActionRow(row)]);
    }
    Ok(reply)
}

#[cfg(test)]
mod tests;
