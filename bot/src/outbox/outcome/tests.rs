use super::{Reason, Undelivered, of_error};
use crate::discord::rest::RestError;

fn refused(status: u16, code: Option<u64>) -> Reason {
    let error = RestError::Refused {
        route: "POST /channels/{id}/messages".into(),
        status,
        code,
    };
    match of_error(&error, 1) {
        Undelivered::Failed(failure) => failure.reason,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn discords_codes_are_reasons() {
    for (status, code, reason) in [
        (403, Some(50_001), Reason::Forbidden),
        (403, Some(50_013), Reason::Forbidden),
        (403, None, Reason::Forbidden),
        (403, Some(50_007), Reason::Closed),
        (404, Some(10_003), Reason::Gone),
        (404, Some(10_007), Reason::Gone),
        (404, Some(10_008), Reason::Gone),
        (404, Some(10_011), Reason::Gone),
        (404, None, Reason::Gone),
        (400, Some(50_035), Reason::Invalid),
    ] {
        assert_eq!(refused(status, code), reason, "{status} {code:?}");
    }
}

/// If Discord renames a field, no guild loses anything.
#[test]
fn an_answer_that_cannot_be_read_is_nobodys_failure() {
    let error = RestError::Unreadable {
        route: "GET /guilds/{id}".into(),
        reason: "no field".to_owned(),
    };
    assert!(matches!(
        of_error(&error, 1),
        Undelivered::Later { after: None, .. }
    ));
}

#[test]
fn what_passes_is_tried_again() {
    let error = RestError::Unavailable {
        route: "x".into(),
        status: 502,
    };
    assert!(matches!(
        of_error(&error, 1),
        Undelivered::Later { after: None, .. }
    ));
}
