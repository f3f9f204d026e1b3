use tokio_postgres::error::SqlState;

use super::{class_of, ends_session, is_of_the_server, refuses_data};
use crate::telemetry::metrics::labels;

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
#[test]
fn what_a_sqlstate_says() {
    const REFUSED: [&str; 12] = [
        "21000", "22001", "22003", "22021", "22P05", "23505", "23514", "27000", "42501", "54000", "P0001",
        "XX001",
    ];
    const AWAY: [&str; 10] = [
        "08006", "25006", "28P01", "40P01", "53100", "53300", "55P03", "57014", "57P03", "58030",
    ];
    // The schema or the state of the session is wrong: neither waiting nor skipping a row helps.
    const NEITHER: [&str; 5] = ["42P01", "42703", "25P02", "3D000", "0A000"];
    let states = |codes: &[&str]| {
        codes
            .iter()
            .map(|code| SqlState::from_code(code))
            .collect::<Vec<_>>()
    };
    for state in states(&REFUSED) {
        assert!(refuses_data(&state) && !is_of_the_server(&state), "{state:?}");
    }
    for state in states(&AWAY) {
        assert!(!refuses_data(&state) && is_of_the_server(&state), "{state:?}");
    }
    for state in states(&NEITHER) {
        assert!(!refuses_data(&state) && !is_of_the_server(&state), "{state:?}");
    }
    for state in states(&["08P01", "25006", "25P03", "57P01", "57P03"]) {
        assert!(ends_session(&state), "{state:?}");
    }
    for state in states(&["22003", "25P02", "40P01", "42501", "53300", "57014"]) {
        assert!(!ends_session(&state), "{state:?}");
    }
    for state in [states(&REFUSED), states(&AWAY), states(&NEITHER)].concat() {
        assert!(
            labels::ERROR_CLASSES.contains(&class_of(Some(&state))),
            "{state:?}"
        );
    }
}
