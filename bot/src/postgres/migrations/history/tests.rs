use super::{Applied, History, Migrations};
use crate::postgres::migrations::{File, MigrateError};

fn three() -> Migrations {
    let file = |name| File {
        name,
        sql: "SELECT 1;",
        undo: None,
    };
    Migrations::of(&[file("V1__a"), file("V2__b"), file("V4__d")]).expect("migrations")
}

/// The history of these migrations, as refinery would have written it.
fn history(migrations: &Migrations) -> History {
    let row = |step: &super::Step| Applied {
        version: step.version(),
        name: step.name().split_once("__").map(|(_, name)| name.to_owned()),
        checksum: Some(step.checksum()),
        on: Some("2026-11-21 12:00:00".to_owned()),
    };
    of(migrations.steps.iter().map(row).collect())
}

fn of(rows: Vec<Applied>) -> History {
    History {
        schema: "public".to_owned(),
        rows,
        minimum: None,
    }
}

fn by_a_newer_version(version: i32) -> Applied {
    Applied {
        version,
        name: Some("newer".to_owned()),
        checksum: Some("1".to_owned()),
        on: Some("2026-11-21 12:00:00".to_owned()),
    }
}

#[test]
fn what_fits() {
    let migrations = three();
    let history = history(&migrations);
    for applied in 0..=history.rows.len() {
        let applied = of(history.rows[..applied].to_vec());
        assert!(migrations.faults(&applied).is_empty());
        let pending = migrations.pending(&applied, None).expect("known");
        assert_eq!(pending.len(), 3 - applied.rows.len());
    }
}

/// A newer version's migrations are tolerated if the schema says so, but not if they are numbered between this binary's.
#[test]
fn a_schema_that_is_ahead() {
    let migrations = three();
    let mut ahead = history(&migrations);
    ahead.rows.push(by_a_newer_version(5));
    ahead.rows.push(by_a_newer_version(7));
    for minimum in [0, 3, 4] {
        ahead.minimum = Some(minimum);
        assert!(migrations.faults(&ahead).is_empty(), "{minimum}");
        assert_eq!(migrations.newer(&ahead), ["V5__newer", "V7__newer"]);
        assert!(migrations.pending(&ahead, None).expect("none").is_empty());
        let newer = migrations.statuses(&ahead).into_iter().map(|status| status.newer);
        assert_eq!(newer.collect::<Vec<_>>(), [false, false, false, true, true]);
    }
    for (minimum, needed) in [(5, "V5__newer"), (7, "V7__newer"), (8, "V8")] {
        ahead.minimum = Some(minimum);
        let faults = migrations.faults(&ahead);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(
            faults[0].to_string(),
            format!(
                "the schema \"public\" needs the migration {needed}, and this binary's newest is V4__d: it is too old; start a version \
                 of Eventide that has it"
            )
        );
    }
    // Without a minimum, compatibility is unknown.
    ahead.minimum = None;
    assert_eq!(migrations.faults(&ahead).len(), 2);
    // A version that has another file where this binary has none.
    ahead.minimum = Some(4);
    ahead.rows.insert(2, by_a_newer_version(3));
    let faults = migrations.faults(&ahead);
    assert!(
        matches!(&faults[..], [MigrateError::Missing { name }] if name == "V3__newer"),
        "{faults:?}"
    );
    // A version that lacks a migration of this binary.
    ahead.rows.drain(1..3);
    let faults = migrations.faults(&ahead);
    assert!(
        matches!(&faults[..], [MigrateError::OutOfOrder { name }] if name == "V2__b"),
        "{faults:?}"
    );
}

#[test]
fn every_fault_is_reported_with_its_file() {
    let migrations = three();
    let mut history = history(&migrations);
    history.rows.remove(1);
    history.rows[0].checksum = Some("1".to_owned());
    history.rows[1].name = Some("other".to_owned());
    history.rows.push(by_a_newer_version(3));
    let faults: Vec<String> = migrations
        .faults(&history)
        .iter()
        .map(ToString::to_string)
        .collect();
    let words = [
        "V1__a was changed",
        "V4__other was applied to this database, but this binary has V4__d",
        "V3__newer was applied to this database, but this binary does not",
        "V2__b is older",
    ];
    assert_eq!(faults.len(), words.len(), "{faults:?}");
    for (fault, words) in faults.iter().zip(words) {
        assert!(fault.contains(words), "{fault}");
    }
    history.rows[0].on = None;
    let fault = migrations.check(&history).expect_err("a fault");
    assert!(matches!(fault, MigrateError::History { version: 1 }), "{fault}");
}

#[test]
fn a_version_that_is_none_or_behind() {
    let migrations = three();
    let history = history(&migrations);
    let versions = |to| {
        let pending = migrations.pending(&of(Vec::new()), Some(to))?;
        Ok::<_, MigrateError>(pending.iter().map(|step| step.version()).collect::<Vec<_>>())
    };
    assert_eq!(versions(0).expect("nothing"), Vec::<i32>::new());
    assert_eq!(versions(2).expect("two"), [1, 2]);
    assert_eq!(versions(4).expect("all"), [1, 2, 4]);
    let error = versions(3).expect_err("there is none").to_string();
    assert_eq!(error, "there is no migration 3: this binary's newest is V4__d");
    let error = migrations
        .pending(&history, Some(1))
        .expect_err("behind")
        .to_string();
    assert!(error.contains("V4__d") && error.contains("--steps 2"), "{error}");
}
