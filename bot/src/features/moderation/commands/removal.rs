//! `/kick`, `/timeout`, `/untimeout`.

use twilight_model::{
    application::command::{Command as Definition, CommandOptionType as Type},
    guild::Permissions,
};

use super::{
    act::{self, Wanted},
    forms::Form,
};
use crate::{
    features::moderation::{duration::SHORTEST_TIMEOUT, kind::Kind},
    interactions::{
        CommandContext, CommandError, Services, command::Command, define::Opt, menu::Menu,
        payload::BadOption, reply::Reply,
    },
};

/// The option with the member.
const MEMBER: &str = "member";

#[derive(Debug)]
pub(crate) struct Kick;

#[derive(Debug)]
pub(crate) struct Timeout;

#[derive(Debug)]
pub(crate) struct Untimeout;

impl Command for Kick {
    fn name(&self) -> &'static str {
        "kick"
    }

    fn definition(&self) -> Definition {
        act::definition(Kind::Kick, [member_option("kick-option-member")], None)
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        act::run(context, services, Wanted::on(Kind::Kick, MEMBER)).await
    }
}

impl Command for Timeout {
    fn name(&self) -> &'static str {
        "timeout"
    }

    fn definition(&self) -> Definition {
        let duration = act::duration_option("timeout-option-duration");
        let member = member_option("timeout-option-member");
        act::definition(Kind::Timeout, [member, duration], None)
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        context.require_permissions(Permissions::MODERATE_MEMBERS)?;
        let wanted = Wanted {
            duration: Some(act::duration_of(context, SHORTEST_TIMEOUT)?),
            ..Wanted::on(Kind::Timeout, MEMBER)
        };
        act::run(context, services, wanted).await
    }

    fn menu(&self) -> Option<Menu> {
        Some(Menu::of_members("timeout-menu"))
    }

    async fn chosen(
        &self,
        context: &mut CommandContext,
        _services: &Services,
    ) -> Result<Reply, CommandError> {
        Form::Timeout.of_target(context)
    }

    async fn component(
        &self,
        context: &mut CommandContext,
        services: &Services,
    ) -> Result<Reply, CommandError> {
        context.require_permissions(Permissions::MODERATE_MEMBERS)?;
        let written = context.payload.field("duration").ok_or(BadOption("duration"))?;
        let wanted = Wanted {
            duration: Some(act::read_duration(context, written, SHORTEST_TIMEOUT)?),
            ..Wanted::on(Kind::Timeout, MEMBER)
        };
        act::web_form(context, services, wanted).await
    }
}

impl Command for Untimeout {
    fn name(&self) -> &'static str {
        "untimeout"
    }

    fn definition(&self) -> Definition {
        act::definition(Kind::Untimeout, [member_option("untimeout-option-member")], None)
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        act::run(context, services, Wanted::on(Kind::Untimeout, MEMBER)).await
    }
}

fn member_option(key: &str) -> Opt {
    Opt::named(Type::User, key, MEMBER).required()
}
