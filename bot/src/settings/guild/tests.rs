use twilight_model::id::Id;

use super::{GuildSettings, RewardMode};
use crate::{
    config::{Announce, Config},
    settings::{Template, table::Stored},
};

/// Invalid values can only be written by hand and without the tables' checks.
#[test]
fn what_cannot_be_read_has_its_default() {
    let mut levels = Config::defaults().levels;
    levels.announce = Announce::Direct;
    let defaults = GuildSettings::of_nobody(&levels);
    let nonsense = Stored {
        announce: Some("shout".to_owned()),
        announce_template: Some("{nobody".to_owned()),
        rewards: "some".to_owned(),
        roles: vec![(-1, Id::new(1)), (1 << 40, Id::new(2)), (3, Id::new(3))],
        announce_ping: true,
        ..Stored::nothing(Id::new(1))
    };
    let read = GuildSettings::read(&nonsense, &defaults);
    assert_eq!(read.announce, Announce::Direct);
    assert_eq!(read.template, defaults.template);
    assert_eq!(read.rewards.mode, RewardMode::Stack);
    assert_eq!(read.rewards.roles(), [(3, Id::new(3))]);
    assert!(read.ping, "what can be read holds");

    let no_channel = Stored {
        announce: Some("channel".to_owned()),
        announce_template: Some("Level {level}".to_owned()),
        ..Stored::nothing(Id::new(1))
    };
    let read = GuildSettings::read(&no_channel, &defaults);
    assert_eq!(read.announce, Announce::Direct);
    assert_eq!(
        read.template,
        Template::parse("Level {level}").expect("a template")
    );
}
