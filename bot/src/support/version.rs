//! The version of this build.

/// The commit of this build, or `unknown`. `EVENTIDE_COMMIT` provides it where Git is missing; development builds use `development`,
/// because a commit would make Cargo recompile everything.
pub const COMMIT: &str = env!("EVENTIDE_COMMIT");

/// Version and commit, for display.
pub const TEXT: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("EVENTIDE_COMMIT"), ")");
