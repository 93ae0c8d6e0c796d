//! Hola: what does it cost to give each client an iteration, a thread, a process or a task of its own?
//!
//! The library behind the `hola` program and the benches: its command line. Data flows one way: the crate `lab` makes
//! comparisons, `verdict` judges them, `report` tells.

// Data and messages each have one way out, which knows what a reader that has gone and a full device mean.
#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

pub mod cli;
