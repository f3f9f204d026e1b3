//! `/card`: the colours of rank cards, a member's own and the server's.

use futures_util::future::BoxFuture;
use serde_json::json;
use twilight_model::{
    application::command::{Command as Definition, CommandOptionType as Kind},
    guild::Permissions,
};

use crate::{
    features::levels::{card::colour::Colour, rows::member_card},
    interactions::{
        Around, Question, Refusal,
        asked::BadOption,
        command::Command,
        define::{Opt, for_servers},
        reply::Reply,
    },
    settings::change::change_card_colour,
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

    fn run<'a>(
        &'a self,
        question: &'a mut Question,
        around: &'a Around,
    ) -> BoxFuture<'a, Result<Reply, Refusal>> {
        Box::pin(async move {
            let (of_server, chosen) = match question.asked.subcommand()[..] {
                ["mine"] => (false, Some(colour(question)?)),
                ["server"] => {
                    question.needs(Permissions::MANAGE_GUILD)?;
                    (true, Some(colour(question)?))
                }
                _ => (question.asked.boolean("server")?.unwrap_or(false), None),
            };
            if of_server {
                change_server(question, around, chosen).await
            } else {
                change_mine(question, around, chosen).await
            }
        })
    }
}

fn colour(question: &Question) -> Result<Colour, Refusal> {
    let text = question.asked.text("colour")?.ok_or(BadOption("colour"))?;
    Colour::parse(text).ok_or_else(|| question.refuse("card-bad-colour"))
}

async fn change_mine(question: &Question, around: &Around, chosen: Option<Colour>) -> Result<Reply, Refusal> {
    let guild_id = question.guild()?;
    let user_id = question.asked.user().ok_or(BadOption("member"))?.id;
    let key = MemberKey { guild_id, user_id };
    member_card::put_colour(&around.store, key, chosen, question.asked.id).await?;
    Ok(said(question, chosen, "card-mine-set", "card-mine-reset"))
}

async fn change_server(
    question: &Question,
    around: &Around,
    chosen: Option<Colour>,
) -> Result<Reply, Refusal> {
    let guild_id = question.guild()?;
    question.needs(Permissions::MANAGE_GUILD)?;
    let details = json!({"colour": chosen.map(|colour| colour.to_string())});
    let entry = question.entry("card_server", &details)?;
    change_card_colour(&around.store, entry, chosen).await?;
    // Who made the change sees it at once.
    around.settings.forget(guild_id);
    Ok(said(question, chosen, "card-server-set", "card-server-reset"))
}

fn said(question: &Question, chosen: Option<Colour>, set: &str, reset: &str) -> Reply {
    let language = question.language();
    Reply::private(match chosen {
        Some(colour) => language.filled(set, &[("colour", colour.to_string().into())]),
        None => language.text(reset),
    })
}
