//! A load generator whose numbers can be checked.
//!
//! [`run`] puts a [`Workload`] on a server and returns a [`Measurement`]: distributions from the *intended* instant of
//! every request, failures by cause and phase, an accounting identity, and checks that say whether the figures can be
//! believed. It knows nothing of the server it talks to.
//!
//! Linux only: it uses `epoll` directly.

// All that is printed passes through `hola_base::output`: the macros panic on a closed pipe and on a full device.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod answer;
mod checks;
pub mod cli;
pub mod condition;
mod engine;
mod histograms;
#[doc(hidden)]
pub mod hot_path;
mod intervals;
pub mod kernel;
mod measurement;
mod recorder;
pub mod response;
pub mod schedule;
mod strips;
pub mod summary;
mod sys;
pub mod target;
mod text;
mod throttling;
mod timeline;
mod trend;
pub mod workload;

pub use engine::{LoadError, NoProbe, Observer, Probe, Progress, Unobserved, run, run_probed};
pub use histograms::{Histograms, percentile_ns};
pub use intervals::Interval;
pub use measurement::Measurement;
pub use workload::{Closing, Conversation, Engine, InvalidWorkload, Pace, Pacing, Stop, Workload};
