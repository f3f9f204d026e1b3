use proptest::prelude::*;
use twilight_model::id::Id;

use super::{Key, channel, guild, level, role};
use crate::{
    config::Announce,
    discord::guilds::authority::XpPermit,
    settings::{RewardMode, change::Change},
};

const ID: &str = "123456789012345678";

fn fault(key: Key, written: &str) -> String {
    let fault = key.set(written).expect_err(written).to_string();
    assert_eq!(fault.lines().count(), 1, "{fault}");
    fault
}

#[test]
fn words_are_changes() {
    let id = Id::new(123_456_789_012_345_678);
    for (key, written, change) in [
        (Key::Announce, "off", Change::Announce(Some(Announce::Off))),
        (
            Key::Announce,
            &format!("channel:{ID}"),
            Change::Announce(Some(Announce::Channel(id))),
        ),
        (
            Key::Announce,
            &format!("channel:<#{ID}>"),
            Change::Announce(Some(Announce::Channel(id))),
        ),
        (Key::Ping, "yes", Change::Ping(true)),
        (
            Key::Rewards,
            "replace",
            Change::Rewards(XpPermit::of_operator(), RewardMode::Replace),
        ),
        (Key::LogChannel, ID, Change::LogChannel(Some(id))),
    ] {
        assert_eq!(key.set(written), Ok(change), "{written}");
    }
    assert_eq!(Key::Announce.unset(), Change::Announce(None));
    assert_eq!(
        role(&format!("<@&{ID}>")).map(Id::get),
        Ok(123_456_789_012_345_678)
    );
    assert_eq!(guild(ID).map(Id::get), Ok(123_456_789_012_345_678));
    assert_eq!(level("100000"), Ok(100_000));
}

#[test]
fn slips_are_told_in_one_line() {
    assert_eq!(
        Key::parse("anounce").expect_err("a slip").to_string(),
        "there is no setting \"anounce\": did you mean announce?"
    );
    assert_eq!(
        Key::parse("x\ny").expect_err("nothing").to_string(),
        "there is no setting \"x\\ny\": there are announce, template, ping, rewards, log_channel"
    );
    assert_eq!(
        fault(Key::Announce, "chanel"),
        "announce cannot be \"chanel\": off, same_channel, direct or channel:ID"
    );
    assert!(fault(Key::Announce, "channel:general").starts_with("\"general\" is no channel's id"));
    assert!(fault(Key::Template, "{usr}").ends_with("did you mean {user}?"));
    assert!(fault(Key::Ping, &"x".repeat(500)).ends_with("x…\": true or false"));
    assert!(fault(Key::Rewards, "both").contains("stack (members keep"));
    for (written, words) in [
        (channel("5").map(Id::get), "is no channel's id"),
        (channel(&format!("<@&{ID}>")).map(Id::get), "is no channel's id"),
        (role("-1").map(Id::get), "is no role's id"),
        (guild(&u64::MAX.to_string()).map(Id::get), "is no server's id"),
        (level("0").map(u64::from), "from 1 to 100000"),
        (level(ID).map(u64::from), "from 1 to 100000"),
    ] {
        let fault = written.expect_err(words).to_string();
        assert!(fault.contains(words), "{fault}");
    }
}

proptest! {
    #[test]
    fn whatever_is_written_is_a_change_or_one_line(name in "\\PC{0,30}", written in any::<String>()) {
        if let Err(fault) = Key::parse(&name) {
            prop_assert_eq!(fault.to_string().lines().count(), 1);
        }
        for key in Key::ALL {
            if let Err(fault) = key.set(&written) {
                prop_assert_eq!(fault.to_string().lines().count(), 1);
            }
        }
        for fault in [role(&written).err(), level(&written).err()].into_iter().flatten() {
            prop_assert_eq!(fault.to_string().lines().count(), 1);
        }
    }

    #[test]
    fn what_is_shown_can_be_set(id in 10_000_000_000_000_000_u64..1 << 63) {
        for announce in [Announce::Off, Announce::SameChannel, Announce::Direct, Announce::Channel(Id::new(id))] {
            prop_assert_eq!(Key::Announce.set(&announce.to_string()), Ok(Change::Announce(Some(announce))));
        }
    }
}
