//! `/purge`: deletes messages of the channel that match what is chosen.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};
use twilight_model::{
    application::command::{Command as Definition, CommandOptionType as Kind},
    channel::message::component::ButtonStyle,
    guild::Permissions,
    id::{
        Id,
        marker::{ChannelMarker, InteractionMarker, MessageMarker},
    },
};

use super::{
    ReadsContent, begin,
    effect::{NEEDED, Purge as Batch},
    filter::{self, Filter},
    rows::{self, Row},
    scan::{self, Range, SCANNED},
};
use crate::{
    discord::{
        guilds::authority::channels::{ChannelPermit, first},
        rest::Priority,
    },
    interactions::{
        CommandContext, CommandError, Progress, Services,
        command::Command,
        define::{Opt, button, buttons, for_servers},
        menu::Menu,
        options::REASON_CHARS,
        payload::BadOption,
        reply::Reply,
    },
    outbox::trouble::{self, Trouble},
    support::{
        i18n::{Language, Value},
        ids,
    },
};

/// More messages than this are deleted only after a confirmation.
const UNCONFIRMED: usize = 100;
/// The maximum length of a text or pattern to search for, in characters.
const SEARCHED_CHARS: u16 = 100;
/// How often progress is looked up, and for how long it is shown.
const SHOWN_EVERY: Duration = Duration::from_secs(1);
const SHOWN_FOR: Duration = Duration::from_mins(2);

#[derive(Debug)]
pub(crate) struct Purge;

impl Command for Purge {
    fn name(&self) -> &'static str {
        "purge"
    }

    fn definition(&self) -> Definition {
        let option = Opt::named;
        let most = i64::try_from(SCANNED).unwrap_or(i64::MAX);
        let text = |key, name| option(Kind::String, key, name).at_most(SEARCHED_CHARS);
        for_servers(self.name(), Some(Permissions::MANAGE_MESSAGES))
            .option(
                option(Kind::Integer, "purge-option-count", "count")
                    .between(1, most)
                    .required(),
            )
            .option(option(Kind::User, "purge-option-user", "user"))
            .option(option(Kind::Boolean, "purge-option-bots", "bots"))
            .option(option(Kind::Boolean, "purge-option-links", "links"))
            .option(option(Kind::Boolean, "purge-option-invites", "invites"))
            .option(option(Kind::Boolean, "purge-option-attachments", "attachments"))
            .option(option(Kind::Boolean, "purge-option-embeds", "embeds"))
            .option(text("purge-option-contains", "contains"))
            .option(text("purge-option-regex", "regex"))
            .option(text("purge-option-before", "before"))
            .option(text("purge-option-after", "after"))
            .option(option(Kind::Boolean, "purge-option-keep-pinned", "keep_pinned"))
            .option(option(Kind::String, "purge-option-reason", "reason").at_most(REASON_CHARS))
            .build()
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        run(context, services).await
    }

    fn menu(&self) -> Option<Menu> {
        Some(Menu::of_messages("purge-menu"))
    }

    /// Delete a message and what follows it, after a confirmation.
    async fn chosen(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        let message = context.payload.target_message().ok_or(CommandError::Stale)?;
        let range = Range {
            after: Id::new_checked(message.id.get() - 1),
            before: None,
        };
        let permit = permit(context, services, message.channel_id).await?;
        let wanted = Wanted {
            filter: filter(context)?,
            range,
            count: SCANNED,
            unconfirmed: 0,
        };
        find(context, services, (message.channel_id, permit), wanted).await
    }

    async fn component(
        &self,
        context: &mut CommandContext,
        services: &Services,
    ) -> Result<Reply, CommandError> {
        pressed(context, services).await
    }
}

/// What a moderator wants to delete.
struct Wanted {
    filter: Filter,
    range: Range,
    count: usize,
    /// More messages than this are deleted only after a confirmation.
    unconfirmed: usize,
}

async fn run(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let channel_id = context.payload.channel_id.ok_or(CommandError::ServerOnly)?;
    let permit = permit(context, services, channel_id).await?;
    let filter = filter(context)?;
    let reads_content = services.state.get::<ReadsContent>().is_some_and(|reads| reads.0);
    if filter.reads_content() && !reads_content {
        return Err(context.refuse("purge-no-content"));
    }
    let range = Range {
        after: message_id(context, "after")?,
        before: message_id(context, "before")?,
    };
    let count = context.payload.integer("count")?.ok_or(BadOption("count"))?;
    let count = usize::try_from(count)
        .ok()
        .filter(|count| (1..=SCANNED).contains(count));
    let wanted = Wanted {
        filter,
        range,
        count: count.ok_or(BadOption("count"))?,
        unconfirmed: UNCONFIRMED,
    };
    find(context, services, (channel_id, permit), wanted).await
}

/// Find the messages, and delete them or ask first.
async fn find(
    context: &CommandContext,
    services: &Services,
    (channel_id, permit): (Id<ChannelMarker>, ChannelPermit),
    wanted: Wanted,
) -> Result<Reply, CommandError> {
    let language = context.language();
    let now = ids::millis(context.payload.id);
    let found = scan::scan(
        &services.rest,
        channel_id,
        (&wanted.filter, wanted.range),
        wanted.count,
        now,
    )
    .await?;
    if found.messages.is_empty() {
        let mut text = language.text("purge-nothing");
        text.push_str(&too_old(found.too_old, language));
        return Ok(Reply::private(text));
    }
    let matching = found.messages.len();
    let is_confirmed = matching <= wanted.unconfirmed;
    let reason = context.reason()?;
    let purge_id = context.payload.id;
    let batch = Batch {
        request_id: purge_id,
        from: 0,
        permit,
        audit_reason: context.audit_reason(reason.as_deref()),
        locale: language.code().to_owned(),
    };
    let details = json!({"channel_id": channel_id.to_string(), "messages": matching});
    let request = context.request("purge", &details)?;
    let effect = is_confirmed.then_some(batch);
    let stored = (found.messages, reason);
    if !begin::store(&services.store, request, channel_id, stored, effect).await? {
        return Ok(Reply::private(language.text("error-done-before")));
    }
    let values = counted(matching as u64, language);
    if is_confirmed {
        follow(context, purge_id, found.too_old)?;
        return Ok(Reply::private(language.filled("purge-runs", &values)));
    }
    let mut text = language.filled("purge-sure", &values);
    text.push_str(&too_old(found.too_old, language));
    let user_id = context.payload.user().ok_or(CommandError::Stale)?.id;
    let press = |word: &str, style| {
        let label = language.text(&format!("purge-{word}"));
        button(
            format!("purge:{word}:{purge_id}:{user_id}:{}", found.too_old),
            label,
            style,
        )
    };
    let row = buttons([
        press("yes", ButtonStyle::Danger),
        press("no", ButtonStyle::Secondary),
    ]);
    Ok(Reply::private(text).with_components(vec![row]))
}

async fn pressed(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let language = context.language();
    let channel_id = context.payload.channel_id.ok_or(CommandError::ServerOnly)?;
    let permit = permit(context, services, channel_id).await?;
    let presser = context.payload.user().ok_or(CommandError::Stale)?.id.to_string();
    let parts = context.payload.custom_id_parts();
    let [word, purge_id, asker, old] = parts[..] else {
        return Err(CommandError::Stale);
    };
    if asker != presser {
        return Err(context.refuse("error-foreign"));
    }
    if word != "yes" {
        return Ok(Reply::private(language.text("purge-kept")).updating());
    }
    let purge_id: Id<InteractionMarker> = purge_id.parse().map_err(|_no_id| CommandError::Stale)?;
    // It was given with the command, and not with the button.
    let row = rows::get(&services.store, (context.guild()?, purge_id)).await?;
    let reason = row.and_then(|row| row.reason);
    let batch = Batch {
        request_id: purge_id,
        from: 0,
        permit,
        audit_reason: context.audit_reason(reason.as_deref()),
        locale: language.code().to_owned(),
    };
    let details = json!({"interaction_id": purge_id.to_string()});
    let request = context.request("purge_confirm", &details)?;
    if !begin::confirm(&services.store, request, purge_id, batch).await? {
        return Err(CommandError::Stale);
    }
    follow(context, purge_id, old.parse().unwrap_or(0))?;
    Ok(Reply::private(language.text("purge-confirmed")).updating())
}

/// Check that the moderator and the bot can delete the messages of the channel.
async fn permit(
    context: &CommandContext,
    services: &Services,
    channel_id: Id<ChannelMarker>,
) -> Result<ChannelPermit, CommandError> {
    let needed = [Permissions::MANAGE_MESSAGES, Permissions::READ_MESSAGE_HISTORY];
    for permission in needed {
        context.require_permissions(permission)?;
    }
    let guild_id = context.guild()?;
    let user_id = context.payload.user().ok_or(CommandError::Stale)?.id;
    let member = context.payload.membership();
    let who = (user_id, &member);
    let guilds = &services.guilds;
    let permit = guilds
        .channel_permit(guild_id, channel_id, who, NEEDED, Priority::Interaction)
        .await??;
    let lacking = guilds
        .bot_lacks(guild_id, channel_id, NEEDED, Priority::Interaction)
        .await?;
    if lacking.is_empty() {
        Ok(permit)
    } else {
        let trouble = Trouble::BotLacks(first(lacking));
        Err(CommandError::Said(trouble.in_words(context.language())))
    }
}

fn filter(context: &CommandContext) -> Result<Filter, CommandError> {
    let payload = &context.payload;
    let chosen = |name| payload.boolean(name).map(|chosen| chosen.unwrap_or(false));
    let pattern = match payload.text("regex")? {
        Some(text) => {
            let pattern = filter::pattern(text).ok_or_else(|| context.refuse("purge-bad-regex"))?;
            Some(pattern)
        }
        None => None,
    };
    Ok(Filter {
        user: payload.chosen_user("user")?.map(|(user, _)| user.id),
        bots: chosen("bots")?,
        links: chosen("links")?,
        invites: chosen("invites")?,
        attachments: chosen("attachments")?,
        embeds: chosen("embeds")?,
        contains: payload.text("contains")?.map(str::to_lowercase),
        pattern,
        keeps_pinned: payload.boolean("keep_pinned")?.unwrap_or(true),
    })
}

/// A message that was given by its ID, or by its link.
fn message_id(
    context: &CommandContext,
    name: &'static str,
) -> Result<Option<Id<MessageMarker>>, CommandError> {
    let Some(text) = context.payload.text(name)? else {
        return Ok(None);
    };
    let last = text.trim().trim_end_matches('/').rsplit('/').next();
    let id = last.and_then(ids::written);
    id.map(Some).ok_or_else(|| context.refuse("purge-bad-message"))
}

/// Show how far a deletion is.
fn follow(
    context: &CommandContext,
    purge_id: Id<InteractionMarker>,
    skipped: u64,
) -> Result<(), CommandError> {
    let (guild_id, language) = (context.guild()?, context.language());
    context.defer(move |progress| async move {
        let row = watch(&progress, (guild_id, purge_id), language).await;
        Reply::private(in_words(row.as_ref(), skipped, language))
    });
    Ok(())
}

/// Wait for the end of a deletion, and show how far it is. Returns its last state that is known.
async fn watch(progress: &Progress, key: rows::Key, language: Language) -> Option<Row> {
    let until = Instant::now() + SHOWN_FOR;
    let (mut last, mut shown) = (None, 0);
    loop {
        if let Ok(row) = rows::get(&progress.services().store, key).await {
            let is_over = row
                .as_ref()
                .is_none_or(|row| row.failure.is_some() || row.done >= row.messages.len());
            last = row;
            if is_over {
                return last;
            }
        }
        if Instant::now() >= until {
            return last;
        }
        if let Some(row) = last.as_ref().filter(|row| row.done > shown) {
            shown = row.done;
            let values = [
                ("done", language.number(row.deleted() as u64).into()),
                ("all", language.number(row.messages.len() as u64).into()),
            ];
            progress
                .say(&Reply::private(language.filled("purge-so-far", &values)))
                .await;
        }
        sleep(SHOWN_EVERY).await;
    }
}

fn in_words(row: Option<&Row>, skipped: u64, language: Language) -> String {
    let Some(row) = row else {
        return language.text("purge-waiting");
    };
    let mut values = counted(row.deleted() as u64, language);
    if let Some(failure) = &row.failure {
        values.push(("why", trouble::in_words(failure, language).into()));
        return language.filled("purge-failed", &values);
    }
    if row.done < row.messages.len() {
        return language.text("purge-waiting");
    }
    let mut text = language.filled("purge-done", &values);
    text.push_str(&too_old(skipped + row.too_old as u64, language));
    text
}

fn counted(messages: u64, language: Language) -> Vec<(&'static str, Value)> {
    vec![
        ("messages", Value::Count(messages)),
        ("count", language.number(messages).into()),
    ]
}

/// A sentence about messages that are too old, if there are any.
fn too_old(messages: u64, language: Language) -> String {
    if messages == 0 {
        return String::new();
    }
    format!(
        " {}",
        language.filled("purge-too-old", &counted(messages, language))
    )
}
