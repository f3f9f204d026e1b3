//! Accepting an appeal: an unban with the checks of `/unban`.

use super::{
    act::{self, Wanted},
    forms::Submitted,
};
use crate::{
    discord::rest::Priority,
    features::moderation::{kind::Kind, rows::appeal::Appeal},
    interactions::{CommandContext, CommandError, Services, payload::User, reply::Reply},
};

/// Accept an appeal with an answer to the user, which is the reason of the case too.
pub(crate) async fn accept(
    context: &CommandContext,
    services: &Services,
    (appeal, answer): (&Appeal, String),
) -> Result<Reply, CommandError> {
    let guilds = &services.guilds;
    let person = guilds
        .person(context.guild()?, appeal.user_id, Priority::Interaction)
        .await?;
    let person = person.ok_or(CommandError::Stale)?;
    let given = Submitted {
        user: User {
            id: person.id,
            username: person.username,
            global_name: None,
            bot: person.is_bot,
            avatar: None,
        },
        is_member: person.roles.is_some(),
        reason: Some(answer.clone()).filter(|answer| !answer.is_empty()),
        report_id: None,
        appeal: Some((appeal.id, answer)),
        evidence: None,
    };
    act::take(context, services, (Wanted::on(Kind::Unban, "user"), None), given).await
}
