//! `/settings`: the panel for guild-wide settings.

use serde_json::json;
use twilight_model::{
    application::command::{Command as Definition, CommandOptionChoice, CommandOptionType as Kind},
    channel::message::component::{
        ButtonStyle, Component, SelectDefaultValue, SelectMenu, SelectMenuOption, SelectMenuType,
        TextInputStyle,
    },
    guild::Permissions,
    id::{Id, marker::ChannelMarker},
};

use super::{
    parts::{empty_menu, row},
    sections,
};
use crate::{
    interactions::{
        CommandContext, CommandError, Services,
        command::Command,
        current_settings,
        define::{Opt, TEXT_CHANNELS, button, buttons, for_servers},
        form::{Field, form},
        payload::kind,
        reply::Reply,
        text_command::USUAL_PREFIX,
    },
    settings::{
        GuildSettings, Template,
        change::{self, Change},
        columns::PREFIX_CHARS,
        section::field,
    },
    support::{
        i18n::{Language, Value},
        text::template::MAX_CHARS,
    },
};

/// The maximum length of a setting's name, as an option.
const NAME_CHARS: u16 = 100;

#[derive(Debug)]
pub(crate) struct Settings;

impl Command for Settings {
    fn name(&self) -> &'static str {
        "settings"
    }

    fn definition(&self) -> Definition {
        let most = u16::try_from(MAX_CHARS).unwrap_or(u16::MAX);
        for_servers(self.name(), Some(Permissions::MANAGE_GUILD))
            .option(
                Opt::named(Kind::String, "settings-option-setting", "setting")
                    .at_most(NAME_CHARS)
                    .completed(),
            )
            .option(Opt::named(Kind::String, "settings-option-value", "value").at_most(most))
            .option(Opt::named(Kind::Boolean, "settings-option-reset", "reset"))
            .build()
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        context.require_permissions(Permissions::MANAGE_GUILD)?;
        if let Some(name) = context.payload.text("setting")? {
            return sections::typed(context, services, name).await;
        }
        if context.payload.given().next().is_some() {
            return Err(context.refuse("settings-no-setting"));
        }
        let settings = current_settings::settings(context, services).await?;
        Ok(panel(&settings, services, context.language()))
    }

    async fn component(
        &self,
        context: &mut CommandContext,
        services: &Services,
    ) -> Result<Reply, CommandError> {
        context.require_permissions(Permissions::MANAGE_GUILD)?;
        let guild_id = context.guild()?;
        let settings = services.settings.of(&services.store, guild_id).await?;
        let is_form = context.payload.kind == kind::MODAL;
        if let Some(reply) = sections::component(context, services, is_form).await? {
            return Ok(reply);
        }
        let parts = context.payload.custom_id_parts();
        let change = match (parts.as_slice(), is_form) {
            (["log"], false) => Change::LogChannel(chosen_channel(context)?),
            (["welcome"], false) => Change::WelcomeChannel(chosen_channel(context)?, context.language()),
            (["language"], false) => Change::Language(chosen_language(context)?),
            (["moderators", shown @ ("show" | "hide")], false) => Change::ModeratorsShown(*shown == "show"),
            (["back"], false) => {
                return Ok(panel(&settings, services, context.language()).updating());
            }
            (["text"], false) => return Ok(welcome_form(&settings, context.language())),
            (["prefix"], false) => return Ok(prefix_form(&settings, context.language())),
            (["text"], true) => welcome_change(context, &settings)?,
            (["prefix"], true) => prefix_change(context)?,
            _ => return Err(CommandError::Stale),
        };
        let details = json!({"setting": parts});
        let request = context.request("settings", &details)?;
        change::change(&services.store, request, vec![change]).await?;
        let settings = services.settings.of(&services.store, guild_id).await?;
        Ok(panel(&settings, services, context.language()).updating())
    }

    async fn autocomplete(
        &self,
        context: &mut CommandContext,
        services: &Services,
    ) -> Result<Vec<CommandOptionChoice>, CommandError> {
        context.require_permissions(Permissions::MANAGE_GUILD)?;
        Ok(match context.payload.focused() {
            Some(("setting", typed)) => sections::completions(services, &typed, context.language()),
            _ => Vec::new(),
        })
    }
}

/// The channel chosen in a channel menu, where an empty choice is valid too.
fn chosen_channel(context: &CommandContext) -> Result<Option<Id<ChannelMarker>>, CommandError> {
    let values = context.payload.values();
    let Some(chosen) = values.first() else {
        return Ok(None);
    };
    chosen.parse().map(Some).map_err(|_no_id| CommandError::Stale)
}

fn chosen_language(context: &CommandContext) -> Result<Option<Language>, CommandError> {
    match context.payload.values().as_slice() {
        ["auto"] => Ok(None),
        [code] => Language::of_locale(code).map(Some).ok_or(CommandError::Stale),
        _ => Err(CommandError::Stale),
    }
}

fn welcome_change(context: &CommandContext, settings: &GuildSettings) -> Result<Change, CommandError> {
    if settings.welcome.is_none() {
        return Err(context.refuse("settings-welcome-nowhere"));
    }
    let text = context.payload.field("text").ok_or(CommandError::Stale)?;
    let template = Template::parse(text).map_err(|fault| {
        let values = [("fault", Value::from(fault.to_string()))];
        CommandError::Said(context.language().filled("levels-announce-bad", &values))
    })?;
    Ok(Change::WelcomeText(Some(template)))
}

fn prefix_change(context: &CommandContext) -> Result<Change, CommandError> {
    let prefix = context.payload.field("prefix").ok_or(CommandError::Stale)?.trim();
    field::Kind::Mark(PREFIX_CHARS).parse(prefix).map_err(|fault| {
        let language = context.language();
        let values = [
            ("setting", language.text("settings-prefix-label").into()),
            ("hint", fault.in_words(language).into()),
        ];
        CommandError::Said(language.filled("settings-bad-value", &values))
    })?;
    let is_usual = prefix.is_empty() || prefix == USUAL_PREFIX;
    Ok(Change::Prefix((!is_usual).then(|| prefix.into())))
}

/// All settings at a glance, with menus to change them.
fn panel(settings: &GuildSettings, services: &Services, language: Language) -> Reply {
    let channel = |id: Option<Id<ChannelMarker>>| {
        Value::from(id.map_or_else(|| language.text("settings-none"), |id| format!("<#{id}>")))
    };
    let welcome_channel_id = settings.welcome.as_ref().map(|(channel_id, _)| *channel_id);
    let chosen = settings.language;
    let text = language.filled(
        "settings-panel",
        &[
            ("log", channel(settings.log_channel_id)),
            ("welcome", channel(welcome_channel_id)),
            ("language", name_of(chosen, language).into()),
            (
                "prefix",
                settings.prefix.as_deref().unwrap_or(USUAL_PREFIX).into(),
            ),
            (
                "moderators",
                language
                    .text(if settings.moderators_shown {
                        "settings-moderators-shown"
                    } else {
                        "settings-moderators-hidden"
                    })
                    .into(),
            ),
        ],
    );
    let mut text = text;
    if let Some((_, template)) = &settings.welcome {
        // In a code block, so that it is shown exactly as written.
        text = format!("{text}\n```\n{}\n```", template.as_str().replace("```", "'''"));
    }
    let menu = |name: &str, now: Option<Id<ChannelMarker>>| {
        let placeholder = language.text(&format!("settings-{name}-menu"));
        row(Component::SelectMenu(SelectMenu {
            channel_types: Some(TEXT_CHANNELS.to_vec()),
            default_values: now.map(|id| vec![SelectDefaultValue::Channel(id)]),
            kind: SelectMenuType::Channel,
            min_values: Some(0),
            ..empty_menu(format!("settings:{name}"), placeholder)
        }))
    };
    let languages = std::iter::once(None).chain(Language::ALL.into_iter().map(Some));
    let languages = languages.map(|option| SelectMenuOption {
        default: option == chosen,
        description: None,
        emoji: None,
        label: name_of(option, language),
        value: option.map_or("auto", Language::code).to_owned(),
    });
    let language_menu = row(Component::SelectMenu(SelectMenu {
        options: Some(languages.collect()),
        ..empty_menu(
            "settings:language".to_owned(),
            language.text("settings-language-menu"),
        )
    }));
    let press = |name: &str| {
        let label = language.text(&format!("settings-{name}-button"));
        button(format!("settings:{name}"), label, ButtonStyle::Secondary)
    };
    let to = if settings.moderators_shown { "hide" } else { "show" };
    let moderators = button(
        format!("settings:moderators:{to}"),
        language.text(&format!("settings-moderators-{to}")),
        ButtonStyle::Secondary,
    );
    let mut rows = vec![
        menu("log", settings.log_channel_id),
        menu("welcome", welcome_channel_id),
        language_menu,
        buttons([press("text"), press("prefix"), moderators]),
    ];
    rows.extend(sections::menu(services, language));
    Reply::private(text).with_components(rows)
}

fn name_of(chosen: Option<Language>, language: Language) -> String {
    language.text(match chosen {
        None => "settings-language-auto",
        Some(Language::English) => "settings-language-en",
        Some(Language::German) => "settings-language-de",
    })
}

/// The default welcome, in the guild's language.
fn usual_welcome(settings: &GuildSettings, language: Language) -> String {
    settings.language.unwrap_or(language).text("welcome-default")
}

fn welcome_form(settings: &GuildSettings, language: Language) -> Reply {
    let usual = usual_welcome(settings, language);
    let now = settings.welcome.as_ref().map(|(_, template)| template.as_str());
    let most = u16::try_from(MAX_CHARS).unwrap_or(u16::MAX);
    let style = TextInputStyle::Paragraph;
    form_of("text", (style, 1, most), now.unwrap_or(&usual), language)
}

fn prefix_form(settings: &GuildSettings, language: Language) -> Reply {
    let now = settings.prefix.as_deref().unwrap_or(USUAL_PREFIX);
    let most = u16::try_from(PREFIX_CHARS).unwrap_or(u16::MAX);
    form_of("prefix", (TextInputStyle::Short, 0, most), now, language)
}

fn form_of(
    name: &'static str,
    (style, least, most): (TextInputStyle, u16, u16),
    now: &str,
    language: Language,
) -> Reply {
    let text = |what: &str| language.text(&format!("settings-{name}-{what}"));
    let field = Field {
        custom_id: name,
        style,
        least,
        most,
        now,
        label: text("label"),
        hint: text("hint"),
    };
    form(format!("settings:{name}"), text("button"), [field])
}
