//! The formats of the result other than JSON.

mod advice;
pub(crate) mod conclusion;
pub(crate) mod csv;
mod histogram;
pub(crate) mod json;
pub(crate) mod levels;
pub(crate) mod markdown;

use std::fmt::Write;

use crate::measurement::Measurement;
use crate::summary::{Distribution, Latencies, LoopKind, Plan, Summary};

/// Figures of a distribution, by their names in the summary.
const ROWS: [&str; 7] = ["mean", "min", "p50", "p90", "p99", "p99_9", "max"];

/// The result as a page of text.
pub(crate) fn page(measurement: &Measurement) -> String {
    let summary = &measurement.summary;
    let mut page = String::new();
    // Writing to a string cannot fail, and a missing line would fail the tests of this text.
    let _ = write_page(&mut page, summary, measurement);
    page
}

fn write_page(page: &mut String, summary: &Summary, measurement: &Measurement) -> std::fmt::Result {
    let counts = &summary.counts;
    let model = summary
        .model
        .as_ref()
        .map_or(String::new(), |model| format!("{model} at "));
    writeln!(page, "{model}{}", summary.url)?;
    writeln!(
        page,
        "{}",
        plan(&summary.plan, measurement.window.as_secs_f64())
    )?;
    if measurement.interrupted {
        writeln!(
            page,
            "interrupted: what follows is what was measured until then"
        )?;
    }
    let rates = &summary.rates;
    writeln!(page)?;
    writeln!(page, "  good       {:>12.1} requests/s", rates.good_per_s)?;
    writeln!(
        page,
        "  completed  {:>12.1} requests/s",
        rates.completed_per_s
    )?;
    writeln!(
        page,
        "  offered    {:>12.1} requests/s",
        rates.offered_per_s
    )?;
    writeln!(page)?;
    writeln!(
        page,
        "  {} planned, {} sent, {} ok, {} failed, {} in flight at the end, {} not sent",
        counts.planned,
        counts.sent,
        counts.ok,
        counts.failed_total(),
        counts.in_flight_at_end,
        counts.not_sent
    )?;
    for (cause, phases) in &counts.failed {
        for (phase, count) in phases {
            writeln!(
                page,
                "  failed: {count} {cause}, {}",
                phase.replace('_', " ")
            )?;
        }
    }
    for note in advice::notes(summary) {
        writeln!(page, "  {note}")?;
    }
    write_latencies(page, summary)?;
    page.push_str(&histogram::drawing(&measurement.histograms));
    writeln!(page)?;
    for check in &summary.validity {
        let mark = if check.ok { "ok  " } else { "FAIL" };
        writeln!(page, "  {mark} {:<15} {}", check.check, check.detail)?;
    }
    writeln!(page)?;
    writeln!(page, "{}", conclusion::sentence(summary))
}

fn write_latencies(page: &mut String, summary: &Summary) -> std::fmt::Result {
    let columns = columns(&summary.latency_us);
    writeln!(page)?;
    write!(page, "  {:<6}", "")?;
    for (name, _) in columns {
        write!(page, "{name:>12}")?;
    }
    writeln!(page)?;
    for row in ROWS {
        write!(page, "  {:<6}", row.replace('_', "."))?;
        for (_, distribution) in columns {
            write!(page, "{:>12}", figure(distribution, row))?;
        }
        writeln!(page)?;
    }
    if !summary.latency_us.response.censored.is_empty() {
        writeln!(
            page,
            "  ≥: failed requests count as lasting at least until they failed"
        )?;
    }
    Ok(())
}

/// The distributions of a summary with their names.
fn columns(latency: &Latencies) -> [(&'static str, &Distribution); 5] {
    [
        ("response", &latency.response),
        ("service", &latency.service),
        ("connect", &latency.connect),
        ("first byte", &latency.first_byte),
        ("lag", &latency.lag),
    ]
}

/// A figure of a distribution with its unit; a dash if the sample cannot support it.
fn figure(distribution: &Distribution, row: &str) -> String {
    let sign = if distribution.is_censored(row) {
        "≥ "
    } else {
        ""
    };
    distribution
        .figure(row)
        .map_or("–".to_owned(), |us| format!("{sign}{}", time(us)))
}

/// A time with three or four digits and its unit.
pub(crate) fn time(us: f64) -> String {
    match us {
        us if us < 1e3 => format!("{us:.1} µs"),
        us if us < 1e6 => format!("{:.2} ms", us / 1e3),
        us => format!("{:.2} s", us / 1e6),
    }
}

fn plan(plan: &Plan, window_s: f64) -> String {
    let reuse = match plan.requests_per_connection {
        None => "connections kept".to_owned(),
        Some(1) => "a connection per request".to_owned(),
        Some(count) => format!("{count} requests per connection"),
    };
    let pace = match (plan.loop_kind, plan.arrivals) {
        (LoopKind::Closed, _) => format!("closed loop, {} clients", plan.clients.unwrap_or(0)),
        (LoopKind::Open, arrivals) => {
            let shape = arrivals.map_or(String::new(), |arrivals| {
                format!("{arrivals:?} ").to_lowercase()
            });
            let connections = plan
                .connections
                .map_or(String::new(), |count| format!(" on {count} connections"));
            format!(
                "open loop, {} {shape}arrivals/s{connections}",
                plan.rate_per_s.unwrap_or(0.0)
            )
        }
    };
    format!(
        "{pace}, {reuse}, {window_s:.2} s after {} s of warm-up, seed {}",
        plan.warmup_s, plan.seed
    )
}
