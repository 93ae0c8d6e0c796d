//! A running server seen from outside, once a second: its shared counters, its processes, and a small probe.
//!
//! The server does nothing for this. What it counts lies in memory that another process can map, and the rest is in
//! `/proc`. Only the probe's few requests cost it what any client's cost.

mod probe;
mod reading;
mod sample;
mod sampler;

pub(crate) use probe::{ProbeFigures, ServerProbe, client_protocol};
pub(crate) use reading::LiveServer;
pub(crate) use sample::{LiveSample, LiveWorker};
pub(crate) use sampler::sample_each_second;
