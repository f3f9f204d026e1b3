//! `[levels]`: what a message earns.

use std::{ops::RangeInclusive, time::Duration};

use crate::{
    config::{
        input::{Input, Value},
        reader::{Reader, Special, Text, Whole, in_range},
    },
    settings::{Announce, Template, template},
};

/// More would only move every level up; the bound keeps a slip of the hand from filling a leaderboard.
const XP: RangeInclusive<u32> = 0..=10_000;

/// XP and levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels {
    /// Least and most XP that a message earns, both included; the least is never above the most.
    pub xp_per_message: (u32, u32),
    /// After a message that earned XP, further messages of that member earn none for this long, by the
    /// messages' own times.
    pub cooldown: Duration,
    /// Where level-ups are announced in guilds that chose nothing; never a channel of one guild.
    pub announce: Announce,
    /// What an announcement says in guilds that chose nothing.
    pub announce_template: Template,
    /// Whether messages that a lost session missed are read back over REST.
    pub backfill: bool,
    /// Longest reading back; what is not read by then is recorded as unread.
    pub backfill_limit: Duration,
}

/// It tells [`template::MAX_CHARS`], and a test holds it to that.
const TEMPLATE_ALLOWED: &str = "text of 1 to 1500 characters with the placeholders {user}, {user.id}, {user.name}, {level}, \
     {level.before}, {xp}, {xp.next}, {server} and {roles}, and {{ for a brace";

impl Levels {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("levels", "What a message earns.");
        Self {
            xp_per_message: section.special(
                Special {
                    name: "xp_per_message",
                    default: (15, 25),
                    written: "[15, 25]",
                    allowed: format!(
                        "two whole numbers of XP, [least, most], {} to {}, the least not above the most",
                        XP.start(),
                        XP.end()
                    ),
                    why: "Each message that earns draws from this range, ends included; the default is MEE6's.",
                },
                xp_range,
            ),
            cooldown: section.seconds(Whole {
                name: "cooldown_seconds",
                default: 60,
                range: 0..=86_400,
                unit: "seconds",
                why: "After a message that earned, a member's next ones earn nothing for this long; 0 lets every message earn.",
            }),
            announce: section.special(
                Special {
                    name: "announce",
                    default: Announce::Off,
                    written: "\"off\"",
                    allowed: "\"off\", \"same_channel\" or \"direct\"".to_owned(),
                    why: "Where servers that chose nothing announce level-ups: nowhere, where the message was, or to the member.",
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
                    why: "What an announcement says where a server wrote no text of its own.",
                },
                Template::parse,
            ),
            backfill: section.boolean(
                "backfill",
                false,
                "Whether messages that were missed because Discord ended a session are read back over REST, and count.",
            ),
            backfill_limit: section.seconds(Whole {
                name: "backfill_seconds",
                default: 600,
                range: 1..=86_400,
                unit: "seconds",
                why: "Longest reading back; until a server is read its new messages wait, and what is not read is recorded.",
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
        for placeholder in template::Placeholder::ALL {
            assert!(TEMPLATE_ALLOWED.contains(&format!("{{{}}}", placeholder.name())));
        }
    }
}
