//! What happened to the requests of one worker thread, kept in bounded memory and merged without loss.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use nix::errno::Errno;

use crate::histograms::Histograms;
use crate::response::InvalidResponse;
use crate::time_slices::TimeSlices;

/// Timestamps of one request, in nanoseconds of the monotonic clock; zero if the request did not get that far.
///
/// The clock is read at or after each event, except for `intended` and `start`, which mark a beginning.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RequestTimes {
    /// t0: when it should have started.
    pub(crate) intended: u64,
    /// t1: before the connection attempt, or before the write on a kept connection.
    pub(crate) start: u64,
    /// t2: when the connection was known to be established; zero on a kept one.
    pub(crate) connected: u64,
    /// t3: when the request was written.
    pub(crate) written: u64,
    /// t4: when the first byte of the answer had been read.
    pub(crate) first_byte: u64,
    /// t5: when the last byte had been read, or the failure was seen.
    pub(crate) end: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestOutcome {
    /// The right answer.
    Ok,
    /// Anything else.
    Failed(Cause, Phase),
}

/// Why a request failed, whichever system call reported it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    Refused,
    Reset,
    ClosedEarly,
    Timeout,
    Unreachable,
    Status(u16),
    BadBody,
    InvalidResponse(InvalidResponse),
    /// Any other error, by errno: it comes from this machine.
    Local(i32),
}

/// How far a request had come when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Connect,
    BeforeFirstByte,
    /// In the head of the answer, or because of what the head says.
    Head,
    MidBody,
}

impl Cause {
    /// Cause of a socket error.
    pub(crate) fn of(errno: Errno) -> Self {
        match errno {
            Errno::ECONNREFUSED => Self::Refused,
            Errno::ECONNRESET | Errno::EPIPE | Errno::ECONNABORTED => Self::Reset,
            Errno::ETIMEDOUT => Self::Timeout,
            Errno::EHOSTUNREACH | Errno::ENETUNREACH | Errno::EHOSTDOWN | Errno::ENETDOWN => {
                Self::Unreachable
            }
            errno => Self::Local(errno as i32),
        }
    }

    fn name(self) -> String {
        match self {
            Self::Refused => "refused".to_owned(),
            Self::Reset => "reset".to_owned(),
            Self::ClosedEarly => "closed_early".to_owned(),
            Self::Timeout => "timeout".to_owned(),
            Self::Unreachable => "unreachable".to_owned(),
            Self::Status(status) => format!("status_{status}"),
            Self::BadBody => "bad_body".to_owned(),
            Self::InvalidResponse(malformed) => match malformed {
                InvalidResponse::Head => "parse",
                InvalidResponse::HeadTooLong => "head_too_long",
                InvalidResponse::Framing => "unclear_length",
                InvalidResponse::Chunk => "broken_chunk",
                InvalidResponse::Interim => "interim",
            }
            .to_owned(),
            Self::Local(errno) => format!("local_{:?}", Errno::from_raw(errno)),
        }
    }
}

impl Phase {
    fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::BeforeFirstByte => "before_first_byte",
            Self::Head => "head",
            Self::MidBody => "mid_body",
        }
    }
}

/// Counts and distributions of the requests that belong to the measured window.
#[derive(Debug)]
pub(crate) struct Recorder {
    pub(crate) histograms: Histograms,
    pub(crate) time_slices: TimeSlices,
    pub(crate) ok: u64,
    failed: BTreeMap<(Cause, Phase), u64>,
    /// Requests ended and failed that [`Recorder::take`] has removed.
    taken: [u64; 2],
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self {
            histograms: Histograms::new(),
            time_slices: TimeSlices::default(),
            ok: 0,
            failed: BTreeMap::new(),
            taken: [0; 2],
        }
    }

    /// Takes the counts and distributions and leaves empty ones; [`Recorder::ended`] still includes them. The time
    /// slices stay: they cover the whole window, and are read only after its end.
    pub(crate) fn take(&mut self) -> Self {
        let ended = self.ended();
        let mut part = Self::new();
        std::mem::swap(&mut part.histograms, &mut self.histograms);
        std::mem::swap(&mut part.ok, &mut self.ok);
        std::mem::swap(&mut part.failed, &mut self.failed);
        part.taken = std::mem::replace(&mut self.taken, ended);
        part
    }

    /// Undoes [`Recorder::take`].
    pub(crate) fn put_back(&mut self, part: &Self) {
        self.merge(part);
        self.taken = part.taken;
    }

    /// Requests ended and requests failed, including those that were taken.
    pub(crate) fn ended(&self) -> [u64; 2] {
        let failed = self.histograms.failed.len();
        [self.taken[0] + self.ok + failed, self.taken[1] + failed]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ok == 0 && self.failed.is_empty()
    }

    pub(crate) fn record(&mut self, times: &RequestTimes, outcome: RequestOutcome) {
        let since = |later: u64, earlier: u64| later.saturating_sub(earlier);
        let response = since(times.end, times.intended);
        let enter = |histogram: &mut Histogram<u64>, value| histogram.saturating_record(value);
        let histograms = &mut self.histograms;
        enter(&mut histograms.response, response);
        self.time_slices.record(times, response);
        enter(&mut histograms.service, since(times.end, times.start));
        enter(&mut histograms.lag, since(times.start, times.intended));
        if times.connected > 0 {
            enter(&mut histograms.connect, since(times.connected, times.start));
        }
        if times.first_byte > 0 && times.written > 0 {
            enter(
                &mut histograms.first_byte,
                since(times.first_byte, times.written),
            );
        }
        match outcome {
            RequestOutcome::Ok => self.ok += 1,
            RequestOutcome::Failed(cause, phase) => {
                enter(&mut histograms.failed, response);
                *self.failed.entry((cause, phase)).or_default() += 1;
            }
        }
    }

    /// Adds what another thread recorded.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.histograms.merge(&other.histograms);
        self.time_slices.merge(&other.time_slices);
        self.ok += other.ok;
        for (key, count) in &other.failed {
            *self.failed.entry(*key).or_default() += count;
        }
    }

    /// Failures by name, as published.
    pub(crate) fn failures(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        let mut named: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for ((cause, phase), count) in &self.failed {
            *named
                .entry(cause.name())
                .or_default()
                .entry(phase.name().to_owned())
                .or_default() += count;
        }
        named
    }
}
