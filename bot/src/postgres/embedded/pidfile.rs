//! The state of a server on a cluster, from `postmaster.pid` and `/proc`. Like the rest of the private PostgreSQL, this is for Linux only.

use std::{
    ffi::OsStr,
    fs,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

/// A server that is running on a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) pid: i32,
    pub(super) socket_directory: PathBuf,
}

/// `postmaster.pid` of a cluster, and the state of the server that wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PidFile {
    /// There is no file: the last server stopped properly, or there was none.
    None,
    /// The server that wrote it no longer exists, after a power failure or the end of a container.
    Stale,
    /// The server that wrote it is running.
    Live(Running),
}

impl PidFile {
    /// Read the file of `cluster`.
    pub(super) fn read(cluster: &Path) -> Self {
        let Ok(bytes) = fs::read(path(cluster)) else {
            return Self::None;
        };
        // https://www.postgresql.org/docs/current/storage-file-layout.html: process ID, data directory, start time, port, socket, …
        let mut lines = bytes.split(|byte| *byte == b'\n');
        let pid = lines
            .next()
            .and_then(|line| str::from_utf8(line).ok()?.trim().parse().ok());
        let socket_directory = lines.nth(3).unwrap_or_default();
        match pid {
            Some(pid) if serves(pid, cluster) => Self::Live(Running {
                pid,
                socket_directory: OsStr::from_bytes(socket_directory).into(),
            }),
            _ => Self::Stale,
        }
    }
}

/// Whether the server `pid` has recorded that it accepts connections. Unlike an attempt to connect, reading the file causes no rejected
/// connection in the server's log.
pub(super) fn is_ready(pid: i32, cluster: &Path) -> bool {
    let text = fs::read(path(cluster)).unwrap_or_default();
    let mut lines = text.split(|byte| *byte == b'\n');
    let own = lines.next() == Some(pid.to_string().as_bytes());
    // https://github.com/postgres/postgres/blob/master/src/include/utils/pidfile.h: line 8, padded.
    own && lines.nth(6).is_some_and(|status| status.starts_with(b"ready"))
}

/// The file's path.
pub(super) fn path(cluster: &Path) -> PathBuf {
    cluster.join("postmaster.pid")
}

/// Whether `pid` is a PostgreSQL server on `cluster`. After a reboot, or in a new container, the process ID can belong to any process.
pub(super) fn serves(pid: i32, cluster: &Path) -> bool {
    let process = PathBuf::from(format!("/proc/{pid}"));
    // It is empty for a process that has ended and has not been waited for by its parent.
    let command_line = fs::read(process.join("cmdline")).unwrap_or_default();
    let mut arguments = command_line.split(|byte| *byte == 0);
    let program = PathBuf::from(std::ffi::OsString::from_vec(
        arguments.next().unwrap_or_default().to_vec(),
    ));
    if program.file_name() != Some(OsStr::new("postgres")) {
        return false;
    }
    // A server that was started by hand may have been given the directory in another way, but that is its working directory. The link is
    // not always readable: root in a container may not be allowed to inspect another user's process.
    arguments.any(|argument| argument == cluster.as_os_str().as_bytes())
        || fs::read_link(process.join("cwd")).is_ok_and(|directory| directory == cluster)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{PidFile, is_ready, path};

    #[test]
    fn another_process_under_that_number_is_not_the_server() {
        let cluster = tempfile::tempdir().expect("a directory");
        assert_eq!(PidFile::read(cluster.path()), PidFile::None);
        for text in [
            format!("{}\n", std::process::id()),
            "nonsense".to_owned(),
            String::new(),
            "-1\n\n\n\n".to_owned(),
        ] {
            fs::write(path(cluster.path()), text).expect("a file");
            assert_eq!(PidFile::read(cluster.path()), PidFile::Stale);
        }
    }

    #[test]
    fn a_server_is_ready_by_its_own_word() {
        let cluster = tempfile::tempdir().expect("a directory");
        let written = |pid, status: &str| {
            let text = format!("{pid}\n/data\n1\n5432\n/socket\n\n1 2\n{status}\n");
            fs::write(path(cluster.path()), text).expect("a file");
            is_ready(7, cluster.path())
        };
        assert!(written(7, "ready   "));
        assert!(!written(7, "starting"));
        assert!(!written(8, "ready   "), "another server's word");
        fs::write(path(cluster.path()), "7\n").expect("a file");
        assert!(!is_ready(7, cluster.path()));
    }
}
