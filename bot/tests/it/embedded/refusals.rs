//! Directories that are shared, out of reach or damaged.

use std::{
    fs,
    os::unix::fs::{lchown, symlink},
    path::Path,
};

use eventide::postgres::embedded::{Error, Options, PrivatePostgres};
use nix::unistd::Uid;

use super::{
    assert_written, connect, directory, directory_of_mode, options, refusal, run, start, stop, write,
};

#[test]
fn one_data_directory_serves_one_bot() {
    run(async {
        let directory = directory();
        let options = options(directory.path());
        let postgres = start(&options).await;
        let error = refusal(&options).await;
        assert!(
            matches!(&error, Error::InUse { pid, .. } if *pid == std::process::id().to_string()),
            "{error}"
        );
        write(&postgres).await;
        stop(postgres).await;
        stop(start(&options).await).await;
    });
}

#[test]
fn a_directory_that_the_server_cannot_enter_is_linked_elsewhere() {
    run(async {
        let directory = directory_of_mode(0o700);
        let data = directory.path().join("data");
        let options = options(&data);
        let postgres = start(&options).await;
        let cluster = postgres.data_directory().to_owned();
        // Only root's server runs as a different user.
        assert_eq!(
            cluster.starts_with("/var/lib/eventide"),
            Uid::effective().is_root(),
            "{}",
            cluster.display()
        );
        write(&postgres).await;
        stop(postgres).await;
        let postgres = start(&options).await;
        assert_eq!(postgres.data_directory(), cluster);
        assert_written(&postgres).await;
        stop(postgres).await;
        // Without the link, it no longer belongs to this directory.
        fs::rename(&data, directory.path().join("moved")).expect("moved");
        let postgres = start(&options).await;
        let other = postgres.data_directory().to_owned();
        assert_eq!(other == cluster, !Uid::effective().is_root());
        let note = connect(&postgres)
            .await
            .query("SELECT note FROM notes", &[])
            .await;
        assert!(note.is_err(), "a new data directory begins empty");
        stop(postgres).await;
        for cluster in [cluster, other] {
            if Uid::effective().is_root() {
                fs::remove_dir_all(cluster.parent().expect("a home")).expect("removed");
            }
        }
    });
}

#[test]
fn says_in_one_line_what_is_wrong() {
    run(async {
        let directory = directory();
        let file = directory.path().join("file");
        fs::write(&file, "").expect("a file");
        let error = refusal(&options(&file)).await;
        assert!(
            error.to_string().starts_with("cannot make the directory "),
            "{error}"
        );
        // A file system that takes no directories, from root neither.
        let error = refusal(&options("/proc/eventide")).await;
        assert!(
            error
                .to_string()
                .starts_with("cannot make the directory /proc/eventide: "),
            "{error}"
        );

        let nothing = Options {
            binaries_directory: Some(directory.path().to_owned()),
            ..options(directory.path())
        };
        let error = refusal(&nothing).await;
        assert!(matches!(error, Error::NoBinaries { .. }), "{error}");
        assert!(
            error.to_string().contains("apt-get install postgresql-"),
            "{error}"
        );

        for name in ["", "a b", "jit = off\nfsync"] {
            let bad = Options {
                settings: vec![(name.to_owned(), "1".to_owned())],
                ..options(directory.path())
            };
            assert!(matches!(refusal(&bad).await, Error::BadSetting { .. }));
        }
    });
}

#[test]
fn says_in_one_line_what_is_wrong_with_a_cluster() {
    run(async {
        let directory = directory();
        let options = options(directory.path());
        let postgres = start(&options).await;
        let cluster = postgres.data_directory().to_owned();
        stop(postgres).await;

        let settings = vec![("nonsense".to_owned(), "1".to_owned())];
        let error = refusal(&Options {
            settings,
            ..options.clone()
        })
        .await;
        let expected = "unrecognized configuration parameter \"nonsense\"";
        assert!(
            matches!(&error, Error::Start { message, .. } if message.starts_with(expected)),
            "{error}"
        );

        fs::rename(cluster.join("global/pg_control"), cluster.join("global/away")).expect("renamed");
        let error = refusal(&options).await;
        assert!(matches!(error, Error::Start { .. }), "{error}");
        assert!(error.to_string().contains("pg_control"), "{error}");

        fs::write(cluster.join("PG_VERSION"), "9\n").expect("a file");
        let error = refusal(&options).await;
        assert!(matches!(error, Error::OtherMajor { cluster: 9, .. }), "{error}");
        let error = error.to_string();
        let package =
            "/usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y && apt-get install postgresql-9 ";
        assert!(
            error.contains(package) && error.contains("backup and restore"),
            "{error}"
        );

        fs::remove_file(cluster.join("PG_VERSION")).expect("removed");
        let error = refusal(&options).await;
        assert!(matches!(error, Error::NotACluster { .. }), "{error}");
    });
}

/// Root's commands work in the data directory of the bot's user, who must not be able to redirect them.
#[test]
fn root_follows_no_planted_link() {
    const BOT: u32 = 65_534;
    if !Uid::effective().is_root() {
        return;
    }
    run(async {
        let (directory, roots) = (directory(), directory());
        let victim = roots.path().join("victim");
        fs::write(&victim, "precious").expect("a file");
        lchown(directory.path(), Some(BOT), Some(BOT)).expect("handed over");
        let options = options(directory.path());
        let plant = |target: &Path, name: &str| {
            let link = directory.path().join(name);
            symlink(target, &link).expect("a link");
            lchown(&link, Some(BOT), Some(BOT)).expect("handed over");
            link
        };
        for name in ["eventide.bot", "eventide.lock"] {
            let link = plant(&victim, name);
            let error = refusal(&options).await.to_string();
            assert!(error.contains(name) && error.contains("symbolic link"), "{error}");
            fs::remove_file(link).expect("removed");
        }
        let link = plant(&victim, "eventide.guests");
        let error = PrivatePostgres::visit(&options).await.expect_err("a refusal");
        assert!(error.to_string().contains("symbolic link"), "{error}");
        fs::remove_file(link).expect("removed");
        let link = plant(roots.path(), "postgres");
        let error = refusal(&options).await;
        assert!(matches!(error, Error::StrangersLink { .. }), "{error}");
        fs::remove_file(link).expect("removed");

        stop(start(&options).await).await;
        for name in ["postgresql.new", "pg_hba.new", "start.log"] {
            drop(fs::remove_file(directory.path().join("postgres").join(name)));
            plant(&victim, &format!("postgres/{name}"));
        }
        stop(start(&options).await).await;
        assert_eq!(fs::read(&victim).expect("a file"), b"precious");
        assert_eq!(fs::read_dir(roots.path()).expect("a directory").count(), 1);
    });
}
