//! Hola: what does it cost to give each client an iteration, a thread, a process or a task of its own?
pub mod analysis;
pub mod lab;
pub mod report;
