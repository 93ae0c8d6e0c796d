//! JSON, whole or in lines.

use crate::summary::Line;

/// A value as an indented JSON object.
pub(crate) fn object(value: &impl serde::Serialize) -> Result<String, String> {
    serde_json::to_string_pretty(value)
        .map(|json| json + "\n")
        .map_err(|error| format!("cannot encode the result: {error}"))
}

/// A value as a line of NDJSON.
pub(crate) fn line(line: &Line) -> Result<String, String> {
    serde_json::to_string(line)
        .map(|json| json + "\n")
        .map_err(|error| format!("cannot encode the result: {error}"))
}
