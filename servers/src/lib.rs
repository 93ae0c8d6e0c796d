//! The same greeting under every concurrency model.
//!
//! A [`models::Model`] decides *what* runs a conversation; [`conversation`] is what is said; [`drive`] moves the bytes;
//! [`server::Server`] owns what all models share. So a difference between two models comes from the models alone.

// `println!` and its like panic on a closed pipe and on a full device.
#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

pub mod ballast;
pub mod children;
pub mod cli;
pub mod client;
pub mod clients;
pub mod conversation;
pub mod counters;
pub mod drive;
pub mod listener;
pub mod models;
pub mod pages;
pub mod server;
pub mod settings;
pub mod sharing;
pub mod spawning;

mod accept_policy;
mod backoff;
mod child_table;
mod context;
mod crash;
mod date;
mod extra_work;
mod log;
mod loops;
mod runtime;
mod signals;
mod stop;
mod sys;
mod workers;
