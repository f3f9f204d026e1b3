//! `/card`: the colours of rank cards, for a member and for the guild.

use serde_json::json;
use twilight_model::{
    application::command::{Command as Definition, CommandOptionType as Kind},
    guild::Permissions,
};

use crate::{
    features::levels::rows::member_card,
    interactions::{
        CommandContext, CommandError, Services,
        command::Command,
        define::{Opt, for_servers},
        payload::BadOption,
        reply::Reply,
    },
    settings::{change::change_card_colour, values::colour::Colour},
    support::ids::MemberKey,
};

#[derive(Debug)]
pub(crate) struct Card;

impl Command for Card {
    fn name(&self) -> &'static str {
        "card"
    }

    fn definition(&self) -> Definition {
        let colour = || {
            Opt::named(Kind::String, "card-option-colour", "colour")
                .at_most(16)
                .required()
        };
        let server = Opt::named(Kind::Boolean, "card-option-server", "server");
        for_servers(self.name(), None)
            .option(Opt::sub("card", "mine", [colour()]))
            .option(Opt::sub("card", "server", [colour()]))
            .option(Opt::sub("card", "reset", [server]))
            .build()
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        let (of_server, chosen) = match context.payload.subcommand()[..] {
            ["mine"] => (false, Some(colour(context)?)),
            ["server"] => {
                context.require_permissions(Permissions::MANAGE_GUILD)?;
                (true, Some(colour(context)?))
            }
            _ => (context.payload.boolean("server")?.unwrap_or(false), None),
        };
        if of_server {
            change_server(context, services, chosen).await
        } else {
            change_mine(context, services, chosen).await
        }
    }
}

fn colour(context: &CommandContext) -> Result<Colour, CommandError> {
    let text = context.payload.text("colour")?.ok_or(BadOption("colour"))?;
    Colour::parse(text).ok_or_else(|| context.refuse("card-bad-colour"))
}

async fn change_mine(
    context: &CommandContext,
    services: &Services,
    chosen: Option<Colour>,
) -> Result<Reply, CommandError> {
    let guild_id = context.guild()?;
    let user_id = context.payload.user().ok_or(BadOption("member"))?.id;
    let key = MemberKey { guild_id, user_id };
    member_card::put_colour(&services.store, key, chosen, context.payload.id).await?;
    Ok(said(context, chosen, "card-mine-set", "card-mine-reset"))
}

async fn change_server(
    context: &CommandContext,
    services: &Services,
    chosen: Option<Colour>,
) -> Result<Reply, CommandError> {
    context.require_permissions(Permissions::MANAGE_GUILD)?;
    let details = json!({"colour": chosen.map(|colour| colour.to_string())});
    let request = context.request("card_server", &details)?;
    change_card_colour(&services.store, request, chosen).await?;
    Ok(said(context, chosen, "card-server-set", "card-server-reset"))
}

fn said(context: &CommandContext, chosen: Option<Colour>, set: &str, reset: &str) -> Reply {
    let language = context.language();
    Reply::private(match chosen {
        Some(colour) => language.filled(set, &[("colour", colour.to_string().into())]),
        None => language.text(reset),
    })
}
