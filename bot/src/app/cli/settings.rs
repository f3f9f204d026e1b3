//! `eventide settings`: shows and changes the settings of a guild.

use std::io::Write;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use twilight_model::id::{Id, marker::GuildMarker};

use super::CliError;
use crate::{
    app::features,
    config::{Config, Levels},
    discord::guilds::authority::RewardPermit,
    postgres::{
        Store,
        database::{Database, DatabaseError},
        request::Request,
    },
    settings::{
        GuildSettings,
        change::{self, Change, RewardError},
        section::{Section, Setting, field::Kind},
        table::{self, Stored},
        text_form::{self, ChangeFault, Key},
    },
    support::{i18n::Language, text::limits::excerpt},
    telemetry::logging,
};

/// Characters of a wrong value that are quoted.
const SHOWN_CHARS: usize = 40;

/// Whose settings, and what to do with them.
#[derive(Clone, Debug, Args)]
pub struct Settings {
    /// The server's ID
    #[arg(value_name = "GUILD_ID")]
    guild: String,
    /// Print one JSON object
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: Option<What>,
}

/// What to do; without it they are shown.
#[derive(Clone, Debug, Subcommand)]
enum What {
    /// Change settings, such as `announce=channel:ID template="GG {user}!" ping=true rewards=replace log_channel=ID moderation.dm_warn=false`
    Set {
        /// Setting and value
        #[arg(value_name = "KEY=VALUE", required = true)]
        pairs: Vec<String>,
    },
    /// Reset settings to the operator's defaults
    Unset {
        /// The setting
        #[arg(value_name = "KEY", required = true)]
        keys: Vec<String>,
    },
    /// Roles that members receive at a level
    #[command(subcommand)]
    Reward(Reward),
}

/// A level's role.
#[derive(Clone, Debug, Subcommand)]
enum Reward {
    /// Add a reward role; a role has one level, so an existing reward moves
    Add {
        /// The level
        level: String,
        /// The role's ID
        #[arg(value_name = "ROLE_ID")]
        role: String,
    },
    /// Remove a reward role; members keep it
    Remove {
        /// The role's ID
        #[arg(value_name = "ROLE_ID")]
        role: String,
    },
}

/// The parsed request.
enum Task {
    Show,
    /// With what was typed.
    Change(Vec<Change>, Value),
    Add(u32, Id<twilight_model::id::marker::RoleMarker>),
    Remove(Id<twilight_model::id::marker::RoleMarker>),
}

/// Show or change the settings, and show the result.
///
/// # Errors
///
/// An argument is invalid, in which case nothing has changed; or the database cannot be reached.
pub async fn settings(arguments: Settings, config: &Config) -> Result<(), CliError> {
    let usage = |fault: ChangeFault| CliError::Usage(fault.to_string());
    let guild_id = text_form::guild(&arguments.guild).map_err(usage)?;
    let task = understood(arguments.what)?;
    logging::install(&config.log);
    let database = Database::visit(&config.database).await?;
    let done = on(&database, guild_id, task, config).await;
    database.close().await?;
    let stored = done?;
    let mut out = std::io::stdout();
    if arguments.json {
        writeln!(out, "{}", as_json(&stored, &config.levels))?;
    } else {
        out.write_all(as_text(&stored, &config.levels).as_bytes())?;
    }
    Ok(())
}

fn understood(what: Option<What>) -> Result<Task, CliError> {
    let usage = |fault: ChangeFault| CliError::Usage(fault.to_string());
    Ok(match what {
        None => Task::Show,
        Some(What::Set { pairs }) => Task::Change(
            pairs
                .iter()
                .map(|pair| {
                    let (name, written) = pair.split_once('=').ok_or_else(|| {
                        CliError::Usage(format!(
                            "`set` takes KEY=VALUE, with KEY one of {}; {pair:?} has no =",
                            Key::ALL.map(Key::name).join(", ")
                        ))
                    })?;
                    if is_of_section(name) {
                        return of_section(name, Some(written));
                    }
                    Key::parse(name).and_then(|key| key.set(written)).map_err(usage)
                })
                .collect::<Result<_, _>>()?,
            json!({"set": pairs}),
        ),
        Some(What::Unset { keys }) => Task::Change(
            keys.iter()
                .map(|name| {
                    if is_of_section(name) {
                        return of_section(name, None);
                    }
                    Key::parse(name).map(Key::unset).map_err(usage)
                })
                .collect::<Result<_, _>>()?,
            json!({"unset": keys}),
        ),
        Some(What::Reward(Reward::Add { level, role })) => Task::Add(
            text_form::level(&level).map_err(usage)?,
            text_form::role(&role).map_err(usage)?,
        ),
        Some(What::Reward(Reward::Remove { role })) => Task::Remove(text_form::role(&role).map_err(usage)?),
    })
}

/// Settings of sections have names such as `moderation.dm_warn`.
fn is_of_section(name: &str) -> bool {
    name.contains('.')
}

fn of_section(name: &str, written: Option<&str>) -> Result<Change, CliError> {
    let setting =
        Setting::find(features::sections(), name).map_err(|fault| CliError::Usage(fault.to_string()))?;
    let value = written.map(|written| {
        setting.field.kind.parse(written).map_err(|fault| {
            let allowed = fault.in_words(Language::English);
            CliError::Usage(format!(
                "{setting} cannot be {:?}: {allowed}",
                excerpt(written, SHOWN_CHARS)
            ))
        })
    });
    Ok(Change::Section {
        section: setting.section.name.into(),
        field: setting.field.name.into(),
        value: value.transpose()?,
    })
}

async fn on(
    database: &Database,
    guild_id: Id<GuildMarker>,
    task: Task,
    config: &Config,
) -> Result<Stored, CliError> {
    let store = database
        .own_store(&config.database)
        .await
        .map_err(DatabaseError::from)?;
    store.name_for("settings");
    let done = with(&store, guild_id, task).await;
    store.close();
    done
}

async fn with(store: &Store, guild_id: Id<GuildMarker>, task: Task) -> Result<Stored, CliError> {
    match task {
        Task::Show => {}
        Task::Change(changes, typed) => {
            let request = Request::of_operator(guild_id, "settings", &typed);
            change::change(store, request, changes)
                .await
                .map_err(DatabaseError::from)?;
        }
        Task::Add(level, role_id) => {
            let details = json!({"level": level, "role": role_id});
            let request = Request::of_operator(guild_id, "levels_reward_add", &details);
            match change::add_reward(store, request, level, RewardPermit::of_operator(role_id)).await {
                Ok(()) => {}
                Err(RewardError::Store(error)) => return Err(DatabaseError::from(error).into()),
                Err(error @ RewardError::TooMany(_)) => return Err(CliError::Usage(error.to_string())),
            }
        }
        Task::Remove(role_id) => {
            let request = Request::of_operator(guild_id, "levels_reward_remove", &json!({"role": role_id}));
            let was_there = change::remove_reward(store, request, role_id)
                .await
                .map_err(DatabaseError::from)?;
            if !was_there {
                return Err(CliError::Usage(format!("no level gives the role {role_id}")));
            }
        }
    }
    let read = table::read(store, &[guild_id])
        .await
        .map_err(DatabaseError::from)?;
    Ok(read
        .into_iter()
        .next()
        .unwrap_or_else(|| Stored::nothing(guild_id)))
}

fn as_text(stored: &Stored, levels: &Levels) -> String {
    let holds = GuildSettings::of(stored, levels);
    let whose = |chosen: bool| if chosen { "" } else { "  (the operator's default)" };
    let mut lines = vec![
        format!(
            "announce     {}{}",
            holds.announce,
            whose(stored.announce.is_some())
        ),
        format!(
            "template     {:?}{}",
            holds.template.as_str(),
            whose(stored.announce_template.is_some())
        ),
        format!("ping         {}", holds.ping),
        format!("rewards      {}", holds.rewards.mode.word()),
        format!(
            "log_channel  {}",
            holds
                .log_channel_id
                .map_or_else(|| "none".to_owned(), |id| id.to_string())
        ),
    ];
    let roles = holds.rewards.roles();
    lines.extend(
        roles
            .iter()
            .map(|(level, role)| format!("level {level:<6} role {role}")),
    );
    lines.extend(features::sections().flat_map(Section::settings).map(|setting| {
        let value = setting.field.kind.written(&setting.value(&holds));
        match setting.field.kind {
            Kind::Text(_) | Kind::Template(_) => format!("{setting}  {value:?}"),
            _ => format!("{setting}  {value}"),
        }
    }));
    for (what, reason, again) in [
        ("announcements", &stored.announce_off_reason, "set announce=…"),
        ("rewards", &stored.rewards_off_reason, "set rewards=…"),
    ] {
        if let Some(reason) = reason {
            lines.push(format!(
                "The bot switched {what} off: {reason:?}; once that is fixed, `{again}` switches them on again."
            ));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// IDs are strings: they have more digits than JavaScript's numbers.
fn as_json(stored: &Stored, levels: &Levels) -> Value {
    let holds = GuildSettings::of(stored, levels);
    let roles: Vec<Value> = holds
        .rewards
        .roles()
        .iter()
        .map(|(level, role)| json!({ "level": level, "role_id": role.to_string() }))
        .collect();
    let sections = features::sections().map(|section| {
        let settings = section.settings().map(|setting| {
            let value = setting.field.kind.exported(&setting.value(&holds));
            (setting.field.name.to_owned(), value)
        });
        (section.name.to_owned(), settings.collect::<Value>())
    });
    let sections: Value = sections.collect();
    json!({
        "guild_id": stored.guild_id.to_string(),
        "announce": holds.announce.to_string(),
        "announce_is_default": stored.announce.is_none(),
        "announce_off_reason": stored.announce_off_reason,
        "template": holds.template.as_str(),
        "template_is_default": stored.announce_template.is_none(),
        "ping": holds.ping,
        "rewards": holds.rewards.mode.word(),
        "rewards_off_reason": stored.rewards_off_reason,
        "log_channel_id": holds.log_channel_id.map(|id| id.to_string()),
        "roles": roles,
        "sections": sections,
    })
}
