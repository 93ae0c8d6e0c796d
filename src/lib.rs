//! Hola: what does it cost to give each client an iteration, a thread, a process or a task of its own?
//!
//! The library behind the `hola` program and the benches. Data flows one way: [`experiments`] say what to ask, the
//! [`lab`] makes trials and stores them, [`analysis`] compares, [`claims`] are decided by what it found, [`report`] tells.

// Data and messages each have one way out, which knows what a reader that has gone and a full device mean: `output`.
#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

pub mod analysis;
pub mod claims;
pub mod cli;
pub mod experiments;
pub mod lab;
pub mod language;
pub mod output;
pub mod report;
pub mod result_folder;
mod sys;
pub mod visible;
