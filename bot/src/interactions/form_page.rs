//! Pages for settings that are changed by slash commands. Their forms do what subcommands do, by the same code; inputs, limits and labels
//! follow from the definitions of the commands.

mod entered;
mod inputs;

use std::collections::HashMap;

use futures_util::future::BoxFuture;
use hyper::StatusCode;
use maud::{Markup, html};
use serde_json::{Value as Json, json};
use twilight_model::{
    application::command::{CommandOption, CommandOptionType},
    guild::Permissions,
    id::{Id, marker::GuildMarker},
};

use self::inputs::Around;
use super::{
    CommandContext, Services, command::AnyCommand, page::Page, settings_tabs::tabs, web_form::Outcome,
};
use crate::{
    discord::{
        mentions::{Names, Use},
        rest::Priority,
    },
    settings::GuildSettings,
    support::i18n::Language,
    web::{
        answer::{Answer, Fault},
        context::Context,
        elements::link,
        route::Access,
    },
};

/// The field with the form's number.
const FORM: &str = "form";
/// The number of the forms that remove a row.
const REMOVAL: &str = "remove";
/// The button that shows a preview without saving.
const PREVIEW: &str = "preview";

/// A page for settings that subcommands change.
pub(crate) struct FormPage {
    /// Below `/servers/{guild}/settings/`.
    pub(crate) path: &'static str,
    /// The text of its title.
    pub(crate) title: &'static str,
    pub(crate) forms: &'static [Form],
    /// What a server can have several of.
    pub(crate) rows: Option<(Form, ReadRows)>,
    /// An option that has a preview: a picture at the path of the page and `/preview.png`, with the option in its query.
    pub(crate) preview: Option<&'static str>,
}

/// A form.
pub(crate) struct Form {
    pub(crate) command: &'static dyn AnyCommand,
    /// The names of the group, if there is one, and of the subcommand.
    pub(crate) path: &'static [&'static str],
    /// Options without an input: their names and values.
    pub(crate) fixed: &'static [(&'static str, &'static str)],
    /// What an input holds at first.
    pub(crate) now: fn(&GuildSettings, &str) -> Option<String>,
}

/// What a server has several of, in words for Discord.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// What concerns all of them.
    pub(crate) notes: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

/// One of several.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) text: String,
    /// The options of the subcommand that removes it; `None` if that is impossible.
    pub(crate) removal: Option<Vec<(&'static str, String)>>,
}

/// Reads the rows of a server.
pub(crate) type ReadRows = for<'a> fn(Reading<'a>) -> BoxFuture<'a, Result<Rows, Fault>>;

/// What rows are read from.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) services: &'a Services,
    pub(crate) guild_id: Id<GuildMarker>,
    pub(crate) settings: &'a GuildSettings,
    pub(crate) language: Language,
}

impl Form {
    /// A form whose inputs are empty at first.
    pub(crate) const fn new(command: &'static dyn AnyCommand, path: &'static [&'static str]) -> Self {
        Self {
            command,
            path,
            fixed: &[],
            now: |_, _| None,
        }
    }

    /// The same with what its inputs hold at first.
    pub(crate) const fn now(mut self, now: fn(&GuildSettings, &str) -> Option<String>) -> Self {
        self.now = now;
        self
    }

    /// The same with these options in place of inputs.
    pub(crate) const fn fixed(mut self, fixed: &'static [(&'static str, &'static str)]) -> Self {
        self.fixed = fixed;
        self
    }

    /// The definition of its subcommand.
    fn definition(&self) -> Option<CommandOption> {
        let mut options = self.command.definition().options;
        let mut found = None;
        for name in self.path {
            let option = options.into_iter().find(|option| option.name == *name)?;
            options = option.options.clone().unwrap_or_default();
            found = Some(option);
        }
        found.filter(|option| option.kind == CommandOptionType::SubCommand)
    }

    /// The options that have inputs.
    fn inputs(&self) -> Vec<CommandOption> {
        let options = self.definition().and_then(|definition| definition.options);
        let options = options.unwrap_or_default().into_iter();
        let is_fixed = |name: &str| self.fixed.iter().any(|(fixed, _)| *fixed == name);
        options.filter(|option| !is_fixed(&option.name)).collect()
    }

    /// The subcommand with these options, as Discord sends it.
    fn invocation(&self, options: Vec<Json>) -> Json {
        let mut path = self.path.iter().rev();
        let Some(name) = path.next() else {
            return Json::Array(options);
        };
        let sub = json!([{"name": name, "type": 1, "options": options}]);
        path.fold(
            sub,
            |inner, name| json!([{"name": name, "type": 2, "options": inner}]),
        )
    }
}

impl Page for FormPage {
    fn path(&self) -> &'static str {
        self.path
    }

    fn access(&self) -> Access {
        Access::Staff(Permissions::MANAGE_GUILD)
    }

    fn tab(&self) -> Option<&'static str> {
        Some(self.title)
    }

    #[cfg(test)]
    fn forms(&self) -> Vec<&Form> {
        self.forms
            .iter()
            .chain(self.rows.iter().map(|(form, _)| form))
            .collect()
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        self.render(context, services, None).await
    }

    async fn post(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let form = match context.form().get(FORM) {
            Some(REMOVAL) => self.rows.as_ref().map(|(form, _)| form),
            number => number
                .and_then(|number| number.parse().ok())
                .and_then(|number: usize| self.forms.get(number)),
        };
        let form = form.ok_or(Fault::NotFound)?;
        let guild_id = context.guild()?;
        let listing = services.guilds.listing(guild_id, Priority::Command).await?;
        let (options, resolved) = match entered::options(form, context, &listing) {
            Ok(entered) => entered,
            Err(text) => {
                let outcome = Outcome { is_done: false, text };
                let answer = self.render(context, services, Some(&outcome)).await?;
                return Ok(answer.with_status(StatusCode::UNPROCESSABLE_ENTITY));
            }
        };
        if context.form().get(PREVIEW).is_some() {
            return self.render(context, services, None).await;
        }
        let options = form.invocation(options);
        let mut asked = CommandContext::of_command(context, form.command.name(), (&options, &resolved))?;
        let result = form.command.run(&mut asked, services).await;
        let outcome = Outcome::of(context, services, result).await?;
        let answer = self.render(context, services, Some(&outcome)).await?;
        Ok(outcome.on(answer))
    }
}

impl FormPage {
    async fn render(
        &self,
        context: &Context,
        services: &Services,
        outcome: Option<&Outcome>,
    ) -> Result<Answer, Fault> {
        let guild_id = context.guild()?;
        let (listing, settings) = tokio::join!(
            services.guilds.listing(guild_id, Priority::Command),
            services.settings.of(&services.store, guild_id)
        );
        let (listing, settings) = (listing?, settings?);
        // What was sent stays in the inputs unless it was done.
        let sent = context
            .form()
            .get(FORM)
            .filter(|_| outcome.is_none_or(|outcome| !outcome.is_done));
        let around = Around {
            context,
            listing: &listing,
            settings: &settings,
        };
        let rows = match &self.rows {
            Some((_, read)) => {
                let reading = Reading {
                    services,
                    guild_id,
                    settings: &settings,
                    language: context.language(),
                };
                read(reading).await?
            }
            None => Rows::default(),
        };
        let texts = rows.notes.iter().chain(rows.rows.iter().map(|row| &row.text));
        let texts = texts.map(String::as_str);
        let names = Names::of_texts(&services.guilds, guild_id, texts, Use::Form).await;
        let title = context.text(self.title);
        let main = html! {
            h1 { (title) }
            (tabs(context, services, guild_id))
            @if let Some(outcome) = outcome { (outcome.note()) }
            (listed(context, &names, &rows))
            @for (number, form) in self.forms.iter().enumerate() {
                @let number = number.to_string();
                @let is_sent = sent == Some(number.as_str());
                (self.form(&around, (&number, form), is_sent))
            }
        };
        Ok(context.page(&title, &main))
    }

    fn form(&self, around: &Around<'_>, (number, form): (&str, &Form), is_sent: bool) -> Markup {
        let Some(definition) = form.definition() else {
            return Markup::default();
        };
        let context = around.context;
        let inputs = form.inputs();
        let held: Vec<(&CommandOption, String)> = inputs
            .iter()
            .map(|option| (option, around.held(form, option, is_sent)))
            .collect();
        let previewed = self.preview.and_then(|name| {
            let (_, value) = held.iter().find(|(option, _)| option.name == name)?;
            let path = format!("{}/preview.png", context.path().split('?').next()?);
            Some(link(&path, &[(name, value.as_str())]))
        });
        html! {
            form.card method="post" {
                (context.token())
                input type="hidden" name=(FORM) value=(number);
                h2 { (inputs::text(&definition, context.language())) }
                @for (option, value) in &held { (around.field(number, option, value)) }
                @if let Some(picture) = &previewed {
                    img.picture id={ "preview-" (number) } data-preview src=(picture) alt=(context.text("settings-page-preview"));
                }
                div.actions {
                    button type="submit" { (context.text(if held.is_empty() { "settings-page-do" } else { "settings-page-save" })) }
                    @if previewed.is_some() {
                        button.quiet type="submit" name=(PREVIEW) value="1" { (context.text("settings-page-show-preview")) }
                    }
                }
            }
        }
    }
}

/// The rows, each with its button.
fn listed(context: &Context, names: &Names, rows: &Rows) -> Markup {
    let remove = context.text("settings-page-remove");
    html! {
        @for note in &rows.notes { p.text { (names.in_text(note)) } }
        @if !rows.rows.is_empty() {
            ul.list.card {
                @for row in &rows.rows {
                    @let text = names.in_text(&row.text);
                    li.with-button {
                        p { (text) }
                        @if let Some(options) = &row.removal {
                            form method="post" {
                                (context.token())
                                input type="hidden" name=(FORM) value=(REMOVAL);
                                @for (name, value) in options { input type="hidden" name=(name) value=(value); }
                                button.danger type="submit" aria-label=(format!("{remove}: {text}")) { (remove) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The text in a language among those of a definition.
fn in_language<'a>(
    text: &'a str,
    others: Option<&'a HashMap<String, String>>,
    language: Language,
) -> &'a str {
    let mut locales = language.locales().iter();
    let found = locales.find_map(|locale| others?.get(*locale));
    found.map_or(text, String::as_str)
}

#[cfg(test)]
mod tests;
