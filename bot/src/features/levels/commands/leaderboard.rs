//! `/leaderboard`: members ranked by XP, messages, or XP of this week, ten per page.
//!
//! Anyone may use its buttons: the page changes for everyone, as in other bots. A `custom_id` contains its target, so pages sent by an
//! earlier process still work: `leaderboard:to:xp:3`, `leaderboard:first:xp`, `leaderboard:last:xp`, `leaderboard:me:xp`, and
//! `leaderboard:order` for the menu.

use std::{collections::HashMap, time::Duration};

use twilight_model::{
    application::command::{Command as Definition, CommandOptionType as Kind},
    channel::message::{
        Component, Embed,
        component::{ActionRow, Button, ButtonStyle, SelectMenu, SelectMenuOption, SelectMenuType},
    },
    id::{Id, marker::UserMarker},
};
use twilight_util::builder::embed::{EmbedBuilder, EmbedFooterBuilder};

use crate::{
    features::levels::{
        rows::leaderboard::{self, Line, Order, Page},
        rules::week::week_of,
    },
    interactions::{
        CommandContext, CommandError, Services,
        command::Command,
        define::{Opt, for_servers},
        payload::BadOption,
        reply::Reply,
    },
    settings::values::curve::Curve,
    support::{
        i18n::{Language, Value},
        ids::{self, MemberKey, Millis},
        text::names::Name,
    },
};

/// Lines per page.
const LINES: u32 = 10;
/// How long a page waits for member names. The reply must be sent within a second and a half.
const NAMES_PATIENCE: Duration = Duration::from_millis(800);

/// The orders that can be selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Xp,
    Messages,
    Week,
}

impl By {
    pub(crate) const ALL: [Self; 3] = [Self::Xp, Self::Messages, Self::Week];

    /// The value in options, custom IDs and addresses.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Xp => "xp",
            Self::Messages => "messages",
            Self::Week => "week",
        }
    }

    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.word() == word)
    }

    /// The text key of the choice.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Xp => "leaderboard-by-xp",
            Self::Messages => "leaderboard-by-messages",
            Self::Week => "leaderboard-by-week",
        }
    }

    /// The order at a time, which decides which week "this week" is.
    pub(crate) fn order_at(self, at: Millis) -> Order {
        match self {
            Self::Xp => Order::Xp,
            Self::Messages => Order::Messages,
            Self::Week => Order::Week(week_of(at)),
        }
    }
}

/// The target of a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// A page number, from 1.
    Page(u64),
    Last,
    Me,
}

/// Parse a `custom_id` after the command's name; `None` for one that this version did not create.
fn read(parts: &[&str], values: &[&str]) -> Option<(By, Way)> {
    match (parts, values) {
        (["first", by], []) | (["order"], [by]) => Some((By::of(by)?, Way::Page(1))),
        (["last", by], []) => Some((By::of(by)?, Way::Last)),
        (["me", by], []) => Some((By::of(by)?, Way::Me)),
        (["to", by, page], []) => {
            let page = page.parse().ok().filter(|page| *page >= 1)?;
            Some((By::of(by)?, Way::Page(page)))
        }
        _ => None,
    }
}

#[derive(Debug)]
pub(crate) struct Leaderboard;

impl Command for Leaderboard {
    fn name(&self) -> &'static str {
        "leaderboard"
    }

    fn definition(&self) -> Definition {
        let by = Opt::named(Kind::String, "leaderboard-option-by", "by")
            .choices(By::ALL.map(|by| (by.word(), by.key())));
        let page = Opt::named(Kind::Integer, "leaderboard-option-page", "page").from(1);
        for_servers(self.name(), None).option(by).option(page).build()
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        let by = match context.payload.text("by")? {
            None => By::Xp,
            Some(word) => By::of(word).ok_or(BadOption("by"))?,
        };
        let page = match context.payload.integer("page")? {
            None => 1,
            Some(page) => u64::try_from(page)
                .ok()
                .filter(|page| *page >= 1)
                .ok_or(BadOption("page"))?,
        };
        answer(context, services, by, Way::Page(page)).await
    }

    async fn component(
        &self,
        context: &mut CommandContext,
        services: &Services,
    ) -> Result<Reply, CommandError> {
        let (by, way) =
            read(&context.payload.custom_id_parts(), &context.payload.values()).ok_or(CommandError::Stale)?;
        Ok(answer(context, services, by, way).await?.updating())
    }
}

async fn answer(
    context: &mut CommandContext,
    services: &Services,
    by: By,
    way: Way,
) -> Result<Reply, CommandError> {
    let guild_id = context.guild()?;
    let asker = context.payload.user().map(|user| user.id);
    // Messages sent before the command are included.
    context.wait_for_commit().await;
    let order = by.order_at(ids::millis(context.payload.id));
    let skip = match way {
        Way::Page(page) => (page - 1).saturating_mul(LINES.into()),
        // Beyond the end, which shows the last page.
        Way::Last => u64::MAX,
        Way::Me => {
            let user_id = asker.ok_or(CommandError::ServerOnly)?;
            let key = MemberKey { guild_id, user_id };
            let above = leaderboard::position(&services.store, key, order).await?;
            let above = above.ok_or_else(|| context.refuse("leaderboard-not-on-it"))?;
            above - above % u64::from(LINES)
        }
    };
    let page = leaderboard::page(&services.store, guild_id, order, skip, LINES).await?;
    let settings = services.settings.of(&services.store, guild_id).await?;
    let users = page.lines.iter().map(|line| line.standing.user_id);
    let names = services
        .guilds
        .member_names(guild_id, users, NAMES_PATIENCE)
        .await;
    let board = Board {
        page,
        by,
        curve: settings.curve,
        names,
    };
    Ok(shown(&board, asker, context.language()))
}

/// A page and what is needed to render it.
struct Board {
    page: Page,
    by: By,
    curve: Curve,
    /// Member names, as far as known.
    names: HashMap<Id<UserMarker>, Name>,
}

/// Render a page as a message. The user's own line is highlighted.
fn shown(board: &Board, asker: Option<Id<UserMarker>>, language: Language) -> Reply {
    let Board { page, by, .. } = board;
    let by = *by;
    let number = |number: u64| Value::from(language.number(number));
    let lines = u64::from(LINES);
    let (here, last) = (page.skipped / lines + 1, page.members.div_ceil(lines).max(1));
    let written: Vec<String> = page
        .lines
        .iter()
        .map(|line| {
            let is_own = Some(line.standing.user_id) == asker;
            format!(
                "{}{}",
                if is_own { "▸ " } else { "" },
                in_words(line, board, language)
            )
        })
        .collect();
    let text = if written.is_empty() {
        language.text("leaderboard-empty")
    } else {
        written.join("\n")
    };
    let footer = language.filled(
        "leaderboard-footer",
        &[
            ("page", number(here)),
            ("pages", number(last)),
            ("members", Value::Count(page.members)),
            ("count", number(page.members)),
        ],
    );
    let footer = match by {
        By::Week => language.filled("leaderboard-footer-week", &[("footer", footer.into())]),
        By::Xp | By::Messages => footer,
    };
    let embed: Embed = EmbedBuilder::new()
        .title(language.filled("leaderboard-title", &[("by", language.text(by.key()).into())]))
        .description(text)
        .footer(EmbedFooterBuilder::new(footer))
        .build();
    Reply::public(String::new())
        .with_embed(embed)
        .with_components(vec![buttons(by, here, last, language), menu(by, language)])
}

fn in_words(line: &Line, board: &Board, language: Language) -> String {
    let number = |number: u64| Value::from(language.number(number));
    let user_id = line.standing.user_id;
    // A mention in an embed notifies no one. A client that does not know the member shows the ID, so the name is added.
    let member = match board.names.get(&user_id) {
        Some(name) => format!("<@{user_id}> ({})", name.in_markdown()),
        None => format!("<@{user_id}>"),
    };
    let key = match board.by {
        By::Messages => "leaderboard-line-messages",
        By::Xp | By::Week => "leaderboard-line-xp",
    };
    language.filled(
        key,
        &[
            ("rank", number(line.rank)),
            ("member", member.into()),
            ("level", number(board.curve.level_of(line.standing.xp).into())),
            ("value", number(line.value)),
            ("messages", Value::Count(line.value)),
        ],
    )
}

/// The buttons, disabled where they have no target. Discord requires unique `custom_id`s within a message.
fn buttons(by: By, here: u64, last: u64, language: Language) -> Component {
    let by = by.word();
    let button = |custom_id: String, label: String, disabled: bool| {
        Component::Button(Button {
            custom_id: Some(custom_id),
            disabled,
            emoji: None,
            id: None,
            label: Some(label),
            sku_id: None,
            style: ButtonStyle::Secondary,
            url: None,
        })
    };
    let to = |page: u64| format!("leaderboard:to:{by}:{page}");
    Component::ActionRow(ActionRow {
        id: None,
        components: vec![
            button(format!("leaderboard:first:{by}"), "⏮".to_owned(), here == 1),
            button(to(here - 1), "◀".to_owned(), here == 1),
            button(
                format!("leaderboard:me:{by}"),
                language.text("leaderboard-me"),
                false,
            ),
            button(to(here + 1), "▶".to_owned(), here >= last),
            button(format!("leaderboard:last:{by}"), "⏭".to_owned(), here >= last),
        ],
    })
}

fn menu(chosen: By, language: Language) -> Component {
    let options = By::ALL.map(|by| SelectMenuOption {
        default: by == chosen,
        description: None,
        emoji: None,
        label: language.text(by.key()),
        value: by.word().to_owned(),
    });
    Component::ActionRow(ActionRow {
        id: None,
        components: vec![Component::SelectMenu(SelectMenu {
            channel_types: None,
            custom_id: "leaderboard:order".to_owned(),
            default_values: None,
            disabled: false,
            id: None,
            kind: SelectMenuType::Text,
            max_values: None,
            min_values: None,
            options: Some(options.into()),
            placeholder: None,
            required: None,
        })],
    })
}

#[cfg(test)]
mod tests;
