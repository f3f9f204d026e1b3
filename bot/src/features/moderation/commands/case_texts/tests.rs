use twilight_model::id::Id;

use super::{Case, Failing, Known, Note, entry, whole};
use crate::{
    features::moderation::kind::Kind,
    support::{clock::host_time, i18n::Language},
};

fn longest() -> Case {
    Case {
        case_id: 1_000_000_000,
        kind: Some(Kind::Untimeout),
        user_id: Id::new(u64::MAX),
        user_name: Some("_".repeat(32)),
        moderator_id: Id::new(u64::MAX),
        moderator_name: Some("_".repeat(32)),
        acted_by: None,
        reason: "ß\n".repeat(500),
        created_at: host_time(),
        expires_at: Some(host_time()),
        ends_at: Some(host_time()),
        outcome: Some("warning-obstacle-permission".to_owned()),
        message_outcome: None,
        ended_at: Some(host_time()),
        end_outcome: Some("replaced".to_owned()),
        removed_at: Some(host_time()),
        removed_by: None,
        removed_reason: Some("ß".repeat(1_000)),
        hidden_at: Some(host_time()),
        hidden_by: None,
        audit_entry_id: None,
        log: None,
        log_revision: 0,
        log_locale: None,
    }
}

#[test]
fn the_longest_texts_fit() {
    let note = Note {
        author_id: Id::new(u64::MAX),
        author_name: Some("_".repeat(32)),
        note: "ß".repeat(1_000),
        created_at: host_time(),
    };
    let retried = Failing {
        kind: "mod_action".to_owned(),
        channel_id: None,
        user_id: Some(i64::MAX),
        case_id: Some(1),
        since: host_time(),
        attempts: 1_000,
        failed_at: None,
        failure: "the bot lacks the permission".to_owned(),
    };
    for language in Language::ALL {
        let known = Known {
            notes: vec![note.clone(); 5],
            total: 1_000,
            punishment: None,
            retried: vec![retried.clone(); 3],
        };
        let text = whole(language, &longest(), &known);
        assert!(text.chars().count() <= 4_096, "{}", text.chars().count());
        let text = entry(language, &longest());
        assert!(text.chars().count() <= 800, "{}", text.chars().count());
    }
}

#[test]
fn names_are_shown_as_they_are() {
    let case = Case {
        user_name: Some("*ada*".to_owned()),
        kind: None,
        reason: String::new(),
        removed_at: None,
        hidden_at: None,
        ..longest()
    };
    let text = entry(Language::English, &case);
    assert!(text.contains(r"(\*ada\*)"), "{text}");
    assert!(!text.contains('\n'), "{text}");
}
