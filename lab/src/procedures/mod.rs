//! Measurements that are not a plain load, and disturbances to go on beside one.
//!
//! A procedure (`idle`, `backlog`, `spawn`) makes one trial on a fresh process and returns figures, unit last in their
//! names. A disturbance (`slow`, `heavy`, `crashes`) is a guard: it goes on from its start until [`Drop`] or `finish`,
//! which gives its counts.

pub(super) mod client;
