//! `/settings`: the panel for guild-wide settings.

use futures_util::future::BoxFuture;
use serde_json::json;
use twilight_model::{
    application::command::Command as Definition,
    channel::{
        ChannelType,
        message::component::{
            ActionRow, ButtonStyle, Component, Label, SelectDefaultValue, SelectMenu, SelectMenuOption,
            SelectMenuType, TextInput, TextInputStyle,
        },
    },
    guild::Permissions,
    id::{Id, marker::ChannelMarker},
};

use crate::{
    interactions::{
        CommandContext, CommandError, Services,
        command::Command,
        current_settings,
        define::{TEXT_CHANNELS, button, buttons, for_servers},
        payload::kind,
        reply::Reply,
        written::USUAL_PREFIX,
    },
    settings::{GuildSettings, Template, change::Change},
    support::{
        i18n::{Language, Value},
        text::template::MAX_CHARS,
    },
};

/// The maximum length of a prefix, in characters.
const PREFIX_CHARS: u16 = 5;

#[derive(Debug)]
pub(crate) struct Settings;

impl Command for Settings {
    fn name(&self) -> &'static str {
        "settings"
    }

    fn definition(&self) -> Definition {
        for_servers(self.name(), Some(Permissions::MANAGE_GUILD)).build()
    }

    fn is_private(&self) -> bool {
        true
    }

    fn run<'a>(
        &'a self,
        context: &'a mut CommandContext,
        services: &'a Services,
    ) -> BoxFuture<'a, Result<Reply, CommandError>> {
        Box::pin(async move {
            context.require_permissions(Permissions::MANAGE_GUILD)?;
            let settings = current_settings::settings(context, services).await?;
            Ok(panel(&settings, context.language()))
        })
    }

    fn component<'a>(
        &'a self,
        context: &'a mut CommandContext,
        services: &'a Services,
    ) -> BoxFuture<'a, Result<Reply, CommandError>> {
        Box::pin(async move {
            context.require_permissions(Permissions::MANAGE_GUILD)?;
            let guild_id = context.guild()?;
            let settings = services.settings.of(&services.store, guild_id).await?;
            let is_form = context.payload.kind == kind::MODAL;
            let parts = context.payload.custom_id_parts();
            let change = match (parts.as_slice(), is_form) {
                (["log"], false) => Change::LogChannel(chosen_channel(context)?),
                (["welcome"], false) => {
                    let template = settings.welcome.as_ref().map(|(_, template)| template.clone());
                    let usual = usual_welcome(&settings, context.language());
                    let template = template.map_or_else(|| Template::parse(&usual), Ok);
                    let template = template.expect("a test reads it");
                    Change::Welcome(chosen_channel(context)?.map(|channel_id| (channel_id, template)))
                }
                (["language"], false) => Change::Language(chosen_language(context)?),
                (["moderators", shown @ ("show" | "hide")], false) => {
                    Change::ModeratorsShown(*shown == "show")
                }
                (["text"], false) => return Ok(welcome_form(&settings, context.language())),
                (["prefix"], false) => return Ok(prefix_form(&settings, context.language())),
                (["text"], true) => welcome_change(context, &settings)?,
                (["prefix"], true) => prefix_change(context)?,
                _ => return Err(CommandError::Stale),
            };
            let details = json!({"setting": parts});
            let request = context.request("settings", &details)?;
            services
                .settings
                .change(&services.store, request, vec![change])
                .await?;
            let settings = services.settings.of(&services.store, guild_id).await?;
            Ok(panel(&settings, context.language()).updating())
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
    let (channel_id, _) = settings
        .welcome
        .as_ref()
        .ok_or_else(|| context.refuse("settings-welcome-nowhere"))?;
    let text = context.payload.field("text").ok_or(CommandError::Stale)?;
    let template = Template::parse(text).map_err(|fault| {
        let values = [("fault", Value::from(fault.to_string()))];
        CommandError::Said(context.language().filled("levels-announce-bad", &values))
    })?;
    Ok(Change::Welcome(Some((*channel_id, template))))
}

fn prefix_change(context: &CommandContext) -> Result<Change, CommandError> {
    let prefix = context.payload.field("prefix").ok_or(CommandError::Stale)?.trim();
    let is_fit = prefix.chars().count() <= usize::from(PREFIX_CHARS)
        && !prefix.contains(char::is_whitespace)
        && !prefix.contains(['@', '#', '<', '`']);
    if !is_fit {
        return Err(context.refuse("settings-prefix-bad"));
    }
    let is_usual = prefix.is_empty() || prefix == USUAL_PREFIX;
    Ok(Change::Prefix((!is_usual).then(|| prefix.into())))
}

/// All settings at a glance, with menus to change them.
fn panel(settings: &GuildSettings, language: Language) -> Reply {
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
    Reply::private(text).with_components(vec![
        menu("log", settings.log_channel_id),
        menu("welcome", welcome_channel_id),
        language_menu,
        buttons([press("text"), press("prefix"), moderators]),
    ])
}

fn name_of(chosen: Option<Language>, language: Language) -> String {
    language.text(match chosen {
        None => "settings-language-auto",
        Some(Language::English) => "settings-language-en",
        Some(Language::German) => "settings-language-de",
    })
}

fn row(component: Component) -> Component {
    Component::ActionRow(ActionRow {
        components: vec![component],
        id: None,
    })
}

fn empty_menu(custom_id: String, placeholder: String) -> SelectMenu {
    SelectMenu {
        channel_types: None::<Vec<ChannelType>>,
        custom_id,
        default_values: None,
        disabled: false,
        id: None,
        kind: SelectMenuType::Text,
        max_values: Some(1),
        min_values: Some(1),
        options: None,
        placeholder: Some(placeholder),
        required: None,
    }
}

/// The default welcome, in the guild's language.
fn usual_welcome(settings: &GuildSettings, language: Language) -> String {
    settings.language.unwrap_or(language).text("welcome-default")
}

fn welcome_form(settings: &GuildSettings, language: Language) -> Reply {
    let usual = usual_welcome(settings, language);
    let now = settings.welcome.as_ref().map(|(_, template)| template.as_str());
    let field = Field {
        custom_id: "text",
        style: TextInputStyle::Paragraph,
        least: 1,
        most: u16::try_from(MAX_CHARS).unwrap_or(u16::MAX),
        now: now.unwrap_or(&usual),
    };
    form("text", &field, language)
}

fn prefix_form(settings: &GuildSettings, language: Language) -> Reply {
    let field = Field {
        custom_id: "prefix",
        style: TextInputStyle::Short,
        least: 0,
        most: PREFIX_CHARS,
        now: settings.prefix.as_deref().unwrap_or(USUAL_PREFIX),
    };
    form("prefix", &field, language)
}

/// A field of a modal.
struct Field<'a> {
    custom_id: &'static str,
    style: TextInputStyle,
    least: u16,
    most: u16,
    now: &'a str,
}

fn form(name: &str, field: &Field<'_>, language: Language) -> Reply {
    #[expect(deprecated, reason = "a field of twilight's that Discord no longer wants")]
    let input = TextInput {
        custom_id: field.custom_id.to_owned(),
        id: None,
        label: None,
        max_length: Some(field.most),
        min_length: Some(field.least),
        placeholder: None,
        required: Some(field.least > 0),
        style: field.style,
        value: Some(field.now.to_owned()),
    };
    let label = Component::Label(Label {
        component: Box::new(Component::TextInput(input)),
        description: Some(language.text(&format!("settings-{name}-hint"))),
        id: None,
        label: language.text(&format!("settings-{name}-label")),
    });
    let title = language.text(&format!("settings-{name}-button"));
    Reply::modal(format!("settings:{name}"), title, vec![label])
}
