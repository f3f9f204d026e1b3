//! Handlers turn an event into changes. They are plain functions of their arguments: nothing they are given can do I/O.
//!
//! What a change adds to the stored state may depend on that state (the cooldown does): it is then folded onto it by the
//! rule that travels in the change, in the ledger when the state is known there and in the flush's transaction when not.

pub mod levels;
