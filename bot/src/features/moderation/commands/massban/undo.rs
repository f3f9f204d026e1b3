//! The button that lifts the bans of a massban.

use tokio::time::{Instant, sleep};
use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker},
};

use super::{SHOWN_EVERY, SHOWN_FOR};
use crate::{
    discord::guilds::authority::Authority,
    features::moderation::{
        Denied,
        commands::warn,
        massban_undo::{self, Undoing, Undone},
        rows::massban as rows,
    },
    interactions::{CommandContext, CommandError, Progress, Services, reply::Reply},
    support::i18n::Language,
};

pub(super) async fn pressed(
    context: &CommandContext,
    services: &Services,
    (massban_id, authority): (Id<InteractionMarker>, Authority),
) -> Result<Reply, CommandError> {
    let language = context.language();
    let moderator = context.payload.user().ok_or(CommandError::Stale)?;
    let undoing = Undoing {
        massban_id,
        permit: authority.unban_permit()?,
        moderator: moderator.username.clone(),
    };
    let act = warn::act(context, context.guild()?)?;
    let undone = massban_undo::undo(&services.store, &services.settings, (act, language), undoing).await?;
    let undone = undone.map_err(|denied| match denied {
        Denied::Ended => context.refuse("massban-undo-none"),
        _ => context.refuse("massban-undo-late"),
    })?;
    let guild_id = act.guild_id;
    context.defer(move |progress| async move { follow(&progress, guild_id, undone, language).await });
    Ok(Reply::private(language.text("massban-undoing")).updating())
}

/// Wait until every ban is lifted, or cannot be.
async fn follow(progress: &Progress, guild_id: Id<GuildMarker>, undone: Undone, language: Language) -> Reply {
    let until = Instant::now() + SHOWN_FOR;
    let store = &progress.services().store;
    let cases = (undone.first_case, undone.last_case);
    while Instant::now() < until {
        // If the database is away for a moment, it is looked up again.
        if let Ok((lifted, 0)) = rows::lifted(store, guild_id, cases).await {
            let all = undone.last_case - undone.first_case + 1;
            let values = [
                ("lifted", language.number(lifted.unsigned_abs()).into()),
                ("all", language.number(all.unsigned_abs()).into()),
                ("first", undone.first_case.to_string().into()),
                ("last", undone.last_case.to_string().into()),
            ];
            return Reply::private(language.filled("massban-undone", &values));
        }
        sleep(SHOWN_EVERY).await;
    }
    Reply::private(language.text("massban-undo-waiting"))
}
