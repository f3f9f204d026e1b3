//! `[levels]`: XP and levels.

use std::{ops::RangeInclusive, time::Duration};

use twilight_model::id::{Id, marker::ChannelMarker};

use crate::{
    config::{
        input::{Input, Value},
        reader::{Reader, Special, Text, Whole, in_range},
    },
    support::text::template::{self, Template},
};

/// A larger range would only shift every level; the maximum keeps a typing error from filling a leaderboard.
const XP: RangeInclusive<u32> = 0..=10_000;

/// XP and levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels {
    /// The minimum and maximum XP of a message, both inclusive; the minimum is never above the maximum.
    pub xp_per_message: (u32, u32),
    /// After a message that earned XP, a member's further messages earn none for this long, by the messages' own timestamps.
    pub cooldown: Duration,
    /// Where level-ups are announced in servers without a setting. It is never a channel, which belongs to one server.
    pub announce: Announce,
    /// The text of announcements in servers without a setting.
    pub announce_template: Template,
    /// Whether messages missed because a session was lost are fetched over REST.
    pub backfill: bool,
    /// The maximum duration of fetching missed messages; the rest is recorded as missed.
    pub backfill_limit: Duration,
}

/// Where level-ups are announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Announce {
    /// Nowhere.
    #[default]
    Off,
    /// In the channel of the message that reached the level.
    SameChannel,
    /// In this channel.
    Channel(Id<ChannelMarker>),
    /// In a direct message to the member.
    Direct,
}

impl Announce {
    /// The value stored in the table and used in settings. For a channel, its ID is stored separately.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::SameChannel => "same_channel",
            Self::Channel(_) => "channel",
            Self::Direct => "direct",
        }
    }
}

/// The text names [`template::MAX_CHARS`]; a test compares them.
const TEMPLATE_ALLOWED: &str = "text of 1 to 1500 characters with the placeholders {user}, {user.id}, {user.name}, {level}, \
     {level.before}, {xp}, {xp.next}, {server} and {roles}, and {{ for a brace";

impl Levels {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section(
            "levels",
            "XP and levels; each server can change everything but backfill.",
        );
        Self {
            xp_per_message: section.special(
                Special {
                    name: "xp_per_message",
                    default: (15, 25),
                    written: "[15, 25]",
                    allowed: format!(
                        "two whole numbers of XP, [minimum, maximum], {} to {}, the minimum not above the maximum",
                        XP.start(),
                        XP.end()
                    ),
                    why: "Range from which a message's XP is drawn, both ends included; the default is MEE6's.",
                },
                xp_range,
            ),
            cooldown: section.seconds(Whole {
                name: "cooldown_seconds",
                default: 60,
                range: 0..=86_400,
                unit: "seconds",
                why: "After a message that earned XP, a member's further messages earn none for this long; 0 lets every message earn.",
            }),
            announce: section.special(
                Special {
                    name: "announce",
                    default: Announce::Off,
                    written: "\"off\"",
                    allowed: "\"off\", \"same_channel\" or \"direct\"".to_owned(),
                    why: "Where level-ups are announced: nowhere, in the message's channel, or in a direct message to the member.",
                },
                |input| match input.text()? {
                    "off" => Some(Announce::Off),
                    "same_channel" => Some(Announce::SameChannel),
                    "direct" => Some(Announce::Direct),
                    _ => None,
                },
            ),
            announce_template: section.text_or_fault(
                &Text {
                    name: "announce_template",
                    default: template::DEFAULT,
                    allowed: TEMPLATE_ALLOWED,
                    why: "The text of an announcement.",
                },
                Template::parse,
            ),
            backfill: section.boolean(
                "backfill",
                true,
                "Count messages that were missed because Discord ended a session, by reading them over REST; needs Read Message History.",
            ),
            backfill_limit: section.seconds(Whole {
                name: "backfill_seconds",
                default: 600,
                range: 1..=86_400,
                unit: "seconds",
                why: "Time limit for reading missed messages; a server's new messages wait meanwhile, and what was not read is recorded.",
            }),
        }
    }
}

fn xp_range(input: &Input) -> Option<(u32, u32)> {
    let [least, most] = input.list()? else { return None };
    let number = |value: &Value| in_range(value.whole()?, &XP);
    let (least, most) = (number(least)?, number(most)?);
    (least <= most).then_some((least, most))
}

#[cfg(test)]
mod tests {
    use super::{TEMPLATE_ALLOWED, template};

    #[test]
    fn what_is_allowed_is_what_templates_are() {
        assert!(TEMPLATE_ALLOWED.contains(&format!(" {} characters", template::MAX_CHARS)));
        for placeholder in template::Placeholder::LEVELS {
            assert!(TEMPLATE_ALLOWED.contains(&format!("{{{}}}", placeholder.name())));
        }
    }
}
