//! What everything else builds on. Nothing here knows PostgreSQL, Discord or a feature.

pub mod backoff;
pub mod clock;
pub mod error_chain;
pub(crate) mod files;
pub(crate) mod https;
pub mod i18n;
pub mod ids;
pub mod shutdown;
pub mod text;
pub mod version;
