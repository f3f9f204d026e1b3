//! Configures where and how level-ups are announced.

use serde_json::json;

use super::{change, rules::given};
use crate::{
    config::Announce,
    interactions::{CommandContext, CommandError, Services, payload::BadOption, reply::Reply},
    settings::{Template, change::Change},
    support::{
        i18n::Value,
        text::template::{Facts, MAX_CHARS},
    },
};

/// The values of the option `where`, as in `guild_settings.announce`.
pub(super) const WHERE: [&str; 4] = ["off", "same_channel", "channel", "direct"];

/// The maximum length of a template.
pub(super) const MOST_CHARS: u16 = {
    assert!(MAX_CHARS <= 6_000, "Discord's most for an option");
    #[expect(clippy::cast_possible_truncation, reason = "asserted above")]
    {
        MAX_CHARS as u16
    }
};

pub(super) async fn run(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let payload = &context.payload;
    let language = context.language();
    let channel = payload.channel("channel")?;
    let announce = match given(payload.text("where")?, "where")? {
        "off" => Announce::Off,
        "same_channel" => Announce::SameChannel,
        "direct" => Announce::Direct,
        "channel" => {
            let channel = channel.ok_or_else(|| context.refuse("levels-announce-no-channel"))?;
            if !super::rules::takes_messages(channel.kind) {
                return Err(CommandError::Option(BadOption("channel")));
            }
            Announce::Channel(channel.id)
        }
        _ => return Err(CommandError::Option(BadOption("where"))),
    };
    let mut changes = vec![Change::Announce(Some(announce))];
    if let Some(text) = payload.text("text")? {
        let template = Template::parse(text).map_err(|fault| {
            let values = [("fault", Value::from(fault.to_string()))];
            CommandError::Said(language.filled("levels-announce-bad", &values))
        })?;
        changes.push(Change::Template(Some(template)));
    }
    if let Some(ping) = payload.boolean("ping")? {
        changes.push(Change::Ping(ping));
    }
    let details = json!({"where": announce.word()});
    change(context, services, "levels_announce", &details, changes).await?;
    let settings = services.settings.of(&services.store, context.guild()?).await?;
    let (Some(user), false) = (payload.user(), announce == Announce::Off) else {
        return Ok(Reply::private(language.text("levels-announce-off")));
    };
    let level = 5;
    let xp = settings.curve.xp_at(level) + 10;
    let preview = settings.template.render(&Facts {
        user_id: user.id,
        user_name: Some(&payload.own_name().ok_or(CommandError::Stale)?),
        level,
        level_before: level - 1,
        xp,
        xp_next: settings.curve.xp_at(level + 1).saturating_sub(xp),
        server: None,
        roles: &[],
    });
    let key = match announce {
        Announce::Channel(_) => "levels-announce-channel",
        Announce::Direct => "levels-announce-direct",
        Announce::SameChannel | Announce::Off => "levels-announce-same",
    };
    let channel = match announce {
        Announce::Channel(id) => format!("<#{id}>"),
        _ => String::new(),
    };
    let values = [("channel", Value::from(channel))];
    Ok(Reply::private(format!(
        "{}\n>>> {preview}",
        language.filled(key, &values)
    )))
}
