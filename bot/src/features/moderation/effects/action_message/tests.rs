use twilight_model::id::Id;

use super::{ActionMessage, Facts, Kind, Name, Wording, text, with_appeal};

#[test]
fn the_longest_message_fits() {
    for locale in ["en-US", "de"] {
        for kind in Kind::ALL {
            let message = ActionMessage {
                kind,
                case_id: i64::MAX,
                reason: "ä".repeat(1_000),
                until_ms: Some(4_000_000_000_000),
                moderator_id: Some(Id::new(u64::MAX)),
                locale: locale.to_owned(),
                wording: Wording::default(),
                new_end: false,
                appeal_url: None,
            };
            let text = text(&message, &Name::first([Some(&*"S".repeat(100))], 1));
            assert!(text.chars().count() <= 2_000, "{text}");
            assert!(
                text.contains(&message.reason) && text.ends_with(&format!("<@{}>.", u64::MAX)),
                "{text}"
            );
        }
    }
}

#[test]
fn a_message_without_a_reason_says_so() {
    let message = ActionMessage {
        kind: Kind::Tempban,
        case_id: 3,
        reason: String::new(),
        until_ms: Some(4_000_000_000_000),
        moderator_id: None,
        locale: "en-US".to_owned(),
        wording: Wording::default(),
        new_end: false,
        appeal_url: None,
    };
    let text = text(&message, &Name::first([Some("Here")], 1));
    assert_eq!(
        text,
        "🔨 You were banned from **Here** until <t:4000000000:f> (case #3):\n> no reason given"
    );
}

#[test]
fn the_address_for_appeals_is_not_cut_off() {
    const URL: &str = "https://bot.example/servers/100000000000000001/appeal";
    let server = Name::first([Some(&*"S".repeat(100))], 1);
    let reason = "ä".repeat(1_000);
    let facts = Facts {
        user_id: Id::new(u64::MAX),
        server: &server,
        case_id: i64::MAX,
        reason: &reason,
        until: None,
    };
    let wording = Wording {
        message: format!("{}{{reason}}", "m".repeat(1_490)),
        appeal: "a".repeat(1_500),
    };
    for locale in ["en-US", "de"] {
        for long in [wording.apply(&facts, String::new), "😀".repeat(1_500)] {
            let told = with_appeal(long, (Some(URL), locale));
            assert!(told.encode_utf16().count() <= 2_000, "{told}");
            assert!(
                told.ends_with(&format!(" {URL}")) && told.contains("…\n"),
                "{told}"
            );
        }
        let told = with_appeal("short".to_owned(), (Some(URL), locale));
        assert!(told.starts_with("short\n") && told.ends_with(URL), "{told}");
        assert_eq!(with_appeal("short".to_owned(), (None, locale)), "short");
    }
}
