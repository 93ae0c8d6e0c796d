//! The plan of a load as published; when its requests are due, and how many there are, is a pure function of it.

use crate::schedule::Schedule;
use crate::summary::{HttpPlan, LoopKind, Plan};
use crate::target::ServerAddress;
use crate::units::from_seconds;
use crate::workload::{ClientProtocol, Pace, Stop, Workload};

impl Workload {
    /// The load as published in the summary.
    pub fn plan(&self) -> Plan {
        let (loop_kind, clients, rate_per_s, arrivals) = match self.pace {
            Pace::Closed { clients } => (LoopKind::Closed, Some(clients), None, None),
            Pace::Open {
                rate_per_s,
                arrivals,
            } => (LoopKind::Open, None, Some(rate_per_s), Some(arrivals)),
        };
        let (duration_s, requests) = match self.stop {
            Stop::After(duration) => (Some(duration.as_secs_f64()), None),
            Stop::Requests(requests) => (None, Some(requests)),
        };
        Plan {
            conversation: self.conversation,
            unix_socket: match &self.target {
                ServerAddress::Tcp(_) => None,
                ServerAddress::Unix(file) => Some(file.display().to_string()),
            },
            http: (self.conversation == ClientProtocol::Http).then(|| self.http_plan()),
            loop_kind,
            clients,
            rate_per_s,
            arrivals,
            requests_per_connection: self.requests_per_connection,
            connections: self.kept_connections,
            duration_s,
            requests,
            think_s: self.think.as_secs_f64(),
            closing: self.closing,
            ramp_s: self.ramp.as_secs_f64(),
            warmup_s: self.warmup.as_secs_f64(),
            timeout_s: self.timeout.as_secs_f64(),
            seed: self.seed,
        }
    }

    fn http_plan(&self) -> HttpPlan {
        let length = |body: &[u8]| body.len() as u64;
        HttpPlan {
            method: self.method.name().to_owned(),
            urls: (!self.url_mix.is_empty()).then_some(self.url_mix.len() as u64),
            headers: self.headers.len() as u64,
            body_bytes: self.body.as_deref().map(length),
            expected_status: self.expected_status.to_string(),
            expected_body_bytes: self.expected_body.as_deref().map(length),
        }
    }
}

impl Plan {
    /// Planned instants of an open loop, over all ranks.
    pub(crate) fn schedule(&self) -> Option<Schedule> {
        let steady = Schedule::new(self.arrivals?, self.rate_per_s?, self.seed);
        Some(steady.ramped(from_seconds(self.ramp_s)))
    }

    /// When the measured window opens, in nanoseconds from the start.
    pub(crate) fn opens_ns(&self) -> u64 {
        from_seconds(self.ramp_s).saturating_add(from_seconds(self.warmup_s))
    }

    /// When the measured window closes, in nanoseconds from the start; the largest number if a closed loop ends by a
    /// count.
    pub(crate) fn closes_ns(&self) -> u64 {
        match (self.schedule(), self.requests, self.duration_s) {
            (Some(schedule), Some(requests), _) => schedule.end_of(self.opens_ns(), requests),
            (_, None, Some(duration_s)) => self.opens_ns().saturating_add(from_seconds(duration_s)),
            _ => u64::MAX,
        }
    }

    /// Requests of the measured window, over all ranks; `None` if a closed loop ends by time.
    pub(crate) fn planned(&self) -> Option<u64> {
        match self.schedule() {
            Some(schedule) => Some(schedule.count(self.opens_ns(), self.closes_ns())),
            None => self.requests,
        }
    }
}
