//! Results as rows of a table (RFC 4180).

use serde_json::{Value, json};

use crate::summary::Summary;

/// Results as a header line and a row each.
pub(crate) fn table(summaries: &[Summary]) -> String {
    let mut table = String::new();
    for summary in summaries {
        let (names, values): (Vec<String>, Vec<Value>) = row(summary).into_iter().unzip();
        if table.is_empty() {
            table = names.join(",") + "\n";
        }
        let cells: Vec<String> = values.iter().map(cell).collect();
        table += &(cells.join(",") + "\n");
    }
    table
}

/// The values of a row, by the names of their columns.
fn row(summary: &Summary) -> Vec<(String, Value)> {
    let (plan, rates, counts) = (&summary.plan, &summary.rates, &summary.counts);
    let row = [
        ("model", json!(summary.model)),
        ("url", json!(summary.url)),
        ("loop", json!(plan.loop_kind)),
        ("clients", json!(plan.clients)),
        ("rate_per_s", json!(plan.rate_per_s)),
        (
            "requests_per_connection",
            json!(plan.requests_per_connection),
        ),
        ("seed", json!(plan.seed)),
        ("offered_per_s", json!(rates.offered_per_s)),
        ("completed_per_s", json!(rates.completed_per_s)),
        ("good_per_s", json!(rates.good_per_s)),
        ("planned", json!(counts.planned)),
        ("sent", json!(counts.sent)),
        ("ok", json!(counts.ok)),
        ("failed", json!(counts.failed_total())),
    ];
    let mut row: Vec<_> = row.map(|(name, value)| (name.to_owned(), value)).into();
    let latency = &summary.latency_us;
    for (name, distribution) in [
        ("response", &latency.response),
        ("service", &latency.service),
    ] {
        for figure in ["mean", "p50", "p90", "p99", "p99_9", "max"] {
            let value = json!(distribution.figure(figure));
            row.push((format!("{name}_us_{figure}"), value));
        }
    }
    let cpu_us = json!(summary.generator.cpu_us_per_request);
    row.push(("generator_cpu_us_per_request".to_owned(), cpu_us));
    row.push(("valid".to_owned(), json!(summary.is_valid())));
    row
}

/// A value as a cell, quoted if necessary; nothing for `null`.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if text.contains([',', '"', '\n', '\r']) => {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
        Value::String(text) => text.clone(),
        // Without the `.0` that JSON gives to whole numbers.
        Value::Number(number) if number.is_f64() => number.as_f64().unwrap_or(0.0).to_string(),
        value => value.to_string(),
    }
}
