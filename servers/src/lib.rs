//! The same greeting under every concurrency model.
//!
//! A [`models::Model`] decides *what* runs a conversation; [`conversation`] is what is said; `drive` moves the bytes;
//! `server` owns what all models share. So a difference between two models comes from the models alone.

// `println!` and its like panic on a closed pipe and on a full device.
#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

pub mod ballast;
pub mod cli;
pub mod conversation;
pub mod counters;
pub mod models;
pub mod operator;
pub mod sharing;
pub mod spawning;

mod accept_policy;
mod channel;
mod child_table;
mod children;
mod client;
mod clients;
mod context;
mod date;
mod drive;
mod experiments;
mod helpers;
mod listener;
mod log;
mod loops;
mod one_client;
mod passing;
mod runtime;
mod server;
mod settings;
mod signals;
mod stop;
mod sys;
mod workers;
