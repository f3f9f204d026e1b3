use twilight_model::id::Id;

use super::{Kind, Ordered, in_words};
use crate::{
    features::moderation::rows::case::Case,
    support::{clock::host_time, i18n::Language},
};

fn case(outcome: Option<&str>, message: Option<&str>) -> Case {
    Case {
        case_id: 7,
        kind: Some(Kind::Tempban),
        user_id: Id::new(1),
        user_name: None,
        moderator_id: Id::new(2),
        moderator_name: None,
        acted_by: None,
        reason: String::new(),
        created_at: host_time(),
        expires_at: None,
        ends_at: None,
        outcome: outcome.map(str::to_owned),
        message_outcome: message.map(str::to_owned),
        ended_at: None,
        end_outcome: None,
        removed_at: None,
        removed_by: None,
        removed_reason: None,
        hidden_at: None,
        hidden_by: None,
        audit_entry_id: None,
        log: None,
        log_revision: 0,
        log_locale: None,
    }
}

#[test]
fn the_answer_says_what_became_of_the_action() {
    let ordered = Ordered {
        case_id: 7,
        kind: Kind::Tempban,
        user_id: Id::new(1),
        ends_at_ms: Some(4_000_000_000_000),
        direct: true,
    };
    let said = |outcome, message| in_words(&ordered, Some(&case(outcome, message)), Language::English);
    assert_eq!(
        in_words(&ordered, None, Language::English),
        "🛡️ Case **#7**: **temporary ban** of <@1> until <t:4000000000:f>."
    );
    assert!(said(Some("done"), Some("closed")).ends_with("✅ Done."));
    assert!(said(Some("done"), Some("closed")).contains("do not accept direct messages"));
    assert!(said(Some("replaced"), None).contains("newer case"));
    assert!(said(Some("retried"), None).contains("keep trying"));
    assert!(said(None, None).contains("on its way"));
    assert!(said(Some("warning-obstacle-above"), None).contains("their highest role is not below mine"),);
}
