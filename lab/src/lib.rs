//! Makes comparisons: plans, live servers, slices of load in turn, procedures, and their records.
//!
//! [`experiments`] define the questions, [`plan`] how they are measured, [`record`] what was found. Nothing here
//! judges.

// All output goes through `hola_base::output`, which handles a closed pipe and a full device.
#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

pub mod block;
mod cgroup;
mod child;
mod disturbance;
pub mod environment;
pub mod experiments;
mod lab;
pub mod listening;
pub mod model_server;
mod namespace;
pub mod order;
pub mod owned_name;
mod participant_server;
pub mod pinned_program;
pub mod plan;
pub mod procedures;
pub mod process_tree;
pub mod record;
mod result_folder;
pub mod run;
mod running;
mod slice;
pub mod store;
mod switches;
mod sys;
pub mod target;

pub use self::record::metric;
