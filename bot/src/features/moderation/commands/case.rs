//! `/case`: shows, lists, edits, hides and deletes cases of every kind, and adds notes to them.

use twilight_model::{
    application::command::{
        Command as Definition, CommandOptionChoice, CommandOptionChoiceValue, CommandOptionType as Type,
    },
    channel::message::component::ButtonStyle,
    guild::Permissions,
};
use twilight_util::builder::embed::EmbedBuilder;

use super::{case_edit, case_list, case_texts, warn, warning};
use crate::{
    features::moderation::{
        Denied,
        case_changes::{self, CaseChange, ChangedCase},
        effects::{
            action::ModAction,
            action_lift::ActionLift,
            action_message::ActionMessage,
            punishment::{Punishment, TimeoutLift},
        },
        evidence,
        rows::{
            self,
            case::{self, Filter},
            case_note,
        },
    },
    interactions::{
        CommandContext, CommandError, Services,
        command::Command,
        define::{Opt, button, buttons, for_servers},
        payload::BadOption,
        reply::Reply,
    },
    outbox::{
        kind::EffectBody as _,
        queue::{self, Failures},
    },
    support::i18n::Language,
};

/// Where Discord has the files of messages. A link to one is valid for about a day:
/// <https://docs.discord.com/developers/reference#signed-attachment-cdn-urls>.
const FILES: [&str; 4] = [
    "cdn.discordapp.com/attachments/",
    "media.discordapp.net/attachments/",
    "cdn.discordapp.com/ephemeral-attachments/",
    "media.discordapp.net/ephemeral-attachments/",
];
/// The newest notes, which are shown with a case.
const NOTES: i64 = 5;
/// Effects that carry out a case, and how many that are tried again are shown.
const ACTIONS: [&str; 5] = [
    ModAction::KIND,
    ActionLift::KIND,
    ActionMessage::KIND,
    Punishment::KIND,
    TimeoutLift::KIND,
];
const RETRIED: i64 = 3;
/// Cases among which autocomplete searches, and the most that Discord shows.
const SEARCHED: i64 = 200;
const CHOICES: usize = 25;

#[derive(Debug)]
pub(crate) struct Case;

impl Command for Case {
    fn name(&self) -> &'static str {
        "case"
    }

    fn definition(&self) -> Definition {
        let note = Opt::named(Type::String, "case-option-note", "note")
            .at_most(warn::reason_length())
            .required();
        let file = Opt::named(Type::Attachment, "case-option-file", "file");
        let list = [
            case_list::user_option("member", "case-option-member"),
            case_list::user_option("moderator", "case-option-moderator"),
            case_list::kind_option(),
            Opt::named(Type::Boolean, "case-option-with-hidden", "hidden"),
        ];
        let hide = [
            warning::case(),
            Opt::named(Type::Boolean, "case-option-hidden", "hidden"),
        ];
        for_servers(self.name(), Some(Permissions::MODERATE_MEMBERS))
            .option(Opt::sub("case", "view", [warning::case()]))
            .option(Opt::sub("case", "list", list))
            .option(Opt::sub("case", "edit", case_edit::options()))
            .option(Opt::sub("case", "note", [warning::case(), note]))
            .option(Opt::sub("case", "evidence", [warning::case(), file.required()]))
            .option(Opt::sub("case", "hide", hide))
            .option(Opt::sub("case", "delete", [warning::case()]))
            .build()
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        context.require_permissions(Permissions::MODERATE_MEMBERS)?;
        let change = match context.payload.subcommand()[..] {
            ["view"] => return view(context, services).await,
            ["list"] => {
                let filter = case_list::filter(context)?;
                return case_list::first_page(context, services, self.name(), filter).await;
            }
            ["delete"] => return ask_to_delete(context, services).await,
            ["edit"] => return case_edit::run(context, services).await,
            ["note"] => CaseChange::Note {
                note: note(context)?,
                author_name: context.payload.user().map(|user| user.username.clone()),
            },
            ["evidence"] => CaseChange::Evidence {
                evidence: evidence::given(context, "file")?.ok_or(BadOption("file"))?,
                author_name: context.payload.user().map(|user| user.username.clone()),
            },
            ["hide"] if context.payload.boolean("hidden")?.unwrap_or(true) => CaseChange::Hide,
            ["hide"] => CaseChange::Show,
            _ => return Err(CommandError::Stale),
        };
        let text = match &change {
            CaseChange::Note { .. } => "case-noted",
            CaseChange::Evidence { .. } => "evidence-taken",
            CaseChange::Hide => "case-is-hidden",
            CaseChange::Show | CaseChange::Edit { .. } | CaseChange::Delete => "case-is-shown",
        };
        let case_id = warning::case_of(context)?;
        carry_out(context, services, case_id, change, text).await
    }

    async fn component(
        &self,
        context: &mut CommandContext,
        services: &Services,
    ) -> Result<Reply, CommandError> {
        context.require_permissions(Permissions::MODERATE_MEMBERS)?;
        let presser = context.payload.user().ok_or(CommandError::Stale)?.id.to_string();
        match context.payload.custom_id_parts()[..] {
            ["page", ..] => case_list::turn(context, services, self.name()).await,
            ["delete" | "keep", _, asker] if asker != presser => Err(context.refuse("error-foreign")),
            ["delete", case_id, _] => {
                let case_id = case_id.parse().map_err(|_no_number| CommandError::Stale)?;
                let deleted = carry_out(context, services, case_id, CaseChange::Delete, "case-deleted");
                Ok(deleted.await?.updating())
            }
            ["keep", ..] => Ok(Reply::private(context.language().text("case-kept")).updating()),
            _ => Err(CommandError::Stale),
        }
    }

    async fn autocomplete(
        &self,
        context: &mut CommandContext,
        services: &Services,
    ) -> Result<Vec<CommandOptionChoice>, CommandError> {
        context.require_permissions(Permissions::MODERATE_MEMBERS)?;
        let guild_id = context.guild()?;
        let Some(("case", typed)) = context.payload.focused() else {
            return Ok(Vec::new());
        };
        let digits = typed.trim().trim_start_matches('#');
        let filter = Filter {
            with_hidden: true,
            ..Filter::default()
        };
        let newest = case::list(&services.store, guild_id, filter, 0, SEARCHED).await?;
        let language = context.language();
        let found = newest
            .iter()
            .filter(|case| case.case_id.to_string().starts_with(digits));
        Ok(found.take(CHOICES).map(|case| choice(language, case)).collect())
    }
}

/// The text of a note. Links to files on Discord expire after a day, so they are no evidence.
fn note(context: &CommandContext) -> Result<String, CommandError> {
    let note = warn::reason(context, "note")?.ok_or(BadOption("note"))?;
    if FILES.iter().any(|files| note.contains(files)) {
        return Err(context.refuse("case-note-expires"));
    }
    Ok(note)
}

fn choice(language: Language, case: &case::Case) -> CommandOptionChoice {
    let kind = case_texts::kind(language, case.kind);
    let user = case.user_name.clone().unwrap_or_else(|| case.user_id.to_string());
    CommandOptionChoice {
        name: format!("#{} · {kind} · {user} · {}", case.case_id, case.reason),
        name_localizations: None,
        value: CommandOptionChoiceValue::Integer(case.case_id),
    }
}

/// The case that was chosen.
async fn chosen(context: &CommandContext, services: &Services) -> Result<case::Case, CommandError> {
    let case_id = warning::case_of(context)?;
    let case = case::get(&services.store, (context.guild()?, case_id)).await?;
    case.ok_or_else(|| warning::refusal(context, Denied::UnknownCase, case_id))
}

async fn view(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let case = chosen(context, services).await?;
    let language = context.language();
    let key = (context.guild()?, case.case_id);
    let (notes, total) = case_note::newest(&services.store, key, NOTES).await?;
    let of_case = Failures {
        kinds: &ACTIONS,
        case_id: Some(case.case_id),
        abandoned: false,
    };
    let known = case_texts::Known {
        notes,
        total,
        punishment: rows::warning::outcomes(&services.store, key).await?.action,
        retried: queue::failing(&services.store, key.0, of_case, RETRIED).await?,
    };
    let title = [
        ("case", case.case_id.to_string().into()),
        ("kind", case_texts::kind(language, case.kind).into()),
    ];
    let embed = EmbedBuilder::new()
        .title(language.filled("case-view-title", &title))
        .description(case_texts::whole(language, &case, &known))
        .color(case_texts::COLOUR)
        .build();
    Ok(Reply::private(String::new()).with_embed(embed))
}

/// A deletion requires confirmation.
async fn ask_to_delete(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let case = chosen(context, services).await?;
    let language = context.language();
    let asker_id = context.payload.user().ok_or(CommandError::Stale)?.id;
    let id = |what: &str| format!("case:{what}:{}:{asker_id}", case.case_id);
    let row = buttons([
        button(
            id("delete"),
            language.text("case-delete-yes"),
            ButtonStyle::Danger,
        ),
        button(
            id("keep"),
            language.text("case-delete-no"),
            ButtonStyle::Secondary,
        ),
    ]);
    let question = format!(
        "{}\n{}",
        language.text("case-delete-sure"),
        case_texts::entry(language, &case)
    );
    Ok(Reply::private(question).with_components(vec![row]))
}

async fn carry_out(
    context: &CommandContext,
    services: &Services,
    case_id: i64,
    change: CaseChange,
    text: &str,
) -> Result<Reply, CommandError> {
    let asker = warning::asker(context, services).await?;
    let changed = case_changes::change(&services.store, &services.settings, asker, case_id, change).await?;
    let ChangedCase { case_id, user_id, .. } =
        changed.map_err(|denied| warning::refusal(context, denied, case_id))?;
    let values = [
        ("case", case_id.to_string().into()),
        ("user", user_id.to_string().into()),
    ];
    Ok(Reply::private(context.language().filled(text, &values)))
}
