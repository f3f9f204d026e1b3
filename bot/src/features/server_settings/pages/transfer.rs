//! Taking settings from a file or from another server. What would change is shown first, with the roles and channels to use.

use std::{collections::BTreeMap, sync::Arc};

use hyper::StatusCode;
use maud::{Markup, html};
use serde_json::{Value as Json, json};
use twilight_model::{
    guild::Permissions,
    id::{Id, marker::GuildMarker},
};

use super::{
    STAFF, chosen,
    document::{Document, Mapping},
    find, note, path, plain, tabs,
};
use crate::{
    discord::{guilds::listing::Listing, mentions::Names, rest::Priority},
    interactions::{
        CommandContext, CommandError, Services, feature::RowSetting, page::Page, reply::Reply,
        settings_changes, web_form::Outcome,
    },
    settings::{
        change::{self, Change, TooMany},
        command_settings::CommandSetting,
    },
    support::{ids, text::names::Name},
    web::{
        access::Age,
        answer::{Answer, Fault},
        context::Context,
        route::Access,
    },
};

/// The page.
pub(super) struct Transfer;

impl Page for Transfer {
    fn path(&self) -> &'static str {
        "/servers/{guild}/settings/transfer"
    }

    fn access(&self) -> Access {
        STAFF
    }

    fn tab(&self) -> Option<&'static str> {
        Some("settings-page-transfer")
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        begin(context, services, None).await
    }

    async fn post(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let document = match context.form().get("from").and_then(ids::written) {
            Some(from) => Some(of_server(context, services, from).await?),
            None => context.form().get("document").and_then(Document::parse),
        };
        let Some(document) = document else {
            let answer = begin(context, services, Some("settings-page-bad-file")).await?;
            return Ok(answer.with_status(StatusCode::UNPROCESSABLE_ENTITY));
        };
        let guild_id = context.guild()?;
        let listing = services.guilds.listing(guild_id, Priority::Command).await?;
        let is_mapped = context.form().get("mapped").is_some();
        let mapping = if is_mapped {
            Mapping::web_form(context.form())
        } else {
            document.suggestion(&listing)
        };
        let values = document.values(services, &mapping);
        let plan = Plan {
            changes: changes(services, guild_id, &values).await?,
            unused: document.unused(&values),
            document: &document,
            mapping: &mapping,
            listing: &listing,
        };
        if context.form().get("apply").is_none() {
            return Ok(confirm(context, services, guild_id, &plan, None));
        }
        let result = apply(context, services, guild_id, &plan).await;
        let outcome = Outcome::of(context, services, result).await?;
        if !outcome.is_done {
            let answer = confirm(context, services, guild_id, &plan, Some(&outcome.text));
            return Ok(answer.with_status(StatusCode::UNPROCESSABLE_ENTITY));
        }
        Ok(Answer::see_other(&format!(
            "{}?imported=1",
            path(guild_id, "history")
        )))
    }
}

/// The name of a setting, its stored value and its value in the file.
type Changed = (String, Json, Json);

/// What a file would change.
struct Plan<'a> {
    changes: Vec<Changed>,
    /// Settings in the file that cannot be used.
    unused: Vec<&'a str>,
    document: &'a Document,
    mapping: &'a Mapping,
    listing: &'a Arc<Listing>,
}

/// The settings of another server, in which the user must be able to see them.
async fn of_server(context: &Context, services: &Services, from: Id<GuildMarker>) -> Result<Document, Fault> {
    let staff = context.site().staff(from, context.user()?, Age::Now).await?;
    let may = staff.is_some_and(|staff| staff.may(Permissions::MANAGE_GUILD));
    if !may {
        return Err(Fault::NotFound);
    }
    let listing = services.guilds.listing(from, Priority::Command).await?;
    let chosen = chosen(services, from).await?;
    Ok(Document::of(services, &chosen, &listing))
}

/// The values that differ from what holds.
async fn changes(
    services: &Services,
    guild_id: Id<GuildMarker>,
    values: &[(&str, String, Json)],
) -> Result<Vec<Changed>, Fault> {
    let chosen = chosen(services, guild_id).await?;
    let usual = services.settings.defaults();
    let changes = values.iter().filter_map(|(_, name, value)| {
        let now = match find(services, name) {
            Some(setting) => setting.chosen_in(&chosen).unwrap_or_else(|| setting.usual(usual)),
            None => chosen.get(name).cloned().unwrap_or_default(),
        };
        (now != *value).then(|| (name.clone(), now, value.clone()))
    });
    Ok(changes.collect())
}

/// Change the settings, with the checks of the commands that change them.
async fn apply(
    context: &Context,
    services: &Services,
    guild_id: Id<GuildMarker>,
    plan: &Plan<'_>,
) -> Result<Reply, CommandError> {
    if plan.changes.is_empty() {
        return Ok(Reply::private(String::new()));
    }
    let stale = |_fault| CommandError::Stale;
    let asked = CommandContext::of_press(context, "settings", &[]).map_err(stale)?;
    let values = plan.changes.iter().map(|(name, _, value)| (name.as_str(), value));
    let (rows, values): (Vec<_>, Vec<_>) =
        values.partition(|(name, _)| services.commands.row_setting(name).is_some());
    if !settings_changes::exist(services, &asked, &values).await? {
        return Err(asked.refuse("settings-not-here"));
    }
    let permits = settings_changes::permits(&asked, services, &values).await?;
    let settings = values.iter().map(|(name, value)| {
        let exported = find(services, name).map(|setting| setting.field.kind.exported(value));
        ((*name).to_owned(), exported.unwrap_or_else(|| (*value).clone()))
    });
    let details = json!({"settings": settings.collect::<serde_json::Map<_, _>>()});
    let request = context.request("settings_import", &details).map_err(stale)?;
    let changes = values
        .iter()
        .map(|(name, value)| match CommandSetting::find(name) {
            Some((setting, key)) => setting.change(key, Some(value), &permits, request.request_id),
            None => find(services, name).map(|setting| setting.change(Some((*value).clone()))),
        });
    let changes: Option<Vec<Change>> = changes.collect();
    let changes = changes.ok_or(CommandError::Stale)?;
    let refuse = |too_many| {
        asked.refuse(match too_many {
            TooMany::Rewards => "levels-reward-too-many",
            TooMany::Multipliers => "levels-multiplier-too-many",
        })
    };
    let few = change::are_few(&services.store, guild_id, &changes).await?;
    few.map_err(refuse)?;
    // After the checks of the others, so that a refused file changes nothing.
    apply_rows(context, services, &rows).await?;
    let done = change::change_if(&services.store, request, changes, change::few).await?;
    done.map_err(refuse)?;
    let names: Vec<String> = values.iter().map(|(name, _)| (*name).to_owned()).collect();
    services.commands.follow_up(services, guild_id, &names).await?;
    Ok(Reply::private(String::new()))
}

/// Change rows by their commands, all of which are checked before the first is carried out.
async fn apply_rows(
    context: &Context,
    services: &Services,
    rows: &[(&str, &Json)],
) -> Result<(), CommandError> {
    let mut commands = row_commands(context, services, rows)?;
    for (setting, asked) in &commands {
        (setting.check)(asked, services).await?;
    }
    for (setting, asked) in &mut commands {
        for asked in asked {
            setting.command.run(asked, services).await?;
        }
    }
    Ok(())
}

/// The commands that change rows, by setting. Each is an interaction of its own, as in Discord, with a number that follows from the form's.
fn row_commands(
    context: &Context,
    services: &Services,
    rows: &[(&str, &Json)],
) -> Result<Vec<(&'static RowSetting, Vec<CommandContext>)>, CommandError> {
    let mut commands: Vec<(&'static RowSetting, Vec<CommandContext>)> = Vec::new();
    for ((name, value), number) in rows.iter().zip(1..) {
        let (setting, key) = services.commands.row_setting(name).ok_or(CommandError::Stale)?;
        let options = (setting.options)(key, value).ok_or(CommandError::Stale)?;
        let of_command = (&options, &Json::Null);
        let mut asked = CommandContext::of_command(context, setting.command.name(), of_command)
            .map_err(|_fault| CommandError::Stale)?;
        asked.payload.id = Id::new(asked.payload.id.get() + number);
        match commands.iter_mut().find(|(other, _)| other.name == setting.name) {
            Some((_, of_setting)) => of_setting.push(asked),
            None => commands.push((setting, vec![asked])),
        }
    }
    Ok(commands)
}

/// The forms for the file and for the other server.
async fn begin(context: &Context, services: &Services, fault: Option<&'static str>) -> Result<Answer, Fault> {
    let guild_id = context.guild()?;
    let session = context.session().ok_or(Fault::SignIn)?;
    let mut others = context
        .site()
        .servers_with(session, Permissions::MANAGE_GUILD)
        .await?;
    others.retain(|(other, _)| *other != guild_id);
    let title = context.text("settings-page-transfer");
    let sent = context.form().get("document").unwrap_or_default();
    let main = html! {
        h1 { (title) }
        (tabs(context, services, guild_id))
        @if let Some(fault) = fault { (note("bad", &context.text(fault))) }
        section.card {
            h2 { (context.text("settings-page-export")) }
            p { (context.text("settings-page-export-hint")) }
            a.button.quiet href=(path(guild_id, "export")) { (context.text("settings-page-download")) }
        }
        section.card {
            h2 { (context.text("settings-page-import")) }
            form method="post" action=(path(guild_id, "transfer")) {
                (context.token())
                div.field {
                    label for="document" { (context.text("settings-page-document")) }
                    span.hint id="document-hint" { (context.text("settings-page-document-hint")) }
                    textarea id="document" name="document" required spellcheck="false" aria-describedby="document-hint" {
                        "\n" (sent)
                    }
                }
                button type="submit" { (context.text("settings-page-continue")) }
            }
        }
        @if !others.is_empty() {
            section.card {
                h2 { (context.text("settings-page-copy")) }
                form method="post" action=(path(guild_id, "transfer")) {
                    (context.token())
                    div.field {
                        label for="from" { (context.text("settings-page-from")) }
                        select id="from" name="from" {
                            @for (other, name) in &others { option value=(other) { (name.as_plain()) } }
                        }
                    }
                    button type="submit" { (context.text("settings-page-continue")) }
                }
            }
        }
    };
    Ok(context.page(&title, &main))
}

/// What would change, and which roles and channels are used.
fn confirm(
    context: &Context,
    services: &Services,
    guild_id: Id<GuildMarker>,
    plan: &Plan<'_>,
    fault: Option<&str>,
) -> Answer {
    let around = plain::Around {
        services,
        listing: plan.listing,
        names: &Names::of_listing(plan.listing),
        language: context.language(),
    };
    let title = context.text("settings-page-confirm");
    let has_names = !plan.document.roles.is_empty() || !plan.document.channels.is_empty();
    let main = html! {
        h1 { (title) }
        (tabs(context, services, guild_id))
        @if let Some(fault) = fault { (note("bad", fault)) }
        @if !plan.unused.is_empty() {
            (note("", &context.filled("settings-page-unused", &[("settings", plan.unused.join(", ").into())])))
        }
        form.card method="post" action=(path(guild_id, "transfer")) {
            (context.token())
            input type="hidden" name="document" value=(plan.document.to_text());
            input type="hidden" name="mapped" value="1";
            @if has_names {
                h2 { (context.text("settings-page-names")) }
                (menus(context, "role", "@", &plan.document.roles, &plan.mapping.roles, |_| plan.listing.roles.iter().collect()))
                (menus(context, "channel", "#", &plan.document.channels, &plan.mapping.channels, |id| plan.document.places(id, plan.listing)))
            }
            h2 { (context.text("settings-page-changes")) }
            @if plan.changes.is_empty() {
                p { (context.text("settings-page-no-changes")) }
            } @else {
                div.scroll tabindex="0" { table.even {
                    thead { tr {
                        th scope="col" { (context.text("settings-page-setting")) }
                        th scope="col" { (context.text("settings-page-before")) }
                        th scope="col" { (context.text("settings-page-after")) }
                    } }
                    tbody {
                        @for (name, before, after) in &plan.changes {
                            tr {
                                th scope="row" { (plain::label(&around, name)) }
                                td { (plain::named(&around, name, before)) }
                                td { (plain::named(&around, name, after)) }
                            }
                        }
                    }
                } }
            }
            div.actions {
                button type="submit" name="apply" value="1" { (context.text("settings-page-apply")) }
                @if has_names { button.quiet type="submit" { (context.text("settings-page-update")) } }
                a.button.quiet href=(path(guild_id, "transfer")) { (context.text("settings-page-cancel")) }
            }
        }
    };
    context.page(&title, &main)
}

/// A menu for each role or channel of the file.
fn menus<'a, T: 'a>(
    context: &Context,
    what: &str,
    sign: &str,
    wanted: &BTreeMap<String, String>,
    chosen: &BTreeMap<String, Id<T>>,
    there: impl Fn(&str) -> Vec<&'a (Id<T>, Name)>,
) -> Markup {
    html! {
        @for (id, name) in wanted {
            @let field = format!("{what}.{id}");
            div.field {
                label for=(field) { (sign) @if name.is_empty() { (id) } @else { (name) } }
                select id=(field) name=(field) {
                    option value="" { (context.text("settings-page-leave-out")) }
                    @for (there, name) in there(id) {
                        option value=(there) selected[chosen.get(id) == Some(there)] { (sign) (name.as_plain()) }
                    }
                }
            }
        }
    }
}
