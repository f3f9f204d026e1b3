//! `/ban`, `/tempban`, `/softban`, `/unban`.

use std::time::Duration;

use twilight_model::{
    application::command::{Command as Definition, CommandOptionType as Type},
    guild::Permissions,
};

use super::{
    act::{self, Wanted},
    forms::Form,
};
use crate::{
    features::moderation::kind::Kind,
    interactions::{
        CommandContext, CommandError, Services, command::Command, define::Opt, menu::Menu,
        payload::BadOption, reply::Reply,
    },
};

/// The option with the user, who need not be a member.
const USER: &str = "user";
/// The shortest temporary ban.
const SHORTEST: Duration = Duration::from_mins(1);

/// How far back messages can be deleted, as in Discord's own dialog; the value of each choice in seconds.
const DELETED: [(&str, u32); 7] = [
    ("none", 0),
    ("1h", 3_600),
    ("6h", 6 * 3_600),
    ("12h", 12 * 3_600),
    ("1d", 86_400),
    ("3d", 3 * 86_400),
    ("7d", 7 * 86_400),
];
/// What a softban deletes by default: it is there to delete messages.
const SOFTBAN_DELETES: u32 = 86_400;

#[derive(Debug)]
pub(crate) struct Ban;

#[derive(Debug)]
pub(crate) struct Tempban;

#[derive(Debug)]
pub(crate) struct Softban;

#[derive(Debug)]
pub(crate) struct Unban;

impl Command for Ban {
    fn name(&self) -> &'static str {
        "ban"
    }

    fn definition(&self) -> Definition {
        let user = user_option("action-option-user");
        act::definition(Kind::Ban, [user], Some(delete_option()))
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        let wanted = Wanted {
            delete_seconds: delete_seconds(context)?.unwrap_or(0),
            ..Wanted::on(Kind::Ban, USER)
        };
        act::run(context, services, wanted).await
    }

    fn menu(&self) -> Option<Menu> {
        Some(Menu::of_members("ban-menu"))
    }

    async fn chosen(
        &self,
        context: &mut CommandContext,
        _services: &Services,
    ) -> Result<Reply, CommandError> {
        Form::Ban.of_target(context)
    }

    async fn component(
        &self,
        context: &mut CommandContext,
        services: &Services,
    ) -> Result<Reply, CommandError> {
        context.require_permissions(Permissions::BAN_MEMBERS)?;
        let written = context.payload.field("duration").filter(|text| !text.is_empty());
        let duration = written
            .map(|text| act::read_duration(context, text, SHORTEST))
            .transpose()?;
        let kind = if duration.is_some() {
            Kind::Tempban
        } else {
            Kind::Ban
        };
        let wanted = Wanted {
            duration,
            ..Wanted::on(kind, USER)
        };
        act::web_form(context, services, wanted).await
    }
}

impl Command for Tempban {
    fn name(&self) -> &'static str {
        "tempban"
    }

    fn definition(&self) -> Definition {
        let duration = act::duration_option("tempban-option-duration");
        let user = user_option("action-option-user");
        act::definition(Kind::Tempban, [user, duration], Some(delete_option()))
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        context.require_permissions(Permissions::BAN_MEMBERS)?;
        let wanted = Wanted {
            duration: Some(act::duration_of(context, SHORTEST)?),
            delete_seconds: delete_seconds(context)?.unwrap_or(0),
            ..Wanted::on(Kind::Tempban, USER)
        };
        act::run(context, services, wanted).await
    }
}

impl Command for Softban {
    fn name(&self) -> &'static str {
        "softban"
    }

    fn definition(&self) -> Definition {
        let delete = Opt::named(Type::String, "softban-option-delete", "delete_messages");
        let user = user_option("softban-option-user");
        act::definition(
            Kind::Softban,
            [user],
            Some(delete.choices(delete_choices().skip(1))),
        )
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        let wanted = Wanted {
            delete_seconds: delete_seconds(context)?.unwrap_or(SOFTBAN_DELETES),
            ..Wanted::on(Kind::Softban, USER)
        };
        act::run(context, services, wanted).await
    }
}

impl Command for Unban {
    fn name(&self) -> &'static str {
        "unban"
    }

    fn definition(&self) -> Definition {
        act::definition(Kind::Unban, [user_option("unban-option-user")], None)
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        act::run(context, services, Wanted::on(Kind::Unban, USER)).await
    }
}

fn user_option(key: &str) -> Opt {
    Opt::named(Type::User, key, USER).required()
}

pub(super) fn delete_option() -> Opt {
    Opt::named(Type::String, "ban-option-delete", "delete_messages").choices(delete_choices())
}

fn delete_choices() -> impl Iterator<Item = (&'static str, String)> {
    DELETED
        .into_iter()
        .map(|(word, _)| (word, format!("ban-delete-{word}")))
}

/// The chosen age of the messages to delete.
pub(super) fn delete_seconds(context: &CommandContext) -> Result<Option<u32>, CommandError> {
    const OPTION: &str = "delete_messages";
    let Some(word) = context.payload.text(OPTION)? else {
        return Ok(None);
    };
    let chosen = DELETED.into_iter().find(|(known, _)| *known == word);
    Ok(Some(chosen.ok_or(BadOption(OPTION))?.1))
}
