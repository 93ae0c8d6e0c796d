//! Loops that serve many clients each: [`readiness`] asks who can go on, [`completion`] asks for things to be done and
//! is told when they are.

mod completion;
mod deadlines;
mod door;
mod readiness;

use std::io;
use std::time::{Duration, Instant};

pub(crate) use self::completion::run as complete;
pub(crate) use self::readiness::{Interest, Selector, run as select};

/// The time until the earliest of `moments`; `None` if there is none.
fn until_first(moments: [Option<Instant>; 2], now: Instant) -> Option<Duration> {
    let first = moments.into_iter().flatten().min()?;
    Some(first.saturating_duration_since(now))
}

/// Whether a wait came to its end, and has shown all there is. One that a signal ended was only short.
fn unless_interrupted(waited: io::Result<()>) -> io::Result<bool> {
    match waited {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(false),
        waited => waited.map(|()| true),
    }
}
