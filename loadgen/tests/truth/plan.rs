//! What a planned server does with each request: a pure function of the request's number and of time.

use std::time::Duration;

use hola_loadgen::cli::parse_duration;
use hola_loadgen::schedule::splitmix64;

/// Seed of every drawn delay: the truth is the same in every run.
const SEED: u64 = 0x686f_6c61;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Plan {
    /// Time that each request takes.
    pub(crate) work: Work,
    /// Whether a single worker serves one request after the other, or all are served at once.
    pub(crate) one_worker: bool,
    /// When the server serves nothing.
    pub(crate) stall: Option<Stall>,
    /// Each fault meets one in this many requests; `None` for no faults.
    pub(crate) each_fault_once_in: Option<u64>,
    /// When the server does not listen.
    pub(crate) refusals: Option<Refusals>,
}

/// The distribution of the delays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Work {
    Constant(Duration),
    /// Every `one_in`-th request takes `slow`, the others `fast`.
    Bimodal {
        fast: Duration,
        slow: Duration,
        one_in: u64,
    },
    Uniform {
        from: Duration,
        to: Duration,
    },
    Exponential {
        mean: Duration,
    },
}

/// For `length` in the middle of every `period` nothing is served.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stall {
    pub(crate) length: Duration,
    pub(crate) period: Duration,
}

/// After every `every` connections the server does not listen for `pause`. For a client with one request at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Refusals {
    pub(crate) every: u64,
    pub(crate) pause: Duration,
}

/// How a request ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    Answered,
    Reset,
    ResetMidBody,
    ClosedEarly,
    Status500,
    ShortBody,
    Silence,
    BadStatusLine,
}

/// All faults that a plan can produce: name in the published log, and the cause and phase that a generator reports.
#[rustfmt::skip] // a table
pub(crate) const FAULTS: [(Fate, &str, (&str, &str)); 7] = [
    (Fate::Reset, "reset", ("reset", "before_first_byte")),
    (Fate::ResetMidBody, "reset_mid_body", ("reset", "mid_body")),
    (Fate::ClosedEarly, "closed_early", ("closed_early", "before_first_byte")),
    (Fate::Status500, "status_500", ("status_500", "head")),
    (Fate::ShortBody, "short_body", ("closed_early", "mid_body")),
    (Fate::Silence, "silence", ("timeout", "before_first_byte")),
    (Fate::BadStatusLine, "bad_status_line", ("parse", "head")),
];

impl Fate {
    /// Name in the published log.
    pub(crate) fn name(self) -> &'static str {
        let fault = FAULTS.iter().find(|(fate, ..)| *fate == self);
        fault.map_or("answered", |(_, name, _)| name)
    }
}

impl Plan {
    /// Serves all requests at once, each after its time.
    pub(crate) fn delays(work: Work) -> Self {
        Self {
            work,
            one_worker: false,
            stall: None,
            each_fault_once_in: None,
            refusals: None,
        }
    }

    /// Serves one request after the other.
    pub(crate) fn queue(work: Work) -> Self {
        Self {
            one_worker: true,
            ..Self::delays(work)
        }
    }

    /// Reads a plan as the command line has it.
    ///
    /// # Errors
    /// Returns a message with examples if `text` is not a plan.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Self::read(text).ok_or_else(|| {
            format!(
                "`{text}` is none of constant:10ms, uniform:1ms,40ms, bimodal:1ms,100ms,1%, stall:1s/10s,1ms, \
                 queue:exponential:1000/s, queue:constant:1000/s, faults:1%, refuse:50/30ms"
            )
        })
    }

    fn read(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        let time = |text: &str| parse_duration(text).ok();
        let times = |text: &str| {
            let (one, other) = text.split_once(',')?;
            Some((time(one)?, time(other)?))
        };
        Some(match kind {
            "constant" => Self::delays(Work::Constant(time(rest)?)),
            "uniform" => {
                let (from, to) = times(rest)?;
                Self::delays(Work::Uniform { from, to })
            }
            "bimodal" => {
                let (both, share) = rest.rsplit_once(',')?;
                let (fast, slow) = times(both)?;
                let one_in = one_in(share)?;
                Self::delays(Work::Bimodal { fast, slow, one_in })
            }
            "stall" => {
                let (stall, work) = rest.split_once(',').unwrap_or((rest, "1ms"));
                let (length, period) = stall.split_once('/')?;
                let stall = Stall {
                    length: time(length)?,
                    period: time(period)?,
                };
                let fits = !stall.period.is_zero() && stall.length < stall.period;
                fits.then_some(Self {
                    stall: Some(stall),
                    ..Self::queue(Work::Constant(time(work)?))
                })?
            }
            "queue" => {
                let (law, rate) = rest.split_once(':')?;
                let rate: f64 = rate.strip_suffix("/s")?.parse().ok()?;
                let mean = Duration::try_from_secs_f64(1.0 / rate).ok()?;
                Self::queue(match law {
                    "exponential" => Work::Exponential { mean },
                    "constant" => Work::Constant(mean),
                    _ => return None,
                })
            }
            "faults" => {
                let once_in = one_in(if rest.is_empty() { "1%" } else { rest })?;
                (once_in > FAULTS.len() as u64).then_some(Self {
                    each_fault_once_in: Some(once_in),
                    ..Self::delays(Work::Constant(Duration::ZERO))
                })?
            }
            "refuse" => {
                let (every, pause) = rest.split_once('/')?;
                let every = every.parse().ok().filter(|every| *every > 0)?;
                let pause = time(pause)?;
                Self {
                    refusals: Some(Refusals { every, pause }),
                    ..Self::delays(Work::Constant(Duration::ZERO))
                }
            }
            _ => return None,
        })
    }

    /// The fate of request `number`, counted from zero. Faults are spread over each round, whose first request has
    /// none.
    pub(crate) fn fate(&self, number: u64) -> Fate {
        let Some(once_in) = self.each_fault_once_in else {
            return Fate::Answered;
        };
        let place = |index: usize| (index as u64 + 1) * once_in / (FAULTS.len() as u64 + 1);
        let met = (0..FAULTS.len()).find(|index| place(*index) == number % once_in);
        met.map_or(Fate::Answered, |index| FAULTS[index].0)
    }

    /// When the stall that holds `at_ns` ends, or `at_ns` itself; in time since the server began.
    pub(crate) fn resumes_ns(&self, at_ns: u64) -> u64 {
        let Some(stall) = self.stall else {
            return at_ns;
        };
        let (length, period) = (nanoseconds(stall.length), nanoseconds(stall.period));
        let begin = at_ns / period * period + (period - length) / 2;
        if (begin..begin + length).contains(&at_ns) {
            begin + length
        } else {
            at_ns
        }
    }
}

impl Work {
    /// Time that request `number` takes, in nanoseconds.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // delays are far below 2^63 ns
    #[allow(clippy::cast_precision_loss)] // and 53 bits of a draw are exact
    pub(crate) fn ns(&self, number: u64) -> u64 {
        let uniform = (splitmix64(SEED, number) >> 11) as f64 / (1_u64 << 53) as f64;
        match *self {
            Work::Constant(time) => nanoseconds(time),
            Work::Bimodal { fast, slow, one_in } => nanoseconds(if number % one_in == one_in / 2 {
                slow
            } else {
                fast
            }),
            Work::Uniform { from, to } => {
                let (from, to) = (nanoseconds(from), nanoseconds(to));
                from + ((to - from) as f64 * uniform) as u64
            }
            Work::Exponential { mean } => (-(-uniform).ln_1p() * mean.as_secs_f64() * 1e9) as u64,
        }
    }
}

/// `1%` is one in a hundred.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 1 and 100,000
fn one_in(percent: &str) -> Option<u64> {
    let percent: f64 = percent.strip_suffix('%')?.parse().ok()?;
    (0.001..=100.0)
        .contains(&percent)
        .then(|| (100.0 / percent).round() as u64)
}

pub(crate) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
