//! Makes comparisons: plans, live servers, slices of load in turn, procedures, and the records of all that.
//!
//! [`experiments`] say what to ask, [`plan`] is how it is asked, [`record`] what was found; nothing here judges.

// Data and messages each have one way out, which knows what a reader that has gone and a full device mean.
#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

pub mod account;
pub mod block;
pub mod cgroup;
mod disturbance;
pub mod environment;
pub mod experiments;
pub mod image;
mod listening;
pub mod metric;
pub mod model_server;
pub mod owned_name;
pub mod plan;
pub mod procedures;
pub mod record;
mod result_folder;
pub mod run;
pub mod running;
mod slice;
pub mod store;
mod switches;
mod sys;
pub mod target;
pub mod tree;
