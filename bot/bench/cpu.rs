//! What the kernel says of processes: CPU time, and the most memory that one had.

use std::{fs, io, time::Duration};

/// The unit of times in `/proc/PID/stat`: Linux shows every architecture's as hundredths of a second.
const TICKS_PER_SECOND: u64 = 100;

/// CPU time of a process and of its children that have ended, in user mode and in the kernel. To 20 ms.
///
/// # Errors
///
/// The process is gone.
pub(crate) fn of_process(pid: u32) -> io::Result<Duration> {
    let stat = Stat::read(pid)?;
    Ok(stat.own + stat.ended_children)
}

/// CPU time of a PostgreSQL: of the postmaster, of each of its processes that live, and of those that have ended. A process of
/// PostgreSQL has one thread, of which the scheduler tells nanoseconds.
///
/// # Errors
///
/// The postmaster is gone.
pub(crate) fn of_server(postmaster: u32) -> io::Result<Duration> {
    let mut spent = Stat::read(postmaster)?.ended_children + of_thread(postmaster)?;
    for child in children(postmaster)? {
        // One that ends meanwhile is counted among the ended ones the next time.
        spent += of_thread(child).unwrap_or_default();
    }
    Ok(spent)
}

/// CPU time of a process's main thread.
///
/// # Errors
///
/// The process is gone.
pub(crate) fn of_thread(pid: u32) -> io::Result<Duration> {
    // The first number is the time on a CPU in nanoseconds; a kernel without scheduler statistics has no such file.
    let Ok(text) = fs::read_to_string(format!("/proc/{pid}/schedstat")) else {
        return Ok(Stat::read(pid)?.own);
    };
    let nanos = text.split(' ').next().and_then(|number| number.parse().ok());
    nanos.map(Duration::from_nanos).ok_or_else(|| unreadable(pid))
}

/// The most memory that was resident at any time, in bytes.
///
/// # Errors
///
/// The process is gone.
pub(crate) fn peak_memory_bytes(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    bytes_in(&status, "VmHWM:").ok_or_else(|| unreadable(pid))
}

/// The memory that is resident now, in bytes.
///
/// # Errors
///
/// The process is gone.
pub(crate) fn memory_bytes(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    bytes_in(&status, "VmRSS:").ok_or_else(|| unreadable(pid))
}

fn bytes_in(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1_024)
}

fn children(of: u32) -> io::Result<Vec<u32>> {
    let entries = fs::read_dir("/proc")?.filter_map(Result::ok);
    Ok(entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| Stat::read(*pid).is_ok_and(|stat| stat.parent == of))
        .collect())
}

fn unreadable(pid: u32) -> io::Error {
    io::Error::other(format!("what the kernel says of process {pid} cannot be read"))
}

/// Some of `/proc/PID/stat`: <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    own: Duration,
    ended_children: Duration,
}

impl Stat {
    fn read(pid: u32) -> io::Result<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        Self::parse(&text).ok_or_else(|| unreadable(pid))
    }

    fn parse(text: &str) -> Option<Self> {
        // The name before may hold anything, also spaces and parentheses.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        // The first of them is the third of the manual.
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        let ticks = |user: usize| {
            let ticks = number(user)? + number(user + 1)?;
            Some(Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND))
        };
        Some(Self {
            parent: u32::try_from(number(4)?).ok()?,
            own: ticks(14)?,
            ended_children: ticks(16)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Stat, bytes_in, of_process, of_server, of_thread, peak_memory_bytes};

    #[test]
    fn a_line_of_the_kernel_with_a_hostile_name() {
        let text = "42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 11 22 33 44 20 0 9 0 100 200 300";
        let expected = Stat {
            parent: 7,
            own: Duration::from_millis(330),
            ended_children: Duration::from_millis(770),
        };
        assert_eq!(Stat::parse(text), Some(expected));
        assert_eq!(Stat::parse("42 (a) S 7"), None);
        assert_eq!(
            bytes_in("Name:\ta\nVmHWM:\t  1024 kB\nVmRSS:\t 1 kB\n", "VmHWM:"),
            Some(1 << 20)
        );
    }

    #[test]
    fn this_process_is_seen() {
        let pid = std::process::id();
        assert!(of_thread(pid).expect("a time") > Duration::ZERO);
        assert!(of_server(pid).expect("a time") >= of_thread(pid).expect("a time") / 2);
        of_process(pid).expect("a time");
        assert!(peak_memory_bytes(pid).expect("a peak") > 100_000);
    }
}
