use twilight_model::id::Id;

use super::{ACCENT, Name, avatar_of, card_of, in_alt_text, in_words};
use crate::{
    features::levels::rows::leaderboard::Rank,
    interactions::payload::InteractionPayload,
    settings::values::{
        colour::Colour,
        curve::{Curve, MAX_FACTOR, MAX_LEVEL},
    },
    support::i18n::Language,
};

fn ada() -> Name {
    Name::first([Some("Ada")], 1)
}

#[test]
fn a_rank_in_words() {
    let rank = |xp| Rank {
        xp,
        messages: 1,
        position: 2,
    };
    let text = in_words(&ada(), rank(255), Curve::Mee6, Language::English);
    assert!(
        text.contains("level **2**") && text.contains("▱▱") && !text.contains('▰'),
        "{text}"
    );
    assert!(text.contains("220 XP to level 3"), "{text}");
    let text = in_words(&ada(), rank(474), Curve::Mee6, Language::German);
    assert!(
        text.contains("▰▰▰▰▰▰▰▰▰▰▰▱") && text.contains("1 XP bis Level 3"),
        "{text}"
    );
}

#[test]
fn nothing_overflows_beyond_the_highest_level() {
    let steepest = Curve::cubic([MAX_FACTOR; 3]).expect("a curve");
    for curve in [Curve::Mee6, Curve::linear(100), steepest] {
        for xp in [0, 1, curve.xp_at(MAX_LEVEL), curve.xp_at(MAX_LEVEL + 1), u64::MAX] {
            let rank = Rank {
                xp,
                messages: u64::MAX,
                position: u64::MAX,
            };
            for language in Language::ALL {
                let text = in_words(&ada(), rank, curve, language);
                assert_eq!(
                    text.contains(&"▰".repeat(12)),
                    xp >= curve.xp_at(MAX_LEVEL + 1),
                    "{xp}: {text}"
                );
                assert!(!in_alt_text(&ada(), rank, curve, language).is_empty());
                let rest = (Id::new(5 << 22), None, ACCENT);
                assert!(card_of(&ada(), rank, curve, language, rest).done <= 1_000);
            }
        }
    }
}

#[test]
fn a_card_and_its_alt_text() {
    let rank = |xp| Rank {
        xp,
        messages: 1_234,
        position: 2,
    };
    let card = |xp| {
        let rest = (Id::new(5 << 22), None, ACCENT);
        card_of(&ada(), rank(xp), Curve::Mee6, Language::German, rest)
    };
    let half = card(155 + 110);
    assert_eq!((half.level.1.as_str(), half.rank.1.as_str()), ("2", "#2"));
    assert_eq!((half.xp.as_str(), half.done), ("10 / 220 XP", 45));
    assert_eq!(half.messages, "1.234 Nachrichten");
    assert_eq!(half.disc, Colour::new(0xEB, 0x45, 0x9E));
    assert_eq!((card(0).done, card(99).done), (0, 990));
    let alt = in_alt_text(&ada(), rank(265), Curve::Mee6, Language::English);
    assert_eq!(
        alt,
        "Rank card of Ada: level 2, rank #2, 10 of 220 XP to level 3, 265 XP in all, 1,234 messages."
    );
}

#[test]
fn the_servers_avatar_goes_before_the_users() {
    let payload = |member: &str, user: &str| {
        let text = format!(
            r#"{{"d":{{"id":"1300000000000000000","application_id":"7","type":2,"token":"t","guild_id":"9",
            "member":{{"user":{{"id":"8","username":"ada","avatar":{user}}},"avatar":{member}}}}}}}"#
        );
        let payload = InteractionPayload::parse(&text).expect("an interaction");
        let (user, _) = payload.user_option("member").expect("who asks");
        avatar_of(&payload, Id::new(9), &user).map(|key| (key.guild_id.map(Id::get), key.hash.to_string()))
    };
    let (here, own) = (
        "a_00000000000000000000000000000001",
        "00000000000000000000000000000002",
    );
    let text = |hash: &str| format!("\"{hash}\"");
    assert_eq!(payload(&text(here), &text(own)), Some((Some(9), here.to_owned())));
    assert_eq!(payload("null", &text(own)), Some((None, own.to_owned())));
    assert_eq!(payload("null", "null"), None);
    assert_eq!(
        payload("\"../../x\"", "\"\""),
        None,
        "hashes alone are part of an address"
    );
}
