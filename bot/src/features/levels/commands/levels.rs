//! `/levels`: what messages earn, how levels are announced and what they give.

mod announce;
mod mass;
mod rewards;
mod rules;
mod show;

use futures_util::future::BoxFuture;
use serde_json::Value as Json;
use twilight_model::{
    application::command::{Command as Definition, CommandOptionChoice, CommandOptionType},
    guild::Permissions,
};

use crate::{
    features::levels::rules::earning::RoleMode,
    interactions::{
        Around, Question, Refusal,
        command::Command,
        define::{Opt, TEXT_CHANNELS, for_servers},
        reply::Reply,
    },
    settings::{Departed, change::Change},
};

#[derive(Debug)]
pub(crate) struct Levels;

impl Command for Levels {
    fn name(&self) -> &'static str {
        "levels"
    }

    fn definition(&self) -> Definition {
        use CommandOptionType::{Boolean, Channel, Integer, Number, Role, String};
        let opt = |kind, name| Opt::new(kind, "levels-option", name);
        let role = || opt(Role, "role");
        let channel = || opt(Channel, "channel");
        let factor = || opt(Number, "factor").within(0.0, 10.0).required();
        let xp = |name| opt(Integer, name).between(0, 10_000).required();
        for_servers(self.name(), Some(Permissions::MANAGE_GUILD))
            .option(Opt::sub("levels", "show", []))
            .option(Opt::sub("levels", "xp", [xp("least"), xp("most")]))
            .option(Opt::sub(
                "levels",
                "cooldown",
                [opt(Integer, "seconds")
                    .between(0, rules::LONGEST_COOLDOWN)
                    .required()],
            ))
            .option(Opt::sub("levels", "multiplier", [factor(), role(), channel()]))
            .option(Opt::sub(
                "levels",
                "role-mode",
                [opt(String, "mode")
                    .one_of("levels-option", RoleMode::ALL.map(RoleMode::word))
                    .required()],
            ))
            .option(Opt::sub(
                "levels",
                "boost",
                [
                    factor(),
                    opt(Integer, "hours").between(1, rules::LONGEST_BOOST).required(),
                    role(),
                    channel(),
                ],
            ))
            .option(Opt::sub("levels", "boost-end", []))
            .option(Opt::sub(
                "levels",
                "announce",
                [
                    opt(String, "where")
                        .one_of("levels-option", announce::WHERE)
                        .required(),
                    channel().channels(TEXT_CHANNELS),
                    opt(String, "text").at_most(announce::MOST_CHARS),
                    opt(Boolean, "ping"),
                ],
            ))
            .option(rewards::definition())
            .option(Opt::sub(
                "levels",
                "curve",
                [
                    opt(String, "kind")
                        .one_of("levels-option", rules::CURVES)
                        .required(),
                    opt(Number, "step").within(1.0, 10_000.0),
                    opt(Number, "cubic").within(0.0, 10_000.0),
                    opt(Number, "square").within(0.0, 10_000.0),
                    opt(Number, "straight").within(0.0, 10_000.0),
                ],
            ))
            .option(Opt::sub(
                "levels",
                "departed",
                [opt(String, "fate")
                    .one_of("levels-option", Departed::ALL.map(Departed::word))
                    .required()],
            ))
            .option(Opt::sub("levels", "reset", []))
            .option(Opt::sub("levels", "undo", [opt(String, "change").completed()]))
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
            question.needs(Permissions::MANAGE_GUILD)?;
            match question.asked.subcommand().as_slice() {
                ["show"] => show::run(question, around).await,
                ["xp"] => rules::xp(question, around).await,
                ["cooldown"] => rules::cooldown(question, around).await,
                ["multiplier"] => rules::multiplier(question, around).await,
                ["role-mode"] => rules::role_mode(question, around).await,
                ["boost"] => rules::boost(question, around).await,
                ["boost-end"] => rules::boost_end(question, around).await,
                ["curve"] => rules::curve(question, around).await,
                ["departed"] => rules::departed(question, around).await,
                ["announce"] => announce::run(question, around).await,
                ["reward", "add"] => rewards::add(question, around).await,
                ["reward", "remove"] => rewards::remove(question, around).await,
                ["reward", "list"] => rewards::list(question, around).await,
                ["reward", "mode"] => rewards::mode(question, around).await,
                ["reward", "demotion"] => rewards::demotion(question, around).await,
                ["reward", "rejoin"] => rewards::rejoin(question, around).await,
                ["reward", "sync"] => rewards::sync(question, around).await,
                ["reset"] => mass::ask_to_reset(question),
                ["undo"] => mass::undo(question, around).await,
                _ => Err(question.refuse("error-unknown")),
            }
        })
    }

    fn press<'a>(
        &'a self,
        question: &'a mut Question,
        around: &'a Around,
    ) -> BoxFuture<'a, Result<Reply, Refusal>> {
        Box::pin(async move {
            question.needs(Permissions::MANAGE_GUILD)?;
            mass::pressed(question, around)
        })
    }

    fn complete<'a>(
        &'a self,
        question: &'a mut Question,
        around: &'a Around,
    ) -> BoxFuture<'a, Result<Vec<CommandOptionChoice>, Refusal>> {
        Box::pin(async move {
            question.needs(Permissions::MANAGE_GUILD)?;
            mass::changes(question, around).await
        })
    }
}

/// Change settings, once for this interaction.
async fn change(
    question: &Question,
    around: &Around,
    action: &'static str,
    details: &Json,
    changes: Vec<Change>,
) -> Result<(), Refusal> {
    let entry = question.entry(action, details)?;
    around.settings.change(&around.store, entry, changes).await?;
    Ok(())
}
