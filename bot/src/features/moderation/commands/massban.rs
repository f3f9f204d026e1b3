//! `/massban`: bans up to 200 users at once, after a preview that says who cannot be banned.

mod undo;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::json;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use twilight_model::{
    application::command::{Command as Definition, CommandOptionType as Type},
    channel::message::{Component, component::ButtonStyle},
    guild::Permissions,
    id::{
        Id,
        marker::{GuildMarker, InteractionMarker, UserMarker},
    },
};

use super::{
    act,
    ban::{delete_option, delete_seconds},
    warn,
};
use crate::{
    discord::{
        guilds::authority::{
            Authority, Hindrance,
            members::{BULK_BAN, BulkBanPermit},
            permission,
        },
        rest::{Priority, RestError},
    },
    features::moderation::{
        Denied,
        kind::Kind,
        massban::{self, Confirmed, MOST},
        policy,
        rows::massban::{self as rows, Wanted},
        settings::ModerationSettings,
    },
    interactions::{
        CommandContext, CommandError, Progress, Services,
        command::Command,
        define::{Opt, button, buttons, for_servers},
        payload::BadOption,
        reply::Reply,
    },
    postgres::{StoreError, request::Request},
    support::{
        i18n::{Language, Value},
        ids,
        text::{limits::excerpt, names::quoted},
    },
};

/// The maximum length of the list, in characters, as Discord allows it.
const LIST_CHARS: u16 = 6_000;
/// Users who are looked up at the same time.
const AT_ONCE: usize = 5;
/// How much of a part that is no user is shown, in UTF-16 code units.
const WRONG: usize = 30;
/// How many users a line names.
const NAMED: usize = 15;
/// How often progress is looked up, and for how long it is shown.
const SHOWN_EVERY: Duration = Duration::from_secs(1);
const SHOWN_FOR: Duration = Duration::from_mins(5);

#[derive(Debug)]
pub(crate) struct Massban;

impl Command for Massban {
    fn name(&self) -> &'static str {
        "massban"
    }

    fn definition(&self) -> Definition {
        let users = Opt::named(Type::String, "massban-option-users", "users");
        for_servers(
            self.name(),
            Some(Permissions::BAN_MEMBERS | Permissions::MANAGE_GUILD),
        )
        .option(users.at_most(LIST_CHARS).required())
        .option(act::reason_option())
        .option(delete_option())
        .build()
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        ask(context, services).await
    }

    async fn component(
        &self,
        context: &mut CommandContext,
        services: &Services,
    ) -> Result<Reply, CommandError> {
        pressed(context, services).await
    }
}

/// Users in a list, and the parts of it that are none.
#[derive(Debug, Default, PartialEq, Eq)]
struct Listed {
    users: Vec<Id<UserMarker>>,
    wrong: Vec<String>,
}

impl Listed {
    /// Reads IDs and mentions, in any order and as often as they are there.
    fn read(text: &str) -> Self {
        let mut listed = Self::default();
        let between = |char: char| char.is_whitespace() || matches!(char, ',' | ';');
        for part in text.split(between).filter(|part| !part.is_empty()) {
            let mention = part.strip_prefix("<@").and_then(|rest| rest.strip_suffix('>'));
            let id = mention.map_or(part, |id| id.strip_prefix('!').unwrap_or(id));
            match ids::written(id) {
                Some(id) if !listed.users.contains(&id) => listed.users.push(id),
                Some(_again) => {}
                None => listed.wrong.push(excerpt(part, WRONG)),
            }
        }
        listed
    }
}

/// What is to be looked up for a preview.
struct Question {
    request: Request,
    asker_id: Id<UserMarker>,
    authority: Authority,
    policy: Arc<ModerationSettings>,
    listed: Listed,
    reason: String,
    delete_seconds: u32,
}

async fn ask(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let language = context.language();
    let (authority, _permit) = permit(context, services).await?;
    let guild_id = context.guild()?;
    let listed = Listed::read(context.payload.text("users")?.ok_or(BadOption("users"))?);
    let users = listed.users.len();
    if users == 0 {
        return Err(context.refuse("massban-nobody"));
    }
    let count = [("count", language.number(users as u64).into())];
    if users > MOST {
        return Err(CommandError::Said(language.filled("massban-too-many", &count)));
    }
    let reason = warn::reason(context, "reason")?.unwrap_or_default();
    let policy = ModerationSettings::of(&services.store, &services.settings, guild_id).await?;
    policy::reason(context, &policy, (Kind::Ban, &reason))?;
    let question = Question {
        request: context.request("massban", &json!({"users": users}))?,
        asker_id: context.payload.user().ok_or(CommandError::Stale)?.id,
        authority,
        policy,
        listed,
        reason,
        delete_seconds: delete_seconds(context)?.unwrap_or(0),
    };
    context.defer(move |progress| async move {
        match preview(&progress, question, language).await {
            Ok(reply) => reply,
            Err(error) => {
                tracing::warn!(%error, "a massban could not be prepared");
                Reply::private(match error {
                    PreviewError::Rest(error) => error.in_words(language),
                    PreviewError::Store(_) => language.text("error-away"),
                })
            }
        }
    });
    Ok(Reply::private(language.filled("massban-checking", &count)))
}

/// Check that the moderator and the bot may ban many users at once.
async fn permit(
    context: &CommandContext,
    services: &Services,
) -> Result<(Authority, BulkBanPermit), CommandError> {
    for needed in BULK_BAN {
        context.require_permissions(needed)?;
    }
    let authority = context.authority(services).await?;
    let permit = authority.bulk_ban_permit()?;
    for needed in BULK_BAN {
        let guild_id = context.guild()?;
        if !services
            .guilds
            .may(guild_id, needed, Priority::Interaction)
            .await?
        {
            let language = context.language();
            let values = [("permission", permission(needed, language).into())];
            return Err(CommandError::Said(language.filled("action-powerless", &values)));
        }
    }
    Ok((authority, permit))
}

/// Why a preview failed.
#[derive(Debug, thiserror::Error)]
enum PreviewError {
    #[error(transparent)]
    Rest(#[from] RestError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Users by the reason why they cannot be banned, as the key of a text.
type Refused = BTreeMap<String, Vec<Id<UserMarker>>>;

/// Look up each user, store those who can be banned, and ask.
async fn preview(progress: &Progress, question: Question, language: Language) -> Result<Reply, PreviewError> {
    let services = progress.services();
    let users = &question.listed.users;
    let (tell, seen) = watch::channel(0);
    let look_up = async {
        let (mut allowed, mut refused) = (Vec::new(), Refused::new());
        for some in users.chunks(AT_ONCE) {
            let looked_up = join_all(some.iter().map(|user_id| verdict(services, &question, *user_id))).await;
            for (user_id, verdict) in some.iter().zip(looked_up) {
                match verdict? {
                    Ok(name) => allowed.push((*user_id, name)),
                    Err(why) => refused.entry(why.to_owned()).or_default().push(*user_id),
                }
            }
            tell.send_modify(|done| *done += some.len() as u64);
        }
        Ok::<_, RestError>((allowed, refused))
    };
    let so_far = |done| {
        let values = [
            ("done", language.number(done).into()),
            ("all", language.number(users.len() as u64).into()),
        ];
        Reply::private(language.filled("massban-checked", &values))
    };
    let (allowed, refused) = progress.during(look_up, seen, so_far).await?;
    let mut text = if allowed.is_empty() {
        language.text("massban-none")
    } else {
        language.filled("massban-sure", &counted(allowed.len(), language))
    };
    add_refused(&mut text, &refused, language);
    add_wrong(&mut text, &question.listed.wrong, language);
    if allowed.is_empty() {
        return Ok(Reply::private_list(text));
    }
    let massban_id = question.request.request_id;
    let wanted = Wanted {
        users: allowed,
        reason: question.reason,
        delete_seconds: question.delete_seconds,
    };
    massban::store(&services.store, question.request, wanted).await?;
    let press = |word, style| press(word, style, (massban_id, question.asker_id), language);
    let row = buttons([
        press("yes", ButtonStyle::Danger),
        press("tell", ButtonStyle::Danger),
        press("no", ButtonStyle::Secondary),
    ]);
    Ok(Reply::private_list(text).with_components(vec![row]))
}

fn press(
    word: &str,
    style: ButtonStyle,
    (massban_id, asker_id): (Id<InteractionMarker>, Id<UserMarker>),
    language: Language,
) -> Component {
    let label = language.text(&format!("massban-{word}"));
    button(format!("massban:{word}:{massban_id}:{asker_id}"), label, style)
}

/// The name of a user who can be banned, or the key of the text that says why not.
async fn verdict(
    services: &Services,
    question: &Question,
    user_id: Id<UserMarker>,
) -> Result<Result<String, &'static str>, RestError> {
    let guilds = &services.guilds;
    let guild_id = question.request.guild_id;
    if user_id == question.asker_id {
        return Ok(Err("massban-why-you"));
    }
    if user_id == guilds.me(Priority::Command).await? {
        return Ok(Err("massban-why-me"));
    }
    let Some(person) = guilds.person(guild_id, user_id, Priority::Command).await? else {
        return Ok(Err("massban-why-unknown"));
    };
    let who = (user_id, person.roles.as_deref());
    let hindrance = guilds.bulk_ban_hindrance(guild_id, &question.authority, who, Priority::Command);
    if let Some(hindrance) = hindrance.await? {
        return Ok(Err(Hindrance::key(hindrance)));
    }
    let roles = person.roles.as_deref();
    if roles.is_some_and(|roles| question.policy.protects(roles)) {
        return Ok(Err("massban-why-protected"));
    }
    if roles.is_none() && guilds.is_banned(guild_id, user_id, Priority::Command).await? {
        return Ok(Err("massban-why-banned"));
    }
    Ok(Ok(person.username))
}

async fn pressed(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let language = context.language();
    let (authority, permit) = permit(context, services).await?;
    let presser = context.payload.user().ok_or(CommandError::Stale)?;
    let parts = context.payload.custom_id_parts();
    let [word, massban_id, asker] = parts[..] else {
        return Err(CommandError::Stale);
    };
    if asker != presser.id.to_string() {
        return Err(context.refuse("error-foreign"));
    }
    let massban_id: Id<InteractionMarker> = massban_id.parse().map_err(|_no_id| CommandError::Stale)?;
    match word {
        "yes" | "tell" => {}
        "stop" => {
            let details = json!({"interaction_id": massban_id.to_string()});
            let request = context.request("massban_cancel", &details)?;
            massban::cancel(&services.store, request, massban_id).await?;
            return Ok(Reply::private(language.text("massban-stopping")).updating());
        }
        "undo" => return undo::pressed(context, services, (massban_id, authority)).await,
        _ => return Ok(Reply::private(language.text("massban-kept")).updating()),
    }
    let guild_id = context.guild()?;
    let policy = ModerationSettings::of(&services.store, &services.settings, guild_id).await?;
    let confirmed = Confirmed {
        massban_id,
        permit,
        moderator: presser.username.clone(),
        direct: word == "tell",
        appeal_url: act::appeal_url(services, guild_id, (Kind::Ban, &policy)),
    };
    let act = warn::act(context, guild_id)?;
    let begun = massban::confirm(&services.store, &services.settings, (act, language), confirmed).await?;
    begun.map_err(|denied| match denied {
        Denied::Limit(most) => {
            let values = [("most", most.to_string().into())];
            CommandError::Said(language.filled("moderation-limit", &values))
        }
        _ => context.refuse("error-done-before"),
    })?;
    let ours = (massban_id, presser.id);
    context.defer(move |progress| async move { follow(&progress, guild_id, ours, language).await });
    let stop = buttons([press("stop", ButtonStyle::Secondary, ours, language)]);
    Ok(Reply::private(language.text("massban-begun"))
        .with_components(vec![stop])
        .updating())
}

/// Wait for the end of a massban, and show how far it is. Returns what became of it.
async fn follow(
    progress: &Progress,
    guild_id: Id<GuildMarker>,
    ours: (Id<InteractionMarker>, Id<UserMarker>),
    language: Language,
) -> Reply {
    let until = Instant::now() + SHOWN_FOR;
    let store = &progress.services().store;
    let mut shown = 0;
    while Instant::now() < until {
        // If the database is away for a moment, it is looked up again.
        let row = rows::get(store, (guild_id, ours.0)).await.ok().flatten();
        if let Some(row) = row.as_ref().filter(|row| row.is_over()) {
            let mut text = row.in_words(language);
            let cases = row.cases();
            if let Some(cases) = cases
                && let Ok(users) = rows::not_banned(store, guild_id, cases).await
            {
                let mut refused = Refused::new();
                for (user_id, why) in users {
                    refused.entry(why).or_default().push(user_id);
                }
                add_refused(&mut text, &refused, language);
            }
            if row.banned == 0 {
                return Reply::private_list(text);
            }
            text.push('\n');
            text.push_str(&language.text("massban-undo-hint"));
            let undo = buttons([press("undo", ButtonStyle::Secondary, ours, language)]);
            return Reply::private_list(text).with_components(vec![undo]);
        }
        if let Some(row) = row.filter(|row| row.done > shown) {
            shown = row.done;
            let values = [
                ("done", language.number(row.done as u64).into()),
                ("all", language.number(row.wanted.users.len() as u64).into()),
            ];
            let stop = buttons([press("stop", ButtonStyle::Secondary, ours, language)]);
            let reply = Reply::private(language.filled("massban-so-far", &values));
            progress.say(&reply.with_components(vec![stop])).await;
        }
        sleep(SHOWN_EVERY).await;
    }
    Reply::private(language.text("massban-waiting"))
}

fn counted(users: usize, language: Language) -> [(&'static str, Value); 2] {
    [
        ("users", Value::Count(users as u64)),
        ("count", language.number(users as u64).into()),
    ]
}

/// Add a line for each reason why users are not banned.
fn add_refused(text: &mut String, refused: &Refused, language: Language) {
    for (why, users) in refused {
        let mut named: Vec<String> = users.iter().take(NAMED).map(|id| format!("<@{id}>")).collect();
        if users.len() > NAMED {
            named.push(format!("+{}", users.len() - NAMED));
        }
        let values = [
            ("users", named.join(" ").into()),
            ("why", language.text(why).into()),
        ];
        text.push('\n');
        text.push_str(&language.filled("massban-not", &values));
    }
}

fn add_wrong(text: &mut String, wrong: &[String], language: Language) {
    if wrong.is_empty() {
        return;
    }
    let mut shown: Vec<String> = wrong.iter().take(NAMED).map(|part| quoted(part)).collect();
    if wrong.len() > NAMED {
        shown.push(format!("+{}", wrong.len() - NAMED));
    }
    let values = [
        ("users", shown.join(" ").into()),
        ("why", language.text("massban-why-wrong").into()),
    ];
    text.push('\n');
    text.push_str(&language.filled("massban-not", &values));
}

#[cfg(test)]
mod tests {
    use twilight_model::id::Id;

    use super::Listed;

    #[test]
    fn ids_and_mentions_are_read_once_each() {
        let listed = Listed::read(
            "100000000000000001, <@100000000000000002>;<@!100000000000000001>\n<@&100000000000000003> 17 spam",
        );
        assert_eq!(
            listed.users,
            [Id::new(100_000_000_000_000_001), Id::new(100_000_000_000_000_002)]
        );
        assert_eq!(listed.wrong, ["<@&100000000000000003>", "17", "spam"]);
        assert_eq!(Listed::read(" ,; "), Listed::default());
    }
}
