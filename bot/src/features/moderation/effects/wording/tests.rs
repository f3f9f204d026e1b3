use std::time::{Duration, SystemTime};

use twilight_model::id::Id;

use super::{Facts, Wording};
use crate::support::text::names::Name;

#[test]
fn the_servers_words_replace_the_usual_text_and_the_appeal_comes_last() {
    let server = Name::first([Some("Here")], 1);
    let facts = Facts {
        user_id: Id::new(5),
        server: &server,
        case_id: 7,
        reason: "spam",
        until: Some(SystemTime::UNIX_EPOCH + Duration::from_mins(1)),
    };
    let said = |message: &str, appeal: &str| {
        let wording = Wording {
            message: message.to_owned(),
            appeal: appeal.to_owned(),
        };
        wording.apply(&facts, || "usual".to_owned())
    };
    assert_eq!(said("", ""), "usual");
    assert_eq!(
        said(
            "{user} ({user.id}), case {case} in {server}: {reason} until {until}",
            ""
        ),
        "<@5> (5), case 7 in Here: spam until <t:60:f>"
    );
    assert_eq!(
        said("", "Appeal: https://a.example/?case={case}"),
        "usual\nAppeal: https://a.example/?case=7"
    );
    // A template that cannot be read was stored by another version.
    assert_eq!(said("{nobody}", "{nobody}"), "usual");
}
