use super::{AuditEntry, Done};

fn entry(action_type: u16, rest: &str) -> Option<AuditEntry> {
    let text = format!(
        r#"{{"t":"GUILD_AUDIT_LOG_ENTRY_CREATE","s":1,"op":0,"d":{{"id":"1309100000000000007","guild_id":"9","action_type":{action_type}{rest}}}}}"#
    );
    AuditEntry::parse(&text).expect("an entry")
}

#[test]
fn moderation_is_recognized() {
    let who = r#","user_id":"5","target_id":"6""#;
    for (action_type, done) in [(20, Done::Kick), (22, Done::Ban), (23, Done::Unban)] {
        let entry = entry(action_type, &format!(r#"{who},"reason":"spam""#)).expect("moderation");
        assert_eq!((entry.done, entry.reason.as_str()), (done, "spam"));
        assert_eq!((entry.user_id.get(), entry.target_id.get()), (5, 6));
    }
    let timeout = |value: &str| {
        let changes =
            format!(r#","changes":[{{"key":"nick"}},{{"key":"communication_disabled_until"{value}}}]"#);
        entry(24, &format!("{who}{changes}")).map(|entry| entry.done)
    };
    assert_eq!(
        timeout(r#","old_value":"2030-01-01T00:00:00+00:00""#),
        Some(Done::Untimeout)
    );
    assert_eq!(timeout(r#","new_value":null"#), Some(Done::Untimeout));
    assert_eq!(
        timeout(r#","new_value":"2020-01-01T00:00:00+00:00""#),
        Some(Done::Untimeout)
    );
    assert_eq!(
        timeout(r#","new_value":"2030-01-01T00:00:00+00:00""#),
        Some(Done::Timeout {
            until: 1_893_456_000_000
        })
    );
}

#[test]
fn other_entries_are_skipped() {
    assert_eq!(
        entry(24, r#","user_id":"5","target_id":"6","changes":[{"key":"nick"}]"#),
        None
    );
    assert_eq!(entry(20, r#","user_id":null,"target_id":"6""#), None);
    // Its target is not an ID.
    assert_eq!(entry(30, r#","user_id":"5","target_id":"abc""#), None);
}
