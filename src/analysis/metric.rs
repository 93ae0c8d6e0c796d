//! The figures of a trial that are compared.

use crate::lab::record::Measured;

/// One figure of a trial; the unit is the last part of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// Server CPU time per request answered, children included, in microseconds.
    CpuUsPerRequest,
    /// Requests answered rightly, per second.
    GoodPerS,
    /// Median response time, in microseconds.
    ResponseP50Us,
    /// 99th percentile of the response time, in microseconds.
    ResponseP99Us,
    /// Largest proportional set size of the server's process tree, in KiB.
    PssPeakKib,
    /// Context switches of the server, voluntary and not, per request answered.
    SwitchesPerRequest,
    /// Most threads at once.
    ThreadsPeak,
    /// Most processes at once.
    ProcessesPeak,
}

impl Metric {
    /// Every metric, in the order reports print them.
    pub const ALL: [Self; 8] = [
        Self::CpuUsPerRequest,
        Self::GoodPerS,
        Self::ResponseP50Us,
        Self::ResponseP99Us,
        Self::PssPeakKib,
        Self::SwitchesPerRequest,
        Self::ThreadsPeak,
        Self::ProcessesPeak,
    ];

    /// The metrics in which models are compared with the control.
    pub const COMPARED: [Self; 2] = [Self::CpuUsPerRequest, Self::GoodPerS];

    /// The trial's value; `None` where the trial has none, as a percentile that its sample cannot support.
    pub fn of(self, measured: &Measured) -> Option<f64> {
        let server = &measured.server;
        let value = match self {
            Self::CpuUsPerRequest => server.cpu_us_per_request?,
            Self::GoodPerS => measured.load.rates.good_per_s,
            Self::ResponseP50Us => measured.load.latency_us.response.p50?,
            Self::ResponseP99Us => measured.load.latency_us.response.p99?,
            Self::PssPeakKib => server.pss_peak_kib? as f64,
            Self::SwitchesPerRequest => {
                if server.requests == 0 {
                    return None;
                }
                let switches =
                    server.switches_voluntary as f64 + server.switches_involuntary as f64;
                switches / server.requests as f64
            }
            Self::ThreadsPeak => f64::from(server.threads_peak),
            Self::ProcessesPeak => f64::from(server.processes_peak),
        };
        value.is_finite().then_some(value)
    }

    /// Whether failures reach into the trial's value, which then reads "at least".
    pub fn is_censored(self, measured: &Measured) -> bool {
        let percentile = match self {
            Self::ResponseP50Us => "p50",
            Self::ResponseP99Us => "p99",
            _ => return false,
        };
        let censored = &measured.load.latency_us.response.censored;
        censored.iter().any(|name| name == percentile)
    }

    /// Whether a generator at its limit, and not the server, would set the value. What the server spends on a request is
    /// its own whoever sets the pace.
    pub fn is_paced_by_generator(self) -> bool {
        matches!(
            self,
            Self::GoodPerS | Self::ResponseP50Us | Self::ResponseP99Us
        )
    }

    /// Whether the smaller of two values is the better one.
    pub fn smaller_is_better(self) -> bool {
        self != Self::GoodPerS
    }
}
