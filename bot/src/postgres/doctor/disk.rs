//! The disk of the private server, which stops working when it is full.

use std::path::Path;

use nix::sys::statvfs::statvfs;

use super::finding::{Finding, size};

/// WAL and checkpoints sometimes need this much (`max_wal_size` of the private server).
const SCARCE: u64 = 1 << 30;

/// A burst of activity can fill this within minutes.
const NEARLY_NOTHING: u64 = 256 << 20;

/// Examine the disk that contains a directory.
pub(super) fn disk_of(directory: &Path) -> Finding {
    match statvfs(directory) {
        Ok(found) => {
            // The types differ between operating systems.
            let [free, all, part] =
                [found.blocks_available(), found.blocks(), found.fragment_size()].map(u64::from);
            disk(free.saturating_mul(part), all.saturating_mul(part), directory)
        }
        Err(error) => Finding::warning(
            "disk",
            format!("{} cannot be examined: {error}", directory.display()),
            "check database.data_directory",
        ),
    }
}

fn disk(free: u64, all: u64, directory: &Path) -> Finding {
    let bytes = |bytes| size(i64::try_from(bytes).unwrap_or(i64::MAX));
    let found = format!(
        "{} of {} free in {}",
        bytes(free),
        bytes(all),
        directory.display()
    );
    let advice = "free some space: when the disk is full, nothing can be committed";
    if free < NEARLY_NOTHING {
        Finding::bad("disk", found, advice)
    } else if free < SCARCE {
        Finding::warning("disk", found, advice)
    } else {
        Finding::good("disk", found)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{disk, disk_of};
    use crate::postgres::doctor::finding::Verdict;

    #[test]
    fn a_disk_that_is_nearly_full() {
        let all = 100 << 30;
        for (free, verdict) in [
            (50 << 30, Verdict::Good),
            (900 << 20, Verdict::Warning),
            (100 << 20, Verdict::Bad),
            (0, Verdict::Bad),
        ] {
            let finding = disk(free, all, Path::new("data"));
            assert_eq!(finding.verdict, verdict, "{finding}");
        }
        let finding = disk_of(Path::new("/"));
        assert!(finding.found.ends_with("free in /"), "{finding}");
        assert_eq!(disk_of(Path::new("/none")).verdict, Verdict::Warning);
    }
}
