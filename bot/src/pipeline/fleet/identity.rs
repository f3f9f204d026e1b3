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
mod tests;
