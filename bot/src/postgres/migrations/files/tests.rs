use super::{File, Migrations};

const fn file(name: &str) -> File<'_> {
    File {
        name,
        sql: "SELECT 1;",
        undo: None,
    }
}

#[test]
fn they_are_in_the_order_of_their_numbers() {
    let migrations =
        Migrations::of(&[file("V10__b"), file("V9__a"), file("V1000__c")]).expect("three migrations");
    assert_eq!(migrations.names(), ["V9__a", "V10__b", "V1000__c"]);
}

#[test]
fn what_is_no_migration_is_named() {
    for (files, words) in [
        (&[file("V1_a")][..], "V1_a has a name"),
        (&[file("U1__a")][..], "U1__a has a name"),
        (&[file("V1__a.undo")][..], "V1__a.undo has a name"),
        (&[file("V01__a")][..], "V01__a has a name"),
        (&[file("V1__a"), file("V1__b")][..], "V1__b has a number"),
    ] {
        let error = Migrations::of(files).expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    }
}

/// The binary's own files are valid for [`Migrations::of`], and each can be undone.
#[test]
fn every_version_has_an_undo_and_every_undo_a_version() {
    let embedded = Migrations::embedded();
    let names = embedded.names();
    let files: Vec<File<'_>> = embedded
        .steps
        .iter()
        .zip(&names)
        .map(|(step, name)| File {
            name,
            sql: step.sql(),
            undo: step.undo(),
        })
        .collect();
    Migrations::of(&files).expect("they can be told apart");
    for file in files {
        assert!(
            file.undo.is_some(),
            "there is no migrations/{}.undo.sql",
            file.name
        );
    }
    assert!(embedded.lone_undos().is_empty(), "{:?}", embedded.lone_undos());
}
