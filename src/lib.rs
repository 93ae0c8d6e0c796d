//! Hola: what does it cost to give each client an iteration, a thread, a process or a task of its own?
//!
//! The library behind the `hola` program and the benches. Data flows one way: [`experiments`] say what to ask, the
//! [`lab`] makes trials and stores them, [`analysis`] compares, [`claims`] are decided by what it found, [`report`] tells.

pub mod analysis;
pub mod claims;
pub mod cli;
pub mod experiments;
pub mod lab;
pub mod language;
pub mod report;
