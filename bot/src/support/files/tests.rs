use std::{
    fs,
    io::Write as _,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink},
    path::Path,
    process::Command,
};

use nix::unistd::Uid;

use super::{Directory, create_new, open_shared, open_to_read, replace};

const OWNER: u32 = 65_534;
const STRANGER: u32 = 12_345;

#[test]
fn what_stands_in_a_files_place_is_refused_and_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let (victim, path) = (directory.path().join("victim"), directory.path().join("file"));
    fs::write(&victim, "precious").expect("written");
    let plant: [(&str, &dyn Fn()); 3] = [
        ("symbolic link", &|| symlink(&victim, &path).expect("a link")),
        ("hard link", &|| {
            fs::hard_link(&victim, &path).expect("a link");
        }),
        ("no regular file", &|| {
            let made = Command::new("mkfifo").arg(&path).status().expect("it runs");
            assert!(made.success());
        }),
    ];
    for (what, plant) in plant {
        plant();
        for opened in [open_shared(&path), open_to_read(&path)] {
            let error = opened.expect_err("a refusal").to_string();
            assert!(error.contains(what), "{what}: {error}");
        }
        assert!(create_new(&path).is_err());
        let mut file = replace(&path).expect("what was there goes");
        file.write_all(b"new").expect("written");
        assert_eq!(fs::read(&victim).expect("read"), b"precious");
        let metadata = path.symlink_metadata().expect("a file");
        assert_eq!(
            (metadata.len(), metadata.permissions().mode() & 0o777),
            (3, 0o600)
        );
        fs::remove_file(&path).expect("removed");
    }
}

/// Between the check of a directory and its use, the owner of its parent can replace it.
#[test]
fn a_directory_that_is_exchanged_stays_the_one_that_was_opened() {
    let above = tempfile::tempdir().expect("a directory");
    let above = above.path().canonicalize().expect("a path without links");
    let (own, other) = (above.join("own"), above.join("other"));
    for path in [&own, &own.join("inner"), &other, &other.join("inner")] {
        fs::create_dir(path).expect("a directory");
    }
    let directory = Directory::open(&own).expect("opened");
    let inner = directory.open_in("inner").expect("opened");
    fs::rename(&own, above.join("moved")).expect("moved");
    symlink(&other, &own).expect("a link");
    for (directory, name) in [(&directory, "moved"), (&inner, "moved/inner")] {
        open_shared(&directory.at("shared")).expect("a file");
        replace(&directory.at("replaced")).expect("a file");
        fs::rename(directory.at("replaced"), directory.at("renamed")).expect("renamed");
        for file in ["shared", "renamed"] {
            assert!(above.join(name).join(file).exists(), "{name}/{file}");
        }
    }
    let found = |path: &Path| fs::read_dir(path).expect("a directory").count();
    assert_eq!((found(&other), found(&other.join("inner"))), (1, 0));
    // A link anywhere in the path is rejected, not only in its last component.
    Directory::open(&own).expect_err("a link");
    let error = Directory::open(&own.join("inner")).expect_err("a link above");
    assert!(error.to_string().contains("leads to"), "{error}");
}

#[test]
fn a_link_to_nothing_makes_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let (victim, path) = (directory.path().join("victim"), directory.path().join("file"));
    symlink(&victim, &path).expect("a link");
    assert!(open_shared(&path).is_err() && create_new(&path).is_err());
    drop(replace(&path).expect("the link goes"));
    assert!(!victim.exists());
}

#[test]
fn roots_file_belongs_to_the_directorys_owner_and_a_strangers_is_refused() {
    if !Uid::effective().is_root() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    chown(directory.path(), Some(OWNER), Some(OWNER)).expect("handed over");
    let path = directory.path().join("file");
    for _made_and_found in 0..2 {
        let file = open_shared(&path).expect("a file");
        assert_eq!(file.metadata().expect("read").uid(), OWNER);
    }
    chown(&path, Some(STRANGER), None).expect("handed over");
    let error = open_shared(&path).expect_err("a refusal").to_string();
    assert!(error.contains("user 12345"), "{error}");
}

/// All other modules create files through this one. The exceptions are for developers: a command that adds migrations to a checkout,
/// and tests that rewrite documents.
#[test]
fn no_other_module_makes_files() {
    let exempt = [
        "src/support/files.rs",
        "src/postgres/migrations/create.rs",
        "src/app/documents.rs",
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut left = vec![root.join("src")];
    let mut checked = 0;
    while let Some(path) = left.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a directory").flatten();
            left.extend(entries.map(|entry| entry.path()));
            continue;
        }
        if exempt.iter().any(|exempt| path == root.join(exempt)) || path.ends_with("tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source file");
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for way in ["fs::write(", "fs::copy(", "File::create", "OpenOptions"] {
            assert!(!code.contains(way), "{}: {way}", path.display());
        }
        checked += 1;
    }
    assert!(checked > 100);
}
