//! The page of a section: a form with all of its settings.

use std::collections::BTreeMap;

use hyper::StatusCode;
use maud::html;
use serde_json::{Value as Json, json};

use super::{
    STAFF, chosen, entered,
    inputs::{Around, Filled},
    note, path, sections, tabs,
};
use crate::{
    discord::rest::Priority,
    interactions::{Services, page::Page},
    settings::{
        change,
        section::{Section, Setting, field::Kind},
    },
    web::{
        answer::{Answer, Fault},
        context::Context,
        form::Fields,
        route::Access,
    },
};

/// The button that shows previews without saving.
const PREVIEW: &str = "preview";

/// The page of a section.
pub(super) struct SectionPage;

/// Settings with their new values; `None` is the default.
type Changes = Vec<(Setting, Option<Json>)>;
/// Settings whose inputs hold no value, with the reason.
type Faults = BTreeMap<&'static str, String>;

impl Page for SectionPage {
    fn path(&self) -> &'static str {
        "/servers/{guild}/settings/{section}"
    }

    fn access(&self) -> Access {
        STAFF
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let section = section(context, services)?;
        render(context, services, section, &Faults::new()).await
    }

    async fn post(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let section = section(context, services)?;
        let guild_id = context.guild()?;
        let (changes, faults) = read(context, services, section).await?;
        if !faults.is_empty() {
            let answer = render(context, services, section, &faults).await?;
            return Ok(answer.with_status(StatusCode::UNPROCESSABLE_ENTITY));
        }
        if context.form().get(PREVIEW).is_some() {
            return render(context, services, section, &faults).await;
        }
        if !changes.is_empty() {
            let settings = changes.iter().map(|(setting, value)| {
                let value = value.as_ref().map(|value| setting.field.kind.exported(value));
                (setting.to_string(), json!(value))
            });
            let details = json!({"settings": settings.collect::<serde_json::Map<_, _>>()});
            let request = context.request("settings", &details)?;
            let changes = changes.into_iter().map(|(setting, value)| setting.change(value));
            change::change(&services.store, request, changes.collect()).await?;
        }
        Ok(Answer::see_other(&format!(
            "{}?saved=1",
            path(guild_id, section.name)
        )))
    }
}

fn section(context: &Context, services: &Services) -> Result<&'static Section, Fault> {
    let name = context.param("section").ok_or(Fault::NotFound)?;
    let mut sections = sections(services);
    sections
        .find(|section| section.name == name)
        .ok_or(Fault::NotFound)
}

/// What the form changes. Roles and channels have to exist in the server.
async fn read(
    context: &Context,
    services: &Services,
    section: &'static Section,
) -> Result<(Changes, Faults), Fault> {
    let guild_id = context.guild()?;
    let (mut changes, mut faults) = (Changes::new(), Faults::new());
    for setting in section.settings() {
        let Some(inputs) = entered::changed(setting, context.form()) else {
            continue;
        };
        match entered::value(setting, &inputs, services.settings.defaults()) {
            Ok(value) => changes.push((setting, value)),
            Err(fault) => drop(faults.insert(setting.field.name, fault.in_words(context.language()))),
        }
    }
    for (setting, value) in &changes {
        let named = setting.field.kind.named(value.as_ref().unwrap_or(&Json::Null));
        let gone = services
            .guilds
            .gone(guild_id, &named.roles, &named.channels, Priority::Command);
        if !gone.await?.is_empty() {
            faults.insert(setting.field.name, context.text("settings-not-here"));
        }
    }
    Ok((changes, faults))
}

/// The form, with what was sent if there was something.
async fn render(
    context: &Context,
    services: &Services,
    section: &'static Section,
    faults: &Faults,
) -> Result<Answer, Fault> {
    let guild_id = context.guild()?;
    let chosen = chosen(services, guild_id).await?;
    let listing = services.guilds.listing(guild_id, Priority::Command).await?;
    let usual = services.settings.defaults();
    let filled = |setting: Setting| {
        let inputs = entered::of_choice(setting, &chosen, usual);
        let sent = entered::changed(setting, context.form());
        Filled {
            before: sent_before(setting, context.form()).unwrap_or_else(|| entered::joined(&inputs)),
            inputs: sent.unwrap_or(inputs),
            fault: faults.get(setting.field.name).cloned(),
            setting,
        }
    };
    let around = Around {
        context,
        listing: &listing,
        usual,
    };
    let title = section.title(context.language());
    let has_previews = section
        .settings()
        .any(|setting| matches!(setting.field.kind, Kind::Template(_)));
    let main = html! {
        h1 { (title) }
        (tabs(context, services, guild_id))
        @if !faults.is_empty() {
            (note("bad", &context.text("settings-page-faults")))
        } @else if context.query().get("saved").is_some() && context.form().get(PREVIEW).is_none() {
            (note("good", &context.text("settings-page-saved")))
        }
        form.card method="post" action=(path(guild_id, section.name)) {
            (context.token())
            @for setting in section.settings() { (around.field(&filled(setting))) }
            div.actions {
                button type="submit" { (context.text("settings-page-save")) }
                @if has_previews {
                    button.quiet type="submit" name=(PREVIEW) value="1" { (context.text("settings-page-show-preview")) }
                }
            }
        }
    };
    Ok(context.page(&title, &main))
}

/// What the inputs held when the form that was sent was made.
fn sent_before(setting: Setting, form: &Fields) -> Option<String> {
    form.get(&entered::before_name(setting)).map(str::to_owned)
}
