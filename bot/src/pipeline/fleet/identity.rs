//! The identity of this process, and the detection of processes that are certainly dead.

use std::{fs, io};

use crate::pipeline::fleet::registry::{Known, Process};

/// This process, as it joins the fleet.
pub fn this_process(capacity: u32) -> Process {
    let host = host();
    Process {
        // Random for each start: leases of an earlier process with the same host name belong to no live process.
        id: format!("{}-{:08x}", short(&host), fastrand::u32(..)),
        host,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        capacity,
        pid_space: pid_space(),
        pid: std::process::id(),
        pid_started: started(std::process::id()).unwrap_or(0),
    }
}

/// Whether a process is known to be dead because it would be visible here otherwise: a process killed on this machine need not be waited
/// for.
pub fn is_dead(process: &Known, me: &Process) -> bool {
    let here = !me.pid_space.is_empty() && process.pid_space == me.pid_space;
    here && match started(process.pid) {
        Ok(started) => started != process.pid_started,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// The host name, which in a container is the container's.
fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() {
        "unknown".to_owned()
    } else {
        name.to_owned()
    }
}

/// A prefix of a name, long enough to recognize it.
fn short(host: &str) -> String {
    host.chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .take(40)
        .collect()
}

/// The boot ID and the PID namespace: two processes with equal values see each other's PIDs. Empty if the kernel does not provide them.
fn pid_space() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let namespace = fs::read_link("/proc/self/ns/pid");
    match (boot, namespace) {
        (Ok(boot), Ok(namespace)) => format!("{} {}", boot.trim(), namespace.display()),
        _ => String::new(),
    }
}

/// The start time of a process in clock ticks since boot: the 22nd field of
/// <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>.
///
/// # Errors
///
/// `NotFound` if there is no such process, or only a zombie.
fn started(pid: u32) -> io::Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is the program name in parentheses, which may contain anything.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut fields = after_name.split_ascii_whitespace();
    if matches!(fields.next(), Some("Z" | "X" | "x")) {
        return Err(io::Error::from(io::ErrorKind::NotFound));
    }
    fields
        .nth(18)
        .and_then(|field| field.parse().ok())
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
}

#[cfg(test)]
mod tests {
    use super::{is_dead, started, this_process};
    use crate::pipeline::fleet::{
        balance::Member,
        registry::{Known, Process},
    };

    fn known(process: &Process) -> Known {
        Known {
            member: Member {
                id: process.id.clone(),
                capacity: process.capacity,
                draining: false,
            },
            pid_space: process.pid_space.clone(),
            pid: process.pid,
            pid_started: process.pid_started,
        }
    }

    #[test]
    fn a_process_is_itself_and_alive() {
        let me = this_process(1);
        assert_ne!(me.id, this_process(1).id);
        assert!(me.pid_started > 0 && !me.pid_space.is_empty());
        assert!(!is_dead(&known(&me), &me));
    }

    #[test]
    fn a_number_that_was_given_out_again_or_to_nobody_is_dead_here_and_unknown_elsewhere() {
        let me = this_process(1);
        let mut other = known(&me);
        other.pid_started += 1;
        assert!(is_dead(&other, &me));
        // Beyond the largest PID of Linux.
        other.pid = 1 << 30;
        assert!(is_dead(&other, &me));
        other.pid_space.push('x');
        assert!(!is_dead(&other, &me));
        assert!(started(1 << 30).is_err());
    }

    #[test]
    fn a_zombie_is_dead() {
        let me = this_process(1);
        let mut child = std::process::Command::new("true").spawn().expect("a process");
        let path = format!("/proc/{}/stat", child.id());
        let mut other = known(&me);
        other.pid = child.id();
        let stat = loop {
            let stat = std::fs::read_to_string(&path).expect("it has not been waited for");
            if stat.contains(") Z ") {
                break stat;
            }
            std::thread::yield_now();
        };
        let (_, fields) = stat.rsplit_once(") ").expect("a name");
        let began = fields.split(' ').nth(19).and_then(|field| field.parse().ok());
        other.pid_started = began.expect("a number");
        assert!(is_dead(&other, &me));
        child.wait().expect("it has ended");
    }
}
