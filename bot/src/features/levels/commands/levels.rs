//! `/levels`: configures XP, level-up announcements and rewards.

mod announce;
pub(crate) mod mass;
pub(crate) mod rewards;
pub(crate) mod rules;
mod show;

use serde_json::Value as Json;
use twilight_model::{
    application::command::{Command as Definition, CommandOptionChoice, CommandOptionType},
    guild::Permissions,
};

use crate::{
    interactions::{
        CommandContext, CommandError, Services,
        command::Command,
        define::{Opt, TEXT_CHANNELS, for_servers},
        feature::Undo,
        reply::Reply,
        settings_changes::undo,
    },
    settings::{
        LeavePolicy,
        change::{self, Change},
        values::earning::{LONGEST_COOLDOWN, RoleMode},
    },
};

/// How `/undo` takes back what the commands about levels change.
pub(crate) const UNDOS: [Undo; 21] = {
    let [give, take, set, reset, levels_reset, levels_undo] = mass::UNDOS;
    [
        give,
        take,
        set,
        reset,
        levels_reset,
        levels_undo,
        undo("levels_xp"),
        undo("levels_cooldown"),
        undo("levels_curve"),
        undo("levels_multiplier"),
        undo("levels_role_mode"),
        undo("levels_boost"),
        undo("levels_boost_end"),
        undo("levels_announce"),
        undo("levels_departed"),
        undo("levels_reward_add"),
        undo("levels_reward_remove"),
        undo("levels_reward_mode"),
        undo("levels_reward_demotion"),
        undo("levels_reward_rejoin"),
        undo("card_server"),
    ]
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
                    .between(0, LONGEST_COOLDOWN.into())
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
                    .one_of("levels-option", LeavePolicy::ALL.map(LeavePolicy::word))
                    .required()],
            ))
            .option(Opt::sub("levels", "reset", []))
            .option(Opt::sub("levels", "undo", [opt(String, "change").completed()]))
            .build()
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        context.require_permissions(Permissions::MANAGE_GUILD)?;
        match context.payload.subcommand().as_slice() {
            ["show"] => show::run(context, services).await,
            ["xp"] => rules::xp(context, services).await,
            ["cooldown"] => rules::cooldown(context, services).await,
            ["multiplier"] => rules::multiplier(context, services).await,
            ["role-mode"] => rules::role_mode(context, services).await,
            ["boost"] => rules::boost(context, services).await,
            ["boost-end"] => rules::boost_end(context, services).await,
            ["curve"] => rules::curve(context, services).await,
            ["departed"] => rules::departed(context, services).await,
            ["announce"] => announce::run(context, services).await,
            ["reward", "add"] => rewards::add(context, services).await,
            ["reward", "remove"] => rewards::remove(context, services).await,
            ["reward", "list"] => rewards::list(context, services).await,
            ["reward", "mode"] => rewards::mode(context, services).await,
            ["reward", "demotion"] => rewards::demotion(context, services).await,
            ["reward", "rejoin"] => rewards::rejoin(context, services).await,
            ["reward", "sync"] => rewards::sync(context, services).await,
            ["reset"] => mass::ask_to_reset(context),
            ["undo"] => mass::undo(context, services).await,
            _ => Err(context.refuse("error-unknown")),
        }
    }

    async fn component(
        &self,
        context: &mut CommandContext,
        services: &Services,
    ) -> Result<Reply, CommandError> {
        context.require_permissions(Permissions::MANAGE_GUILD)?;
        mass::pressed(context, services)
    }

    async fn autocomplete(
        &self,
        context: &mut CommandContext,
        services: &Services,
    ) -> Result<Vec<CommandOptionChoice>, CommandError> {
        context.require_permissions(Permissions::MANAGE_GUILD)?;
        mass::changes(context, services).await
    }
}

/// Change settings, once per interaction.
async fn change(
    context: &CommandContext,
    services: &Services,
    action: &'static str,
    details: &Json,
    changes: Vec<Change>,
) -> Result<(), CommandError> {
    let request = context.request(action, details)?;
    change::change(&services.store, request, changes).await?;
    Ok(())
}
