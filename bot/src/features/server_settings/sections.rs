//! The settings of features in `/settings`: a panel for each section, a control for each kind of setting, and both from the definitions.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use twilight_model::{
    application::command::{CommandOptionChoice, CommandOptionChoiceValue},
    channel::message::component::{
        ButtonStyle, Component, SelectDefaultValue, SelectMenu, SelectMenuOption, SelectMenuType,
        TextInputStyle,
    },
};

use super::parts::{choice, empty_menu, row};
use crate::{
    discord::rest::Priority,
    interactions::{
        CommandContext, CommandError, Services, current_settings,
        define::{TEXT_CHANNELS, button, buttons},
        form::{Field, form},
        reply::{Reply, Shape},
    },
    settings::{
        GuildSettings,
        change::{self, Change},
        section::{Section, Setting, field::Kind},
    },
    support::{
        i18n::{Language, Value},
        text::names::quoted,
    },
};

/// Discord shows no more choices.
const CHOICES: usize = 25;

/// The menu that leads to the sections; `None` if there are none.
pub(super) fn menu(services: &Services, language: Language) -> Option<Component> {
    let sections = services.commands.sections();
    let options = sections.map(|section| choice(section.name.to_owned(), section.title(language), None));
    let options: Vec<_> = options.collect();
    (!options.is_empty()).then(|| {
        row(Component::SelectMenu(SelectMenu {
            options: Some(options),
            ..empty_menu(
                "settings:section".to_owned(),
                language.text("settings-section-menu"),
            )
        }))
    })
}

/// What `/settings setting:…` does: shows the setting, or changes it.
pub(super) async fn typed(
    context: &CommandContext,
    services: &Services,
    name: &str,
) -> Result<Reply, CommandError> {
    let setting = Setting::find(services.commands.sections(), name)
        .map_err(|fault| refusal(context, "settings-unknown", &fault.name, fault.hint))?;
    let value = context.payload.text("value")?;
    match (value, context.payload.boolean("reset")?.unwrap_or(false)) {
        (Some(_), true) => Err(context.refuse("settings-value-and-reset")),
        (None, false) => Ok(editor(
            setting,
            &*current(context, services).await?,
            context.language(),
        )),
        (None, true) => changed(context, services, setting, None).await,
        (Some(written), false) => {
            let value = parsed(context, setting, written)?;
            changed(context, services, setting, Some(value)).await
        }
    }
}

/// The settings whose names or labels contain what is being typed.
pub(super) fn completions(services: &Services, typed: &str, language: Language) -> Vec<CommandOptionChoice> {
    let typed = typed.trim().to_lowercase();
    let settings = services.commands.sections().flat_map(Section::settings);
    let named = settings.map(|setting| {
        let shown = format!("{}: {}", setting.section.title(language), setting.label(language));
        (setting.to_string(), shown)
    });
    let found = named.filter(|(name, shown)| name.contains(&typed) || shown.to_lowercase().contains(&typed));
    let choices = found.take(CHOICES).map(|(name, shown)| CommandOptionChoice {
        name: shown,
        name_localizations: None,
        value: CommandOptionChoiceValue::String(name),
    });
    choices.collect()
}

/// Answer a control of a section; `None` if it is none.
pub(super) async fn component(
    context: &CommandContext,
    services: &Services,
    is_form: bool,
) -> Result<Option<Reply>, CommandError> {
    let language = context.language();
    let parts = context.payload.custom_id_parts();
    let find = |name: &str| {
        let setting = Setting::find(services.commands.sections(), name);
        setting.map_err(|_unknown| CommandError::Stale)
    };
    let reply = match (parts.as_slice(), is_form) {
        (["section"], false) => {
            let values = context.payload.values();
            let section = section(services, values.first().copied().unwrap_or_default())?;
            panel(section, &*current(context, services).await?, language)
        }
        (["open", name], false) => panel(
            section(services, name)?,
            &*current(context, services).await?,
            language,
        ),
        (["pick", name], false) => {
            let values = context.payload.values();
            let setting = section(services, name)?.setting(values.first().copied().unwrap_or_default());
            let settings = current(context, services).await?;
            editor(setting.ok_or(CommandError::Stale)?, &settings, language)
        }
        (["reset", name], false) => changed(context, services, find(name)?, None).await?,
        ([word @ ("on" | "off"), name], false) => {
            let setting = find(name)?;
            let value = parsed(context, setting, word)?;
            changed(context, services, setting, Some(value)).await?
        }
        (["choose", name], false) => {
            let setting = find(name)?;
            let value = parsed(context, setting, &context.payload.values().join(","))?;
            changed(context, services, setting, Some(value)).await?
        }
        (["write", name], true) => {
            let setting = find(name)?;
            let written = context.payload.field("value").ok_or(CommandError::Stale)?;
            let value = match written.trim() {
                "" => None,
                written => Some(parsed(context, setting, written)?),
            };
            changed(context, services, setting, value).await?
        }
        _ => return Ok(None),
    };
    // A form is no message that could take the panel's place.
    let is_form = matches!(reply.shape, Shape::Modal { .. });
    Ok(Some(if is_form { reply } else { reply.updating() }))
}

fn section(services: &Services, name: &str) -> Result<&'static Section, CommandError> {
    let mut sections = services.commands.sections();
    let section = sections.find(|section| section.name == name);
    section.ok_or(CommandError::Stale)
}

async fn current(context: &CommandContext, services: &Services) -> Result<Arc<GuildSettings>, CommandError> {
    current_settings::settings(context, services).await
}

fn parsed(context: &CommandContext, setting: Setting, written: &str) -> Result<Json, CommandError> {
    let language = context.language();
    let parsed = setting.field.kind.parse(written);
    parsed.map_err(|fault| {
        let name = setting.label(language);
        refusal(context, "settings-bad-value", &name, fault.in_words(language))
    })
}

fn refusal(context: &CommandContext, key: &str, name: &str, hint: String) -> CommandError {
    let values = [("setting", quoted(name).into()), ("hint", hint.into())];
    CommandError::Said(context.language().filled(key, &values))
}

/// Change a setting, once for this interaction, and show its section. What it names has to exist in the server.
async fn changed(
    context: &CommandContext,
    services: &Services,
    setting: Setting,
    value: Option<Json>,
) -> Result<Reply, CommandError> {
    let guild_id = context.guild()?;
    let kind = setting.field.kind;
    let named = value.as_ref().map(|value| kind.named(value)).unwrap_or_default();
    let gone = services
        .guilds
        .gone(guild_id, &named.roles, &named.channels, Priority::Interaction);
    if !gone.await?.is_empty() {
        return Err(context.refuse("settings-not-here"));
    }
    let before = services.settings.of(&services.store, guild_id).await?;
    let details = json!({
        "setting": setting.to_string(),
        "before": setting.chosen(&before).map(|value| kind.exported(&value)),
        "after": value.as_ref().map(|value| kind.exported(value)),
    });
    let request = context.request("settings", &details)?;
    let change = Change::Section {
        section: setting.section.name.into(),
        field: setting.field.name.into(),
        value,
    };
    change::change(&services.store, request, vec![change]).await?;
    let settings = services.settings.of(&services.store, guild_id).await?;
    Ok(panel(setting.section, &settings, context.language()))
}

/// The settings of a section, with a menu to choose one.
fn panel(section: &'static Section, settings: &GuildSettings, language: Language) -> Reply {
    let mut lines = vec![format!("**{}**", section.title(language))];
    lines.extend(
        section
            .settings()
            .map(|setting| line(setting, settings, language)),
    );
    let options = section.settings().map(|setting| {
        let value = setting.field.name.to_owned();
        choice(value, setting.label(language), Some(setting.hint(language)))
    });
    let pick = row(Component::SelectMenu(SelectMenu {
        options: Some(options.collect()),
        ..empty_menu(
            format!("settings:pick:{}", section.name),
            language.text("settings-pick-menu"),
        )
    }));
    let back = button(
        "settings:back".to_owned(),
        language.text("settings-back"),
        ButtonStyle::Secondary,
    );
    Reply::private_list(lines.join("\n")).with_components(vec![pick, buttons([back])])
}

fn line(setting: Setting, settings: &GuildSettings, language: Language) -> String {
    let value = setting.value(settings);
    let values = [
        ("setting", Value::from(setting.label(language))),
        ("value", setting.field.kind.shown(&value, language).into()),
    ];
    language.filled("settings-line", &values)
}

/// What changes one setting: buttons, a menu, or a form.
fn editor(setting: Setting, settings: &GuildSettings, language: Language) -> Reply {
    let value = setting.value(settings);
    let named = setting.named(settings);
    let choose = |kind, most: usize, chosen: Vec<SelectDefaultValue>| {
        let placeholder = setting.label(language);
        row(Component::SelectMenu(SelectMenu {
            channel_types: (kind == SelectMenuType::Channel).then(|| TEXT_CHANNELS.to_vec()),
            default_values: (!chosen.is_empty()).then_some(chosen),
            kind,
            min_values: Some(0),
            max_values: u8::try_from(most).ok(),
            ..empty_menu(format!("settings:choose:{setting}"), placeholder)
        }))
    };
    let press = |word: &str, style| {
        let text = language.text(&format!("settings-{word}"));
        button(format!("settings:{word}:{setting}"), text, style)
    };
    let control = match setting.field.kind {
        Kind::Switch => buttons([
            press("on", style_of(value == true)),
            press("off", style_of(value == false)),
        ]),
        Kind::Channel => {
            let chosen = named.channels.into_iter().map(SelectDefaultValue::Channel);
            choose(SelectMenuType::Channel, 1, chosen.collect())
        }
        Kind::Choice(words) => {
            let options = words.all.iter().map(|word| SelectMenuOption {
                default: value == **word,
                ..choice((*word).to_owned(), words.text(word, language), None)
            });
            row(Component::SelectMenu(SelectMenu {
                options: Some(options.collect()),
                ..empty_menu(format!("settings:choose:{setting}"), setting.label(language))
            }))
        }
        Kind::Roles(most) => {
            let chosen = named.roles.into_iter().map(SelectDefaultValue::Role);
            choose(SelectMenuType::Role, most, chosen.collect())
        }
        kind @ (Kind::Limit(_) | Kind::Text(_) | Kind::Template(_) | Kind::ChannelOr(_) | Kind::Mark(_)) => {
            let is_long = matches!(kind, Kind::Text(_) | Kind::Template(_));
            let now = setting.chosen(settings).map(|value| kind.written(&value));
            let field = Field {
                custom_id: "value",
                style: if is_long {
                    TextInputStyle::Paragraph
                } else {
                    TextInputStyle::Short
                },
                least: 0,
                most: u16::try_from(kind.length()).unwrap_or(u16::MAX),
                now: now.as_deref().unwrap_or_default(),
                label: setting.label(language),
                hint: setting.hint(language),
            };
            let title = setting.section.title(language);
            return form(format!("settings:write:{setting}"), title, [field]);
        }
    };
    let text = format!(
        "{}\n{}",
        line(setting, settings, language),
        setting.hint(language)
    );
    let back = button(
        format!("settings:open:{}", setting.section.name),
        language.text("settings-back"),
        ButtonStyle::Secondary,
    );
    let row = buttons([press("reset", ButtonStyle::Secondary), back]);
    Reply::private(text).with_components(vec![control, row])
}

const fn style_of(is_chosen: bool) -> ButtonStyle {
    if is_chosen {
        ButtonStyle::Primary
    } else {
        ButtonStyle::Secondary
    }
}
