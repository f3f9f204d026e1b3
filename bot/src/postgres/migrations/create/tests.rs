use std::fs;

use tempfile::TempDir;

use super::{CreateError, create};

#[test]
fn the_next_number_with_its_undo() {
    let checkout = TempDir::new().expect("a directory");
    let directory = checkout.path().join("migrations");
    fs::create_dir(&directory).expect("made");
    for file in [
        "V9__a.sql",
        "V9__a.undo.sql",
        "V10__b.sql",
        "notes.txt",
        "V11.sql",
    ] {
        fs::write(directory.join(file), "").expect("written");
    }
    let [file, undo] = create(checkout.path(), "add_2_things").expect("made");
    assert_eq!(file, directory.join("V11__add_2_things.sql"));
    assert_eq!(undo, directory.join("V11__add_2_things.undo.sql"));
    let head = fs::read_to_string(&file).expect("a file");
    assert!(head.contains("-- Locks: "), "{head}");
    assert!(undo.is_file());
    let taken = create(checkout.path(), "b").expect_err("it is taken");
    assert!(matches!(taken, CreateError::Taken(path) if path.ends_with("V10__b.sql")));
}

#[test]
fn names_and_places_that_are_none() {
    let nowhere = TempDir::new().expect("a directory");
    for name in ["", "Add", "1st", "_a", "a-b", "a b", "../a", "ä", &"a".repeat(61)] {
        let error = create(nowhere.path(), name).expect_err(name);
        assert!(matches!(error, CreateError::Name(_)), "{error}");
    }
    let error = create(nowhere.path(), "a").expect_err("no checkout");
    assert!(error.to_string().contains("checkout"), "{error}");
}
