//! The programs beside the server: the client, comparisons, targets and their supervisor, and what they store.
//!
//! `tests/procedures.rs` is a binary of its own: it measures memory, which every other server of the process changes.

#[path = "../support/mod.rs"]
mod support;

mod chat;
mod class;
mod client;
mod compare;
mod console;
mod install;
mod lesson;
mod own_target_errors;
mod own_targets;
mod pull_request;
mod ranks;
mod reach;
mod schema;
mod supervisor;
mod systems;
mod targets;
mod watch;
