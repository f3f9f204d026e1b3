//! `/report`: members report others to the staff, also from the menu of a message. What the message says is not stored.

use twilight_model::{
    application::command::{Command as Definition, CommandOptionType as Type},
    channel::message::component::TextInputStyle,
    guild::Permissions,
    id::{
        Id,
        marker::{ChannelMarker, GuildMarker, InteractionMarker, UserMarker},
    },
};

use super::{
    forms::{FORM, Form},
    warn,
};
use crate::{
    discord::rest::Priority,
    features::moderation::{
        Denied,
        reports::{self, Handled, MOST, NewReport, Reported},
        rows::report::{self, Message},
        settings::ModerationSettings,
    },
    interactions::{
        CommandContext, CommandError, Services,
        command::Command,
        define::{Opt, for_servers},
        form::{Field, form},
        menu::Menu,
        options::REASON_CHARS,
        payload::BadOption,
        reply::Reply,
    },
    support::ids,
};

/// The maximum length of a link, in characters.
const LINK_CHARS: u16 = 200;
/// What the bot needs in the staff's channel.
const NEEDED: Permissions = Permissions::VIEW_CHANNEL.union(Permissions::SEND_MESSAGES);

#[derive(Debug)]
pub(crate) struct Report;

impl Command for Report {
    fn name(&self) -> &'static str {
        "report"
    }

    fn definition(&self) -> Definition {
        let option = Opt::named;
        for_servers(self.name(), None)
            .option(option(Type::User, "report-option-member", "member").required())
            .option(
                option(Type::String, "report-option-reason", "reason")
                    .at_most(REASON_CHARS)
                    .required(),
            )
            .option(option(Type::String, "report-option-message", "message").at_most(LINK_CHARS))
            .build()
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        let payload = &context.payload;
        let (user, _) = payload.chosen_user("member")?.ok_or(BadOption("member"))?;
        let reason = context.reason()?.ok_or(BadOption("reason"))?;
        let message = match payload.text("message")? {
            Some(link) => {
                let message = message_of(link, context.guild()?);
                Some(message.ok_or_else(|| context.refuse("report-bad-link"))?)
            }
            None => None,
        };
        make(context, services, (user.id, message), reason).await
    }

    fn menu(&self) -> Option<Menu> {
        Some(Menu::of_messages("report-menu"))
    }

    async fn chosen(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        let message = context.payload.target_message().ok_or(CommandError::Stale)?;
        staff_channel(context, services, message.author_id).await?;
        let language = context.language();
        let reason = Field {
            custom_id: "reason",
            style: TextInputStyle::Paragraph,
            least: 1,
            most: REASON_CHARS,
            now: "",
            label: language.text("form-reason"),
            hint: language.text("report-reason-hint"),
        };
        Ok(form(
            format!(
                "report:{FORM}:{}:{}:{}",
                message.channel_id, message.id, message.author_id
            ),
            language.text("report-menu"),
            [reason],
        ))
    }

    async fn component(
        &self,
        context: &mut CommandContext,
        services: &Services,
    ) -> Result<Reply, CommandError> {
        let parts = context.payload.custom_id_parts();
        match parts[..] {
            [FORM, channel, message, author] => {
                let of = (channel.parse(), message.parse(), author.parse());
                let (Ok(channel), Ok(message), Ok(author)) = of else {
                    return Err(CommandError::Stale);
                };
                let reason = context.reason_of(context.payload.field("reason"))?;
                let reason = reason.ok_or(BadOption("reason"))?;
                make(context, services, (author, Some((channel, message))), reason).await
            }
            [word, report_id] => {
                let report_id = report_id.parse().map_err(|_no_id| CommandError::Stale)?;
                handle(context, services, word, report_id).await
            }
            _ => Err(CommandError::Stale),
        }
    }
}

/// The message that a link of this guild leads to.
fn message_of(link: &str, guild_id: Id<GuildMarker>) -> Option<Message> {
    let mut parts = link.trim().trim_end_matches('/').rsplit('/');
    let (message, channel, guild) = (parts.next()?, parts.next()?, parts.next()?);
    let is_link = parts.next() == Some("channels") && link.trim().starts_with("https://");
    (is_link && guild.parse() == Ok(guild_id))
        .then(|| Some((ids::written(channel)?, ids::written(message)?)))?
}

/// The channel for reports, if this user can be reported.
async fn staff_channel(
    context: &CommandContext,
    services: &Services,
    user_id: Id<UserMarker>,
) -> Result<Id<ChannelMarker>, CommandError> {
    let guild_id = context.guild()?;
    let chosen = ModerationSettings::of(&services.store, &services.settings, guild_id).await?;
    let channel_id = chosen.reports.ok_or_else(|| context.refuse("report-off"))?;
    if context.payload.user().is_some_and(|user| user.id == user_id) {
        return Err(context.refuse("report-yourself"));
    }
    if user_id == services.guilds.me(Priority::Interaction).await? {
        return Err(context.refuse("report-me"));
    }
    Ok(channel_id)
}

async fn make(
    context: &CommandContext,
    services: &Services,
    (user_id, message): (Id<UserMarker>, Option<Message>),
    reason: String,
) -> Result<Reply, CommandError> {
    let (guild_id, language) = (context.guild()?, context.language());
    let staff_channel_id = staff_channel(context, services, user_id).await?;
    let guilds = &services.guilds;
    let lacking = guilds.bot_lacks(guild_id, staff_channel_id, NEEDED, Priority::Interaction);
    if !lacking.await?.is_empty() {
        return Err(context.refuse("report-broken"));
    }
    let new = NewReport {
        user_id,
        message,
        reason,
        staff_channel_id,
    };
    let act = warn::act(context, guild_id)?;
    let reported = reports::report(&services.store, &services.settings, (act, language), new).await?;
    let key = match reported.map_err(|_denied| CommandError::Stale)? {
        Reported::Done => "report-done",
        Reported::Again => "report-again",
        Reported::TooMany => {
            let values = [("most", MOST.to_string().into())];
            return Err(CommandError::Said(language.filled("report-too-many", &values)));
        }
    };
    Ok(Reply::private(language.text(key)))
}

/// A moderator pressed a button of a report.
async fn handle(
    context: &CommandContext,
    services: &Services,
    word: &str,
    report_id: Id<InteractionMarker>,
) -> Result<Reply, CommandError> {
    context.require_permissions(Permissions::MODERATE_MEMBERS)?;
    let (guild_id, language) = (context.guild()?, context.language());
    let act = warn::act(context, guild_id)?;
    let report = report::get(&services.store, (guild_id, report_id)).await?;
    let report = report.ok_or(CommandError::Stale)?;
    if report.user_id == act.moderator_id {
        return Err(context.refuse("report-own"));
    }
    let (store, settings) = (&services.store, &services.settings);
    let (handled, done) = match word {
        "claim" => (
            reports::claim(store, settings, (act, language), (report_id, true)).await?,
            "report-is-claimed",
        ),
        "release" => (
            reports::claim(store, settings, (act, language), (report_id, false)).await?,
            "report-is-released",
        ),
        "dismiss" => (
            reports::dismiss(store, settings, (act, language), report_id).await?,
            "report-is-dismissed",
        ),
        _ if report.is_closed() => return Err(context.refuse("report-closed")),
        "warn" => return Form::Warn.about(context, report.user_id, Some(report_id)),
        "timeout" => return Form::Timeout.about(context, report.user_id, Some(report_id)),
        "ban" => return Form::Ban.about(context, report.user_id, Some(report_id)),
        _ => return Err(CommandError::Stale),
    };
    let handled = handled.map_err(|denied| match denied {
        Denied::Removed => context.refuse("report-closed"),
        _ => CommandError::Stale,
    })?;
    match handled {
        Handled::Done => Ok(Reply::private(language.text(done))),
        Handled::ClaimedBy(other) => {
            let values = [("moderator", other.to_string().into())];
            Err(CommandError::Said(language.filled("report-claimed", &values)))
        }
    }
}

#[cfg(test)]
mod tests {
    use twilight_model::id::Id;

    use super::message_of;

    #[test]
    fn links_lead_to_messages_of_the_server() {
        let guild = Id::new(100_000_000_000_000_001);
        let read =
            |link: &str| message_of(link, guild).map(|(channel, message)| (channel.get(), message.get()));
        let ids = (100_000_000_000_000_002, 100_000_000_000_000_003);
        for host in ["discord.com", "ptb.discord.com", "discordapp.com"] {
            let link = format!("https://{host}/channels/{guild}/{}/{}", ids.0, ids.1);
            assert_eq!(read(&link), Some(ids), "{link}");
        }
        for link in [
            "100000000000000003",
            "https://discord.com/channels/100000000000000009/100000000000000002/100000000000000003",
            "https://discord.com/channels/100000000000000001/2/3",
            "ftp://discord.com/channels/100000000000000001/100000000000000002/100000000000000003",
        ] {
            assert_eq!(read(link), None, "{link}");
        }
    }
}
