//! `eventide invite`: prints the link that adds the bot to a guild, with only the permissions that it uses.

use std::{fmt::Write as _, io::Write as _};

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use clap::{Args, ValueEnum};
use twilight_gateway::Intents;
use twilight_model::{
    guild::Permissions,
    id::{Id, marker::ApplicationMarker},
};

use super::CliError;
use crate::{
    config::{self, Config, Problems},
    pipeline::dispatch,
};

/// Arguments of `eventide invite`.
#[derive(Debug, Args)]
pub struct Invite {
    /// Application ID, from General Information in the Developer Portal [default: from the token]
    #[arg(long, value_name = "ID")]
    pub application_id: Option<Id<ApplicationMarker>>,
    /// A feature to leave out, together with its permissions; can be repeated
    #[arg(long, value_name = "FEATURE")]
    pub without: Vec<Feature>,
}

/// Features that need permissions and are enabled by servers, not by the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Feature {
    /// Level announcements, welcome messages and the log channel
    Messages,
    /// Reward roles
    Roles,
    /// Timeouts, kicks and bans, by commands and by warning thresholds
    Moderation,
    /// Locks and slow mode of channels, roles and nicknames by command, deletion of messages
    Staff,
}

/// A permission, with Discord's name for it and its purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wish {
    permission: Permissions,
    name: &'static str,
    why: &'static str,
}

const fn wish(permission: Permissions, name: &'static str, why: &'static str) -> Wish {
    Wish {
        permission,
        name,
        why,
    }
}

/// Discord's default for a bot without other permissions.
const SEE: Wish = wish(
    Permissions::VIEW_CHANNEL,
    "View Channels",
    "messages count in the channels that the bot can see",
);

/// Permissions for features that guilds turn on. Replies to slash commands need none, images included.
const BY_FEATURE: &[(Feature, Wish)] = &[
    (
        Feature::Messages,
        wish(
            Permissions::SEND_MESSAGES,
            "Send Messages",
            "level-ups, welcomes and the log channel",
        ),
    ),
    (
        Feature::Messages,
        wish(
            Permissions::SEND_MESSAGES_IN_THREADS,
            "Send Messages in Threads",
            "level-ups in the thread of the message",
        ),
    ),
    (
        Feature::Messages,
        wish(
            Permissions::CONNECT,
            "Connect",
            "the same in the text chat of voice channels, which the bot does not join",
        ),
    ),
    (
        Feature::Roles,
        wish(
            Permissions::MANAGE_ROLES,
            "Manage Roles",
            "reward roles below the bot's own role",
        ),
    ),
    (
        Feature::Moderation,
        wish(
            Permissions::MODERATE_MEMBERS,
            "Timeout Members",
            "`/timeout`, and timeouts by warning thresholds",
        ),
    ),
    (
        Feature::Moderation,
        wish(
            Permissions::KICK_MEMBERS,
            "Kick Members",
            "`/kick`, and kicks by warning thresholds",
        ),
    ),
    (
        Feature::Moderation,
        wish(
            Permissions::BAN_MEMBERS,
            "Ban Members",
            "`/ban` and its like, and bans by warning thresholds",
        ),
    ),
    (
        Feature::Moderation,
        wish(
            Permissions::MANAGE_GUILD,
            "Manage Server",
            "`/massban`: Discord requires it to ban many users at once",
        ),
    ),
    (
        Feature::Moderation,
        wish(
            Permissions::VIEW_AUDIT_LOG,
            "View Audit Log",
            "bans, kicks and timeouts without a command become cases",
        ),
    ),
    (
        Feature::Moderation,
        wish(
            Permissions::ATTACH_FILES,
            "Attach Files",
            "files given as evidence, in the log channel",
        ),
    ),
    (
        Feature::Staff,
        wish(Permissions::MANAGE_CHANNELS, "Manage Channels", "/slowmode"),
    ),
    (
        Feature::Staff,
        wish(
            Permissions::MANAGE_THREADS,
            "Manage Threads",
            "/slowmode in threads",
        ),
    ),
    (
        Feature::Staff,
        wish(
            Permissions::MANAGE_ROLES,
            "Manage Roles",
            "/lock changes the permissions of channels; /role",
        ),
    ),
    (
        Feature::Staff,
        wish(Permissions::MANAGE_NICKNAMES, "Manage Nicknames", "/nick"),
    ),
    (
        Feature::Staff,
        wish(Permissions::MANAGE_MESSAGES, "Manage Messages", "/purge"),
    ),
    (
        Feature::Staff,
        wish(
            Permissions::READ_MESSAGE_HISTORY,
            "Read Message History",
            "/purge",
        ),
    ),
    (
        Feature::Staff,
        wish(
            Permissions::SEND_MESSAGES,
            "Send Messages",
            "/lock denies it to members, which takes having it; the same for the next ones",
        ),
    ),
    (
        Feature::Staff,
        wish(
            Permissions::SEND_MESSAGES_IN_THREADS,
            "Send Messages in Threads",
            "/lock",
        ),
    ),
    (
        Feature::Staff,
        wish(
            Permissions::CREATE_PUBLIC_THREADS,
            "Create Public Threads",
            "/lock",
        ),
    ),
    (
        Feature::Staff,
        wish(
            Permissions::CREATE_PRIVATE_THREADS,
            "Create Private Threads",
            "/lock",
        ),
    ),
    (
        Feature::Staff,
        wish(Permissions::CONNECT, "Connect", "/lock of voice channels"),
    ),
];

/// Permissions for backfill, `levels.backfill`.
const BACKFILL: &[Wish] = &[
    wish(
        Permissions::READ_MESSAGE_HISTORY,
        "Read Message History",
        "reading missed messages (levels.backfill)",
    ),
    wish(
        Permissions::CONNECT,
        "Connect",
        "the same in the text chat of voice channels, which the bot does not join",
    ),
];

/// Permissions for replies to text commands, `discord.message_content`: these are ordinary messages.
const WRITTEN: &[Wish] = &[
    wish(
        Permissions::SEND_MESSAGES,
        "Send Messages",
        "replies to text commands (discord.message_content)",
    ),
    wish(
        Permissions::SEND_MESSAGES_IN_THREADS,
        "Send Messages in Threads",
        "the same in a thread",
    ),
    wish(
        Permissions::CONNECT,
        "Connect",
        "the same in the text chat of voice channels, which the bot does not join",
    ),
    wish(
        Permissions::EMBED_LINKS,
        "Embed Links",
        "the leaderboard in reply to !leaderboard",
    ),
    wish(
        Permissions::ATTACH_FILES,
        "Attach Files",
        "the card in reply to !rank",
    ),
    wish(
        Permissions::READ_MESSAGE_HISTORY,
        "Read Message History",
        "replies refer to the text command",
    ),
];

/// Intents to be enabled in the Developer Portal, with the configuration key that needs each.
const PRIVILEGED: &[(Intents, &str, &str)] = &[
    (
        Intents::GUILD_MEMBERS,
        "Server Members Intent",
        "discord.member_events",
    ),
    (
        Intents::MESSAGE_CONTENT,
        "Message Content Intent",
        "discord.message_content",
    ),
    (Intents::GUILD_PRESENCES, "Presence Intent", "a handler"),
];

/// Print the link, and the permissions that it requests.
///
/// # Errors
///
/// The application ID is unknown.
pub fn invite(arguments: &Invite, config: &Config) -> Result<(), CliError> {
    let application_id = match arguments.application_id {
        Some(id) => id,
        None => application_of(config.require_token().map_err(Problems::from)?.expose()).ok_or_else(|| {
            CliError::Usage(
                "the token does not start with an application ID: pass --application-id, from General Information in the Developer Portal"
                    .to_owned(),
            )
        })?,
    };
    let text = told(application_id, &arguments.without, config);
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

/// The application ID of a token. Its first part is the bot's user ID in base64, which equals the application's except for some from before
/// 2016.
/// <https://discord.com/developers/docs/reference#authentication>
fn application_of(token: &str) -> Option<Id<ApplicationMarker>> {
    const BASE64: GeneralPurpose = GeneralPurpose::new(
        &alphabet::URL_SAFE,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let token = token.strip_prefix("Bot ").unwrap_or(token);
    let (first, _rest) = token.split_once('.')?;
    let id = BASE64.decode(first).ok()?;
    str::from_utf8(&id).ok()?.parse().ok()
}

/// The permissions in use, each one once.
fn wishes(without: &[Feature], config: &Config) -> Vec<Wish> {
    let by_feature = BY_FEATURE
        .iter()
        .filter(|(feature, _)| !without.contains(feature))
        .map(|(_, wish)| *wish);
    let backfill = if config.levels.backfill { BACKFILL } else { &[] };
    let written = if config.discord.message_content {
        WRITTEN
    } else {
        &[]
    };
    let mut all: Vec<Wish> = Vec::new();
    for wish in std::iter::once(SEE)
        .chain(by_feature)
        .chain(backfill.iter().copied())
        .chain(written.iter().copied())
    {
        if !all.iter().any(|other| other.permission == wish.permission) {
            all.push(wish);
        }
    }
    all
}

fn told(application_id: Id<ApplicationMarker>, without: &[Feature], config: &Config) -> String {
    let wishes = wishes(without, config);
    let permissions = wishes
        .iter()
        .fold(Permissions::empty(), |all, wish| all | wish.permission);
    let width = wishes.iter().map(|wish| wish.name.len()).max().unwrap_or(0);
    let mut text = format!(
        "https://discord.com/oauth2/authorize?client_id={application_id}&scope=bot+applications.commands&permissions={}\n\n",
        permissions.bits()
    );
    for wish in &wishes {
        writeln!(text, "{:width$}  {}", wish.name, wish.why).expect("a string takes all");
    }
    text.push_str("\nTo be enabled in the Developer Portal (Bot, Privileged Gateway Intents): ");
    text.push_str(&privileged(&config.discord));
    text.push('\n');
    text
}

/// The privileged intents required by the configuration.
fn privileged(discord: &config::Discord) -> String {
    let intents = dispatch::intents(discord);
    let names: Vec<String> = PRIVILEGED
        .iter()
        .filter(|(intent, _, _)| intents.contains(*intent))
        .map(|(_, name, key)| format!("{name} ({key})"))
        .collect();
    if names.is_empty() {
        "none; leave them off".to_owned()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests;
