//! Results as rows of a table (RFC 4180).

use crate::summary::Summary;

/// Results as a header line and a row each.
pub(crate) fn table<'a>(summaries: impl IntoIterator<Item = &'a Summary>) -> String {
    let mut table = String::new();
    for summary in summaries {
        let (header, row): (Vec<String>, Vec<String>) = cells(summary).into_iter().unzip();
        if table.is_empty() {
            table = header.join(",") + "\n";
        }
        table += &(row.join(",") + "\n");
    }
    table
}

/// The cells of a row: column name and value.
fn cells(summary: &Summary) -> Vec<(String, String)> {
    let plan = &summary.plan;
    let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value}"));
    let whole = |value: Option<u64>| value.map_or(String::new(), |value| value.to_string());
    let latency = &summary.latency_us;
    let mut cells: Vec<(String, String)> = vec![
        (
            "model".into(),
            quoted(summary.model.as_deref().unwrap_or("")),
        ),
        ("url".into(), quoted(&summary.url)),
        (
            "loop".into(),
            format!("{:?}", plan.loop_kind).to_lowercase(),
        ),
        ("clients".into(), whole(plan.clients.map(u64::from))),
        ("rate_per_s".into(), number(plan.rate_per_s)),
        (
            "requests_per_connection".into(),
            whole(plan.requests_per_connection),
        ),
        ("seed".into(), plan.seed.to_string()),
        (
            "offered_per_s".into(),
            summary.rates.offered_per_s.to_string(),
        ),
        (
            "completed_per_s".into(),
            summary.rates.completed_per_s.to_string(),
        ),
        ("good_per_s".into(), summary.rates.good_per_s.to_string()),
        ("planned".into(), summary.counts.planned.to_string()),
        ("sent".into(), summary.counts.sent.to_string()),
        ("ok".into(), summary.counts.ok.to_string()),
        ("failed".into(), summary.counts.failed_total().to_string()),
    ];
    for (name, distribution) in [
        ("response", &latency.response),
        ("service", &latency.service),
    ] {
        for row in ["mean", "p50", "p90", "p99", "p99_9", "max"] {
            cells.push((format!("{name}_us_{row}"), number(distribution.figure(row))));
        }
    }
    cells.push((
        "generator_cpu_us_per_request".into(),
        number(summary.generator.cpu_us_per_request),
    ));
    cells.push(("valid".into(), summary.is_valid().to_string()));
    cells
}

/// A cell, quoted if necessary (RFC 4180).
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
