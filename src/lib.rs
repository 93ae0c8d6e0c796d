//! Hola: what does it cost to give each client an iteration, a thread, a process or a task of its own?
//!
//! The library behind the `hola` program and the benches: its command line. Data flows one way: the crate `lab` makes
//! comparisons, `verdict` judges them, `report` tells.

pub mod cli;
