//! Handling of imports that already exist.

use super::{Plan, plan};
use crate::features::levels::rows::import_job::Job;

fn job(rows_done: u64, finished: bool) -> Job {
    Job {
        options: "--mode add".to_owned(),
        fence: 3,
        rows_done,
        finished_at: finished.then(|| "yesterday".to_owned()),
    }
}

#[test]
fn a_known_import_goes_on_or_is_refused() {
    let (same, other) = ("--mode add", "--mode replace");
    for (known, asked, again, expected) in [
        (None, same, false, Plan::Begin),
        (None, same, true, Plan::Begin),
        (Some(job(5, false)), same, false, Plan::Resume(5)),
        // An interrupted repetition resumes: otherwise it would add twice.
        (Some(job(5, false)), same, true, Plan::Resume(5)),
        (Some(job(5, false)), other, false, Plan::Begun(same.to_owned(), 5)),
        (Some(job(5, false)), other, true, Plan::Begin),
        (Some(job(0, false)), other, false, Plan::Begin),
        (
            Some(job(5, true)),
            same,
            false,
            Plan::Done("yesterday".to_owned(), same.to_owned()),
        ),
        (
            Some(job(5, true)),
            other,
            false,
            Plan::Done("yesterday".to_owned(), same.to_owned()),
        ),
        (Some(job(5, true)), same, true, Plan::Begin),
    ] {
        assert_eq!(
            plan(known.clone(), asked, again),
            expected,
            "{known:?} {asked} {again}"
        );
    }
}
