//! The formats of a result: a writer for each, and what they share.

pub(crate) mod conclusion;
pub(crate) mod csv;
pub(crate) mod hdr;
mod histogram;
pub(crate) mod openmetrics;
pub(crate) mod report;

use serde::Serialize;

use crate::summary::{Distribution, Latencies};

/// The distributions of a summary, by their names in it.
pub(crate) fn distributions(latencies: &Latencies) -> [(&'static str, &Distribution); 5] {
    [
        ("response", &latencies.response),
        ("service", &latencies.service),
        ("connect", &latencies.connect),
        ("first_byte", &latencies.first_byte),
        ("lag", &latencies.lag),
    ]
}

/// A time with three or four digits and its unit.
pub(crate) fn time(us: f64) -> String {
    match us {
        us if us < 1e3 => format!("{us:.1} µs"),
        us if us < 1e6 => format!("{:.2} ms", us / 1e3),
        us => format!("{:.2} s", us / 1e6),
    }
}

/// A value as an indented JSON object.
pub(crate) fn json_object(value: &impl Serialize) -> Result<String, String> {
    encoded(serde_json::to_string_pretty(value))
}

/// A value as a line of JSON.
pub(crate) fn json_line(line: &impl Serialize) -> Result<String, String> {
    encoded(serde_json::to_string(line))
}

fn encoded(json: serde_json::Result<String>) -> Result<String, String> {
    json.map(|json| json + "\n")
        .map_err(|error| format!("cannot encode the result: {error}"))
}
