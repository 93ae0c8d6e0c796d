//! Numbers and times with units.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};

/// A number of at least zero, optionally with `k` for thousands or `M` for millions.
pub(crate) fn parse_number(text: &str) -> Option<f64> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit() && c != '.');
    let factor = match &text[digits.len()..] {
        "" => 1.0,
        "k" | "K" => 1e3,
        "M" => 1e6,
        _ => return None,
    };
    let plain = |c: char| c.is_ascii_digit() || c == '.';
    let value: f64 = digits.parse().ok().filter(|_| digits.chars().all(plain))?;
    Some(value * factor)
}

/// A time such as `10s`, `500ms` or `1m`, as an argument.
///
/// # Errors
/// Returns a message with examples if `text` is not a time.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let time = text.parse::<SignedDuration>().ok();
    time.and_then(|time| Duration::try_from(time).ok())
        .ok_or_else(|| format!("`{text}` is not a time such as 10s, 500ms or 1m"))
}

/// The whole nanoseconds of `time`; the largest number if it is longer than that.
pub(crate) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The whole nanoseconds of a time in seconds; the largest number if it is longer than that.
pub(crate) fn from_seconds(seconds: f64) -> u64 {
    Duration::try_from_secs_f64(seconds).map_or(u64::MAX, nanoseconds)
}

/// An instant in UTC, as RFC 3339 writes it.
pub(crate) fn utc(instant: SystemTime) -> String {
    match Timestamp::try_from(instant) {
        Ok(instant) => instant.to_string(),
        Err(error) => error.to_string(),
    }
}
