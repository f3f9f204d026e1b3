//! Metrics of this process from the operating system, with the names used by Prometheus' client libraries:
//! <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>.
//!
//! They are read for each page and written to it directly, because the recorder's counters are integers, and seconds of CPU time are not.

use std::{fmt::Write as _, fs, time::Duration};

use nix::{
    sys::resource::{Resource, UsageWho, getrlimit, getrusage},
    unistd::{SysconfVar, sysconf},
};

use super::PROCESS;

/// Add the metrics of the process to a page. Values that the operating system does not provide are omitted.
pub(super) fn write(page: &mut String) {
    for metric in PROCESS {
        if let Some(value) = read(metric.name) {
            let (name, kind, help) = (metric.name, metric.kind.as_str(), metric.help);
            writeln!(
                page,
                "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"
            )
            .expect("a String takes any text");
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn read(name: &str) -> Option<f64> {
    Some(match name {
        "process_cpu_seconds_total" => cpu_time()?.as_secs_f64(),
        "process_resident_memory_bytes" => pages(1)? as f64,
        "process_virtual_memory_bytes" => pages(0)? as f64,
        "process_open_fds" => fs::read_dir("/proc/self/fd").ok()?.count() as f64,
        "process_max_fds" => getrlimit(Resource::RLIMIT_NOFILE).ok()?.0 as f64,
        "process_threads" => stat(17)?.parse().ok()?,
        "process_start_time_seconds" => start_time()?,
        _ => return None,
    })
}

/// CPU time of all threads, in user mode and in the kernel.
pub fn cpu_time() -> Option<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let spent = |time: nix::sys::time::TimeVal| {
        Some(Duration::new(
            time.tv_sec().try_into().ok()?,
            u32::try_from(time.tv_usec()).ok()? * 1_000,
        ))
    };
    Some(spent(usage.user_time())? + spent(usage.system_time())?)
}

/// A field of `/proc/self/statm`, in bytes: <https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html>.
fn pages(field: usize) -> Option<u64> {
    let text = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split(' ').nth(field)?.parse().ok()?;
    Some(pages * setting(SysconfVar::PAGE_SIZE)?)
}

/// A field of `/proc/self/stat` after the program's name, which may contain any characters. The state is field 0:
/// <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>.
fn stat(field: usize) -> Option<String> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, behind_name) = text.rsplit_once(") ")?;
    behind_name.split(' ').nth(field).map(str::to_owned)
}

/// The start of the process in seconds since 1970: the start of the machine, plus the time from then to the start of the process.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn start_time() -> Option<f64> {
    let machine = fs::read_to_string("/proc/stat").ok()?;
    let machine = machine.lines().find_map(|line| line.strip_prefix("btime "))?;
    let (machine, ticks): (u64, u64) = (machine.trim().parse().ok()?, stat(19)?.parse().ok()?);
    Some(machine as f64 + ticks as f64 / setting(SysconfVar::CLK_TCK)? as f64)
}

fn setting(variable: SysconfVar) -> Option<u64> {
    sysconf(variable).ok()??.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::{PROCESS, read, write};
    use crate::support::clock::host_time;

    #[test]
    fn everything_is_read_and_plausible() {
        let of = |name| read(name).unwrap_or_else(|| panic!("{name} is read"));
        for metric in PROCESS {
            assert!(of(metric.name) > 0.0, "{}", metric.name);
        }
        assert!(of("process_resident_memory_bytes") < of("process_virtual_memory_bytes"));
        assert!(of("process_open_fds") < of("process_max_fds"));
        let now = host_time().duration_since(UNIX_EPOCH).expect("after 1970");
        let age = now.as_secs_f64() - of("process_start_time_seconds");
        assert!((-2.0..86_400.0).contains(&age), "this test began {age} s ago");
    }

    #[test]
    fn the_page_says_what_each_is() {
        let mut page = String::new();
        write(&mut page);
        assert!(
            page.contains("# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 0."),
            "{page}"
        );
        assert_eq!(page.matches("# HELP ").count(), PROCESS.len(), "{page}");
    }
}
