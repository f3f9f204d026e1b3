//! `/undo`: takes back a change that a command made. The manifests say what can be undone, and how.

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;
use twilight_model::{
    application::command::{
        Command as Definition, CommandOptionChoice, CommandOptionChoiceValue, CommandOptionType as Type,
    },
    guild::Permissions,
    id::{
        Id,
        marker::{InteractionMarker, UserMarker},
    },
};

use crate::{
    interactions::{
        CommandContext, CommandError, Services,
        command::Command,
        define::{Opt, for_servers},
        feature::{By, Feature, TakeBack, Undo},
        payload::BadOption,
        reply::Reply,
    },
    postgres::request::{Completed, undo},
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
        let gone = || context.refuse("undo-gone");
        let chosen: Id<InteractionMarker> = chosen.parse().map_err(|_no_id| gone())?;
        let guild_id = context.guild()?;
        let request = undo::find(&services.store, guild_id, chosen).await?;
        let way = request.and_then(|request| way(services, &request.action));
        let way = way.ok_or_else(gone)?;
        // One by one, because the refusal names one.
        for permission in way.permissions.iter() {
            context.require_permissions(permission)?;
        }
        let take_back = match way.take_back {
            TakeBack::AtOnce(take_back) => take_back,
            TakeBack::InSteps(take_back) => return take_back(context, services, chosen).await,
        };
        let by = By {
            user_id: context.payload.user().ok_or(CommandError::ServerOnly)?.id,
            interaction_id: context.payload.id,
            language: context.language(),
        };
        let request = context.request("undo", &json!({"request_id": chosen.to_string()}))?;
        let settings = services.settings.clone();
        let undone = services.store.once("undo", request, move |tx| {
            let settings = settings.clone();
            Box::pin(async move {
                let Some(request) = undo::lock(tx, guild_id, chosen).await? else {
                    return Ok(Err("undo-gone"));
                };
                if !take_back(tx, &settings, (&request, by)).await? {
                    return Ok(Err("undo-changed"));
                }
                undo::mark(tx, &request, by.interaction_id).await?;
                Ok(Ok(Completed::kept((way.words)(&request, by.language))))
            })
        });
        let undone = undone.await?.map_err(|why| context.refuse(why))?;
        let values = [("what", undone.into_value()?.into())];
        Ok(Reply::private(context.language().filled("undo-done", &values)))
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
            let what = (way(services, &request.action)?.words)(request, language);
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

/// How requests with this action are undone, if they can be.
fn way(services: &Services, action: &str) -> Option<&'static Undo> {
    services.commands.undos().find(|undo| undo.action == action)
}
