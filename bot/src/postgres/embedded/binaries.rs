//! Finds PostgreSQL's programs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use crate::postgres::embedded::{account::Account, blocking, error::Error};

/// The oldest major version that the bot supports.
pub(super) const OLDEST_MAJOR: u32 = 15;

/// Where Debian's packages install the programs: one directory per major version, outside of `PATH`.
const DEBIAN: &str = "/usr/lib/postgresql";

/// A directory with `initdb` and `postgres` of the same version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) directory: PathBuf,
    pub(super) major: u32,
    /// The version in the server's own words, such as `15.18 (Debian 15.18-0+deb12u1)`.
    pub(super) version: String,
}

/// The programs that were found, in order of preference.
#[derive(Debug)]
pub(super) struct Installed {
    found: Vec<Binaries>,
    searched: String,
    refused: String,
}

impl Binaries {
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

impl Installed {
    /// Search only `given` if it is set. Otherwise search `search_path`, then Debian's directories, newest version first. Each program is
    /// run once as the account that will use it.
    pub(super) async fn find(
        account: &Account,
        given: Option<&Path>,
        search_path: &[PathBuf],
    ) -> Result<Self, Error> {
        let (given, search_path) = (given.map(Path::to_owned), search_path.to_owned());
        let (directories, searched) = blocking(move || Ok(candidates(given, search_path))).await?;
        let mut installed = Self {
            found: Vec::new(),
            searched,
            refused: String::new(),
        };
        for directory in directories {
            match version(account, &directory).await {
                Some(binaries) if binaries.major >= OLDEST_MAJOR => installed.found.push(binaries),
                Some(binaries) => {
                    installed.refused = format!(" (only {} in {})", binaries.version, directory.display());
                }
                None => {
                    installed.refused =
                        format!(" ({} cannot be run by {})", directory.display(), account.name);
                }
            }
        }
        Ok(installed)
    }

    /// The programs for a new cluster.
    pub(super) fn preferred(self) -> Result<Binaries, Error> {
        let Self {
            found,
            searched,
            refused,
        } = self;
        found
            .into_iter()
            .next()
            .ok_or(Error::NoBinaries { searched, refused })
    }

    /// The programs for the cluster at `path`, which was created by `major`: no other major version can read it.
    pub(super) fn matching(self, path: &Path, major: u32) -> Result<Binaries, Error> {
        if let Some(binaries) = self.found.iter().find(|binaries| binaries.major == major) {
            return Ok(binaries.clone());
        }
        let installed = self
            .found
            .iter()
            .map(|binaries| binaries.version.clone())
            .collect::<Vec<_>>()
            .join(", ");
        self.preferred()?;
        Err(Error::OtherMajor {
            path: path.to_owned(),
            cluster: major,
            installed,
        })
    }
}

/// The directories that contain both programs, and a description of where they were searched.
fn candidates(given: Option<PathBuf>, search_path: Vec<PathBuf>) -> (Vec<PathBuf>, String) {
    let (directories, searched): (Vec<PathBuf>, _) = match given {
        Some(given) => (vec![given.clone()], given.display().to_string()),
        None => (
            search_path.into_iter().chain(debian()).collect(),
            format!("PATH and {DEBIAN}/*/bin"),
        ),
    };
    let mut holding: Vec<PathBuf> = Vec::new();
    for directory in directories {
        // The programs are run in a different working directory.
        let directory = std::path::absolute(&directory).unwrap_or(directory);
        let both = ["postgres", "initdb"]
            .iter()
            .all(|program| directory.join(program).is_file());
        if both && !holding.contains(&directory) {
            holding.push(directory);
        }
    }
    (holding, searched)
}

/// Debian's directories, newest version first.
pub(crate) fn debian() -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let mut majors: Vec<u32> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    majors.sort_unstable_by(|one, other| other.cmp(one));
    majors
        .into_iter()
        .map(|major| Path::new(DEBIAN).join(major.to_string()).join("bin"))
}

async fn version(account: &Account, directory: &Path) -> Option<Binaries> {
    let mut command = account.command(directory.join("postgres"), Path::new("/"));
    let output = command
        .arg("--version")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .output()
        .await
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let version = text.trim().strip_prefix("postgres (PostgreSQL) ")?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    Some(Binaries {
        directory: directory.to_owned(),
        major: digits.parse().ok()?,
        version: version.to_owned(),
    })
}
