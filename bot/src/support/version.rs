//! Which Eventide this is.

/// The commit that it was built from, or `unknown`. `EVENTIDE_COMMIT` says it where there is no Git; builds for development say
/// `development`, because a commit would make Cargo compile everything anew.
pub const COMMIT: &str = env!("EVENTIDE_COMMIT");

/// Version and commit, for people.
pub const TEXT: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("EVENTIDE_COMMIT"), ")");
