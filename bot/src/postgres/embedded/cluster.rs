//! Creates a cluster, and reads the version of an existing one.

use std::{
    fs::{self, File},
    io,
    path::Path,
    process::{Output, Stdio},
    sync::Arc,
};

use crate::postgres::embedded::{
    account::Account,
    binaries::Binaries,
    blocking,
    diagnostics::last_error,
    error::Error,
    paths::{Place, fresh_directory},
    settings::ROLE,
};

/// The name of a cluster while it is being created.
const NEW: &str = "cluster.new";

/// The major version that created `cluster`; `None` if there is no cluster yet.
pub(super) fn major(cluster: &Path) -> Result<Option<u32>, Error> {
    let path = cluster.join("PG_VERSION");
    match fs::read_to_string(&path) {
        Ok(text) => text
            .trim()
            .parse()
            .map(Some)
            .map_err(|_not_a_number| Error::NotACluster {
                path: cluster.to_owned(),
            }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if cluster.exists() {
                Err(Error::NotACluster {
                    path: cluster.to_owned(),
                })
            } else {
                Ok(None)
            }
        }
        Err(error) => Err(Error::io("read", path)(error)),
    }
}

/// Create the cluster under a temporary name and rename it when it is complete, so that an interrupted start leaves nothing that looks like
/// a cluster. Without `sync`, a power failure can destroy it, which makes no difference if the server itself runs without `fsync`.
pub(super) async fn make(
    place: &Place,
    account: &Account,
    binaries: &Binaries,
    sync: bool,
) -> Result<(), Error> {
    // Sorting by byte order is fastest and never changes with the system's library; upper and lower case work for all letters. Without the
    // second locale, only ASCII letters have upper and lower case.
    let mut options = vec!["--locale=C", "--lc-ctype=C.UTF-8"];
    if !sync {
        options.push("--no-sync");
    }
    let mut output = initdb(place, account, binaries, &options).await?;
    if String::from_utf8_lossy(&output.stderr).contains("invalid locale name") {
        options.splice(..2, ["--no-locale"]);
        output = initdb(place, account, binaries, &options).await?;
    }
    if !output.status.success() {
        let message = last_error(&String::from_utf8_lossy(&output.stderr));
        return Err(Error::Initdb {
            path: place.cluster.clone(),
            message,
        });
    }
    let place = place.clone();
    blocking(move || {
        fs::rename(place.home.at(NEW), place.home.at("cluster"))
            .map_err(Error::io("name", &place.cluster))?;
        if !sync {
            return Ok(());
        }
        // initdb has synced its files; the renaming still has to be synced.
        File::open(place.home.at("."))
            .and_then(|home| home.sync_all())
            .map_err(Error::io("sync the directory", place.home.path()))
    })
    .await
}

async fn initdb(
    place: &Place,
    account: &Account,
    binaries: &Binaries,
    options: &[&str],
) -> Result<Output, Error> {
    let (home, owner) = (Arc::clone(&place.home), account.clone());
    blocking(move || fresh_directory(&home, NEW, &owner)).await?;
    let program = binaries.program("initdb");
    let mut command = account.command(&program, Path::new("/"));
    command.arg("--pgdata").arg(place.home.path().join(NEW)).args([
        "--username",
        ROLE,
        "--encoding=UTF8",
        "--auth=peer",
    ]);
    command
        .args(["--data-checksums", "--no-instructions"])
        .args(options);
    command
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(Error::io("run", program))
}
