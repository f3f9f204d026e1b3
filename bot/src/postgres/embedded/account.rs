//! The user that the server runs as. PostgreSQL does not run as root, so root uses another account for it.

use std::{ffi::OsStr, io, os::unix::fs::MetadataExt, path::Path, process::Stdio};

use nix::unistd::{Gid, Uid, User};
use tokio::process::Command;

use crate::{postgres::embedded::error::Error, support::files};

/// Accounts that root can use for the server; the first that exists is used. Debian's package creates `postgres`.
const LENT: [&str; 2] = ["postgres", "nobody"];

/// The user that the server runs as.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) name: String,
    /// Whether it differs from the bot's user, which is then root.
    pub(super) lent: bool,
}

impl Account {
    /// The owner of `cluster` if it exists, or else the bot's own user, or for root another account.
    pub(super) fn choose(cluster: &Path) -> Result<Self, Error> {
        let bot = Uid::effective();
        let owner = match cluster.metadata() {
            // Otherwise a link could make root run the server as any user.
            Ok(metadata) if bot.is_root() && !is_led_by_trust(cluster, metadata.uid()) => {
                return Err(Error::StrangersLink {
                    path: cluster.to_owned(),
                });
            }
            Ok(metadata) => Some((Uid::from_raw(metadata.uid()), Gid::from_raw(metadata.gid()))),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                None
            }
            Err(error) => return Err(Error::io("look at", cluster)(error)),
        };
        if !bot.is_root() {
            let account = Self {
                uid: bot.as_raw(),
                gid: Gid::effective().as_raw(),
                name: name(bot),
                lent: false,
            };
            return match owner {
                Some((owner, _)) if owner != bot => Err(Error::OtherOwner {
                    path: cluster.to_owned(),
                    owner: name(owner),
                }),
                _ => Ok(account),
            };
        }
        let lent = LENT
            .iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .ok_or(Error::NoAccount);
        match owner {
            Some((uid, _)) if uid.is_root() => Err(Error::OwnedByRoot {
                path: cluster.to_owned(),
                account: lent?.name,
            }),
            Some((uid, gid)) => Ok(Self {
                uid: uid.as_raw(),
                gid: gid.as_raw(),
                name: name(uid),
                lent: true,
            }),
            None => {
                let user = lent?;
                Ok(Self {
                    uid: user.uid.as_raw(),
                    gid: user.gid.as_raw(),
                    name: user.name,
                    lent: true,
                })
            }
        }
    }

    /// The mode of the directory around the cluster: another account must be able to pass through it.
    pub(super) const fn home_mode(&self) -> u32 {
        if self.lent { 0o711 } else { 0o700 }
    }

    /// Everyone who may log in: the server's account, the bot's, and root.
    pub(super) fn people(&self) -> Vec<String> {
        let mut people = vec![self.name.clone(), name(Uid::effective()), "root".to_owned()];
        people.sort();
        people.dedup();
        people
    }

    /// A command that runs as this account in `directory`, in a process group of its own: Ctrl-C in a terminal reaches the bot, which shuts
    /// down cleanly, and not the server.
    ///
    /// It inherits nothing of the environment. The bot's environment contains secrets, which the other account could read in `/proc`, and a
    /// stray `PGPORT` or `PGOPTIONS` would change the server.
    pub(super) fn command(&self, program: impl AsRef<OsStr>, directory: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LC_ALL", "C")
            .env("TZ", "UTC");
        command.current_dir(directory).process_group(0);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if self.lent {
            // The standard library drops root's supplementary groups together with the user ID.
            command.uid(self.uid).gid(self.gid);
        }
        command
    }
}

/// Whether `path` is not a link, or a link that may be followed to a file of `owner`.
fn is_led_by_trust(path: &Path, owner: u32) -> bool {
    path.symlink_metadata()
        .is_ok_and(|link| !link.is_symlink() || files::is_trusted_link(&link, owner))
}

/// A user's name, or its number if it has no name.
fn name(uid: Uid) -> String {
    User::from_uid(uid)
        .ok()
        .flatten()
        .map_or_else(|| uid.to_string(), |user| user.name)
}
