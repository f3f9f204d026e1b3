//! `/help`: the commands that a member may use, with what they do.

use std::fmt::Write as _;

use futures_util::future::BoxFuture;
use twilight_model::guild::Permissions;

use crate::interactions::{Around, Question, Refusal, command::Command, reply::Reply};

#[derive(Debug)]
pub(crate) struct Help;

impl Command for Help {
    fn name(&self) -> &'static str {
        "help"
    }

    fn is_private(&self) -> bool {
        true
    }

    fn run<'a>(
        &'a self,
        question: &'a mut Question,
        around: &'a Around,
    ) -> BoxFuture<'a, Result<Reply, Refusal>> {
        let language = question.language();
        let mut text = language.text("help-title");
        let has = question.asked.permissions();
        let may = |needed: Permissions| has.contains(needed) || has.contains(Permissions::ADMINISTRATOR);
        for command in around.commands.iter() {
            // A server can change in its settings who may use a command; Discord does not tell the bot.
            if !command.definition().default_member_permissions.is_none_or(may) {
                continue;
            }
            let name = command.name();
            let description = language.text(&format!("{name}-description"));
            write!(text, "\n`/{name}` – {description}").expect("a String takes everything");
        }
        Box::pin(async move { Ok(Reply::private(text)) })
    }
}
