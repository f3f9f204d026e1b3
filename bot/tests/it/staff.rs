//! Tools of staff for channels and members: what they do on Discord, once each, and what they refuse.

mod lock;
mod logs;
mod purge;
mod rescheduled;
mod roles;
mod slowmode;
mod stage;
