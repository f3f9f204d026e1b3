use twilight_model::id::Id;

use super::{Arc, Listing, Name, Names};

#[test]
fn mentions_become_names_and_formats_go_away() {
    let (user, role, channel) = (
        100_000_000_000_000_001,
        100_000_000_000_000_002,
        100_000_000_000_000_003,
    );
    let names = Names {
        are_coming: false,
        listing: Arc::new(Listing {
            roles: vec![(Id::new(role), Name::first([Some("helpers")], role))],
            channels: vec![(Id::new(channel), Name::first([Some("rules")], channel))],
            ..Listing::default()
        }),
        members: [(Id::new(user), Name::first([Some("Ada <b>")], user))].into(),
    };
    for (text, plain) in [
        (
            format!("**<@!{user}>** in <#{channel}> has <@&{role}>"),
            "@Ada <b> in #rules has @helpers".to_owned(),
        ),
        (
            "until <t:1700000000:f> (<t:1700000000:R>). Then `/ban`".to_owned(),
            "until 2023-11-14 22:13 UTC. Then /ban".to_owned(),
        ),
        (
            "<t:1700000000:R>, a\\_b \\".to_owned(),
            "2023-11-14 22:13 UTC, a_b \\".to_owned(),
        ),
        (
            "<@100000000000000009> <#5> <t:x:f> < <@ ä<".to_owned(),
            "@100000000000000009 <#5> <t:x:f> < <@ ä<".to_owned(),
        ),
    ] {
        assert_eq!(names.in_text(&text), plain);
    }
    assert_eq!(names.any(role), Some("@helpers".to_owned()));
    assert_eq!(names.any(user), Some("Ada <b>".to_owned()));
    assert_eq!(names.any(7), None);
}
