//! The result for a person, and as one row of a table.

use std::fmt::Write;

use crate::calibrate;
use crate::measurement::Measurement;
use crate::summary::{Distribution, LoopKind, Plan, Summary};

/// The result as a page of text.
pub(crate) fn page(measurement: &Measurement) -> String {
    let summary = &measurement.summary;
    let mut page = String::new();
    // Writing to a string cannot fail, and a lost line would show in the tests of this text.
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
    write_latencies(page, summary)?;
    writeln!(page)?;
    for check in &summary.validity {
        let mark = if check.ok { "ok  " } else { "FAIL" };
        writeln!(page, "  {mark} {:<15} {}", check.check, check.detail)?;
    }
    writeln!(page)?;
    writeln!(page, "{}", calibrate::reference(summary))?;
    writeln!(page, "{}", conclusion(summary))
}

fn write_latencies(page: &mut String, summary: &Summary) -> std::fmt::Result {
    let latency = &summary.latency_us;
    let columns = [
        ("response", &latency.response),
        ("service", &latency.service),
        ("connect", &latency.connect),
        ("first byte", &latency.first_byte),
        ("lag", &latency.lag),
    ];
    writeln!(page)?;
    write!(page, "  {:<6}", "")?;
    for (name, _) in columns {
        write!(page, "{name:>12}")?;
    }
    writeln!(page)?;
    for row in ["mean", "min", "p50", "p90", "p99", "p99_9", "max"] {
        write!(page, "  {:<6}", row.replace('_', "."))?;
        for (_, distribution) in columns {
            let at_least = distribution.censored.iter().any(|name| name == row);
            write!(page, "{:>12}", time(figure(distribution, row), at_least))?;
        }
        writeln!(page)?;
    }
    if !latency.response.censored.is_empty() {
        writeln!(
            page,
            "  ≥: failed requests count as lasting at least until they failed"
        )?;
    }
    Ok(())
}

fn figure(distribution: &Distribution, row: &str) -> Option<f64> {
    match row {
        "mean" => distribution.mean,
        "min" => distribution.min,
        "p50" => distribution.p50,
        "p90" => distribution.p90,
        "p99" => distribution.p99,
        "p99_9" => distribution.p99_9,
        _ => distribution.max,
    }
}

/// A time with three or four digits and its unit; a dash where the sample cannot support one.
fn time(us: Option<f64>, at_least: bool) -> String {
    let Some(us) = us else {
        return "–".to_owned();
    };
    let sign = if at_least { "≥ " } else { "" };
    match us {
        us if us < 1e3 => format!("{sign}{us:.1} µs"),
        us if us < 1e6 => format!("{sign}{:.2} ms", us / 1e3),
        us => format!("{sign}{:.2} s", us / 1e6),
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
            format!(
                "open loop, {} {shape}arrivals/s",
                plan.rate_per_s.unwrap_or(0.0)
            )
        }
    };
    format!(
        "{pace}, {reuse}, {window_s:.2} s after {} s of warm-up, seed {}",
        plan.warmup_s, plan.seed
    )
}

/// One plain sentence on what limits the result.
fn conclusion(summary: &Summary) -> String {
    let failed: Vec<&str> = summary
        .validity
        .iter()
        .filter(|check| !check.ok)
        .map(|check| check.check.as_str())
        .collect();
    if failed.contains(&"generator") {
        return "INVALID: the generator set the limit, not the server. This figure must not be ranked.".to_owned();
    }
    if !failed.is_empty() {
        return format!(
            "INVALID: {} did not hold. This figure must not be ranked.",
            failed.join(", ")
        );
    }
    match summary.plan.loop_kind {
        LoopKind::Closed => "Every check held: the clients waited for the server, so this is its pace with that many \
                             clients. A closed loop hides stalls; use --rate to see them."
            .to_owned(),
        LoopKind::Open => "Every check held: requests were sent as planned, so these are the response times a client \
                           would see at this rate."
            .to_owned(),
    }
}

/// The result as a header line and one row.
pub(crate) fn csv(summary: &Summary) -> String {
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
            cells.push((
                format!("{name}_us_{row}"),
                number(figure(distribution, row)),
            ));
        }
    }
    cells.push((
        "generator_cpu_us_per_request".into(),
        number(summary.generator.cpu_us_per_request),
    ));
    cells.push(("valid".into(), summary.is_valid().to_string()));
    let (header, row): (Vec<String>, Vec<String>) = cells.into_iter().unzip();
    format!("{}\n{}\n", header.join(","), row.join(","))
}

/// A cell that survives commas and quotes (RFC 4180).
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
