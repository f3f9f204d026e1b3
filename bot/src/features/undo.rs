//! `/undo`: takes back a change that a command made. The manifests say what can be undone, and how.

use std::{collections::BTreeSet, time::Duration};

use twilight_model::{
    application::command::{
        Command as Definition, CommandOptionChoice, CommandOptionChoiceValue, CommandOptionType as Type,
    },
    guild::Permissions,
    id::{Id, marker::UserMarker},
};

use crate::{
    interactions::{
        CommandContext, CommandError, Services,
        command::Command,
        define::{Opt, for_servers},
        feature::Feature,
        payload::BadOption,
        reply::Reply,
        undoing,
    },
    postgres::request::undo,
    support::text::limits::excerpt,
};

/// The manifest.
pub(crate) const FEATURE: Feature = Feature {
    commands: &[&UndoCommand],
    ..Feature::NOTHING
};

/// Changes from which one can be chosen.
const CHOICES: u32 = 25;
/// The maximum length of a choice, in characters.
const LONGEST: usize = 100;
/// How long the list waits for names.
const NAMES_PATIENCE: Duration = Duration::from_secs(1);
/// Who sees the list. An undo needs the permissions of what is undone, too.
const STAFF: Permissions = Permissions::MANAGE_GUILD;

#[derive(Debug)]
struct UndoCommand;

impl Command for UndoCommand {
    fn name(&self) -> &'static str {
        "undo"
    }

    fn definition(&self) -> Definition {
        let change = Opt::named(Type::String, "undo-option-change", "change");
        for_servers(self.name(), Some(STAFF))
            .option(change.at_most(100).required().completed())
            .build()
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        context.require_permissions(STAFF)?;
        let chosen = context.payload.text("change")?.ok_or(BadOption("change"))?;
        let chosen = chosen.parse().map_err(|_no_id| context.refuse("undo-gone"))?;
        undoing::take_back(context, services, chosen).await
    }

    async fn autocomplete(
        &self,
        context: &mut CommandContext,
        services: &Services,
    ) -> Result<Vec<CommandOptionChoice>, CommandError> {
        context.require_permissions(STAFF)?;
        let language = context.language();
        let actions: Vec<&str> = services.commands.undos().map(|undo| undo.action).collect();
        let guild_id = context.guild()?;
        let found = undo::list(&services.store, guild_id, &actions, CHOICES).await?;
        let people = found
            .iter()
            .flat_map(|request| [request.actor_id, request.member_id()]);
        let people: BTreeSet<_> = people.flatten().collect();
        let names = services
            .guilds
            .member_names(guild_id, people, NAMES_PATIENCE)
            .await;
        let choices = found.iter().filter_map(|request| {
            let what = (undoing::way(services, &request.action)?.words)(request, language);
            let name = |user: Id<UserMarker>| {
                let name = names.get(&user);
                name.map_or_else(|| user.to_string(), |name| name.as_plain().to_owned())
            };
            let actor = request.actor_id.map_or_else(String::new, name);
            let values = [("what", what.into()), ("actor", actor.into())];
            let name = match request.member_id() {
                None => language.filled("undo-line", &values),
                Some(member) => {
                    let [what, actor] = values;
                    language.filled("undo-line-of", &[what, actor, ("member", name(member).into())])
                }
            };
            Some(CommandOptionChoice {
                name: excerpt(&name, LONGEST),
                name_localizations: None,
                value: CommandOptionChoiceValue::String(request.request_id.to_string()),
            })
        });
        Ok(choices.collect())
    }
}
