//! Hola: what does it cost to give each client an iteration, a thread, a process or a task of its own?
//!
//! The library behind the `hola` program and the benches: its command line. Data flows one way: the crate `lab` makes
//! comparisons, `verdict` judges them, `report` presents them.

// All output goes through `hola_base::output`, which handles a closed pipe and a full device.
#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

pub mod cli;
mod console;
pub mod judge;
pub mod lesson;
mod line;
mod live;
mod watch;

/// An error of a TOML file on one line. It shows the place in several: the first one names it, the last one says what is
/// wrong there.
fn toml_error(error: &toml::de::Error) -> String {
    let error = error.to_string();
    let place = error.lines().next().unwrap_or_default();
    format!("{place}: {}", error.lines().last().unwrap_or_default())
}
