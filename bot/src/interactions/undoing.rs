//! Taking changes back, by `/undo` and on the website. The manifests say what can be taken back, and how.

use serde_json::json;
use twilight_model::id::{Id, marker::InteractionMarker};

use super::{
    CommandContext, CommandError, Services,
    feature::{By, TakeBack, Undo},
    reply::Reply,
};
use crate::postgres::request::{Completed, undo};

/// Take back what a request changed, once for this interaction, with the permissions of the command.
pub(crate) async fn take_back(
    context: &CommandContext,
    services: &Services,
    chosen: Id<InteractionMarker>,
) -> Result<Reply, CommandError> {
    let guild_id = context.guild()?;
    let request = undo::find(&services.store, guild_id, chosen).await?;
    let way = request.and_then(|request| way(services, &request.action));
    let way = way.ok_or_else(|| context.refuse("undo-gone"))?;
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

/// How requests with this action are undone, if they can be.
pub(crate) fn way(services: &Services, action: &str) -> Option<&'static Undo> {
    services.commands.undos().find(|undo| undo.action == action)
}
