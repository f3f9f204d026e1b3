//! Eventide.
