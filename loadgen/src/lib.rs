//! A load generator whose numbers can be checked.
//!
//! [`run`] puts a [`Workload`] on a server and returns a [`Measurement`]: latency distributions from the *intended*
//! instant of every request, failures by cause and phase, an accounting identity, and checks that say whether the
//! figures can be trusted. The crate knows nothing about the server.
//!
//! Linux only: it uses epoll(7) and io_uring(7) directly.

// The crate prints only through `hola_base::output`: the print macros panic on a closed pipe and on a full device.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod answer;
mod checks;
pub mod cli;
pub mod condition;
mod engine;
mod evidence;
mod histograms;
#[doc(hidden)]
pub mod hot_path;
pub mod http;
mod intervals;
pub mod kernel;
mod measurement;
mod planned;
mod rank;
pub mod ranks;
mod recorder;
mod request;
pub mod response;
pub mod schedule;
pub mod summary;
mod sys;
pub mod target;
mod text;
mod throttling;
mod time_slices;
mod timeline;
pub mod tls;
mod totals;
mod trend;
mod units;
mod url_record;
pub mod workload;

pub use engine::{LoadError, NoObserver, Observer, Probe, run, run_probed};
pub use histograms::{Histograms, percentile_ns};
pub use intervals::Interval;
pub use measurement::Measurement;
pub use rank::Rank;
pub use workload::{
    ClientProtocol, Closing, Engine, InvalidWorkload, Pace, Pacing, Stop, WeightedPath, Workload,
};
