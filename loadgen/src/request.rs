//! The times and the outcome of one request.

use nix::errno::Errno;

use crate::response::InvalidResponse;

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
    /// What the server says is no acceptable TLS.
    Tls,
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
    pub(crate) fn from_errno(errno: Errno) -> Self {
        match errno {
            Errno::ECONNREFUSED => Self::Refused,
            Errno::ECONNRESET | Errno::EPIPE | Errno::ECONNABORTED => Self::Reset,
            Errno::ETIMEDOUT => Self::Timeout,
            // No call on a TCP socket returns it; here it is an error of TLS.
            Errno::EPROTO => Self::Tls,
            Errno::EHOSTUNREACH | Errno::ENETUNREACH | Errno::EHOSTDOWN | Errno::ENETDOWN => {
                Self::Unreachable
            }
            errno => Self::Local(errno as i32),
        }
    }

    pub(crate) fn name(self) -> String {
        match self {
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::ClosedEarly => "closed_early",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::BadBody => "bad_body",
            Self::Tls => "tls",
            Self::InvalidResponse(InvalidResponse::Head) => "parse",
            Self::InvalidResponse(InvalidResponse::HeadTooLong) => "head_too_long",
            Self::InvalidResponse(InvalidResponse::Framing) => "unclear_length",
            Self::InvalidResponse(InvalidResponse::Chunk) => "broken_chunk",
            Self::InvalidResponse(InvalidResponse::Interim) => "interim",
            Self::Status(status) => return format!("status_{status}"),
            Self::Local(errno) => return format!("local_{:?}", Errno::from_raw(errno)),
        }
        .to_owned()
    }
}

impl Phase {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::BeforeFirstByte => "before_first_byte",
            Self::Head => "head",
            Self::MidBody => "mid_body",
        }
    }
}
