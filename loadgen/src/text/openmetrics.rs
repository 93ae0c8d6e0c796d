//! Results as OpenMetrics text 1.0, which Prometheus and others read.

use std::fmt::{Display, Write as _};

use super::distributions;
use crate::summary::{Distribution, Latencies, Levels, LoopKind, Search, Summary};

/// Kind of a metric family, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FamilyKind {
    Counter,
    Gauge,
    /// Quantiles, count and sum.
    Summary,
}

/// Metric families, and the text of those that are complete.
#[derive(Default)]
struct Exposition(String);

/// Labels of a sample: names, and values as they are.
type Labels = Vec<(&'static str, String)>;

impl Exposition {
    /// Begins a family; if `name` ends in a unit, that is named, too.
    fn family(&mut self, name: &str, kind: FamilyKind, help: &str) {
        let kind = format!("{kind:?}").to_lowercase();
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "# TYPE {name} {kind}");
        for unit in ["seconds", "ratio"] {
            if name.ends_with(unit) {
                let _ = writeln!(self.0, "# UNIT {name} {unit}");
            }
        }
        let _ = writeln!(self.0, "# HELP {name} {help}");
    }

    fn sample(&mut self, name: &str, labels: &Labels, value: impl Display) {
        let labels: Vec<String> = labels
            .iter()
            .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
            .collect();
        let _ = writeln!(self.0, "{name}{{{}}} {value}", labels.join(","));
    }

    /// The quantiles that the sample supports, in seconds, with the smallest and the largest value as the first and the
    /// last.
    fn distribution(&mut self, name: &str, labels: &Labels, distribution: &Distribution) {
        for (figure, quantile) in [
            ("min", "0.0"),
            ("p50", "0.5"),
            ("p90", "0.9"),
            ("p99", "0.99"),
            ("p99_9", "0.999"),
            ("max", "1.0"),
        ] {
            if let Some(us) = distribution.figure(figure) {
                self.sample(name, &with(labels, "quantile", quantile), us / 1e6);
            }
        }
        #[allow(clippy::cast_precision_loss)] // counts stay far below 2^53
        let sum = distribution.mean.unwrap_or(0.0) / 1e6 * distribution.count as f64;
        self.sample(&format!("{name}_count"), labels, distribution.count);
        self.sample(&format!("{name}_sum"), labels, sum);
    }
}

/// A family of one number for each load that has it: name, kind, help and value.
type NumberFamily = (
    &'static str,
    FamilyKind,
    &'static str,
    fn(&Summary) -> Option<f64>,
);

/// Families of one number for each load: rates, counts, and what the generator cost.
#[allow(clippy::cast_precision_loss)] // counts stay far below 2^53
#[rustfmt::skip]
const NUMBERS: &[NumberFamily] = {
    use FamilyKind::{Counter, Gauge};
    &[
        ("hola_load_good_per_second", Gauge, "Right answers in the window.", |load| Some(load.rates.good_per_s)),
        ("hola_load_completed_per_second", Gauge, "Requests that ended in the window.", |load| Some(load.rates.completed_per_s)),
        ("hola_load_offered_per_second", Gauge, "Requests that were due in the window.", |load| Some(load.rates.offered_per_s)),
        ("hola_load_requests_planned", Counter, "Requests of the plan.", |load| Some(load.counts.planned as f64)),
        ("hola_load_requests_sent", Counter, "Requests that were begun.", |load| Some(load.counts.sent as f64)),
        ("hola_load_requests_ok", Counter, "Requests with the right answer.", |load| Some(load.counts.ok as f64)),
        ("hola_load_requests_in_flight", Gauge, "Requests without an outcome at the end.", |load| Some(load.counts.in_flight_at_end as f64)),
        ("hola_load_connections_closed_between_requests", Counter, "Kept connections that the server closed.", |load| Some(load.counts.closed_between_requests as f64)),
        ("hola_load_generator_cpu_ratio", Gauge, "CPU time of the busiest generator thread.", |load| Some(load.generator.cpu_share)),
        ("hola_load_generator_cpu_per_request_seconds", Gauge, "CPU time of the generator for a request.", |load| load.generator.cpu_us_per_request.map(|us| us / 1e6)),
        ("hola_load_valid", Gauge, "1 if every check of the measurement passed.", |load| Some(f64::from(u8::from(load.is_valid())))),
    ]
};

/// All loads, and the search that they belong to, as one exposition.
pub(crate) fn exposition(levels: &Levels) -> String {
    let loads: Vec<(Labels, &Summary)> = (1..)
        .zip(&levels.levels)
        .map(|(number, load)| (labels(load, number), load))
        .collect();
    let mut text = Exposition::default();
    numbers(&mut text, &loads);
    failures(&mut text, &loads);
    latencies(&mut text, &loads);
    urls(&mut text, &loads);
    checks(&mut text, &loads);
    if let Some(search) = &levels.search {
        highest_rate(&mut text, search, loads.first().map(|(_, load)| *load));
    }
    text.0 + "# EOF\n"
}

fn numbers(text: &mut Exposition, loads: &[(Labels, &Summary)]) {
    for (name, kind, help, value) in NUMBERS {
        text.family(name, *kind, help);
        let suffix = if *kind == FamilyKind::Counter {
            "_total"
        } else {
            ""
        };
        for (labels, load) in loads {
            if let Some(value) = value(load) {
                text.sample(&format!("{name}{suffix}"), labels, value);
            }
        }
    }
}

fn latencies(text: &mut Exposition, loads: &[(Labels, &Summary)]) {
    // In the order of `distributions`.
    let helps = [
        "From the instant a request was due to its last byte.",
        "From the start of a request to its last byte.",
        "From the start of a connection to established.",
        "From the written request to the first byte of the answer.",
        "From the instant a request was due to its start.",
    ];
    let names = distributions(&Latencies::default()).map(|(name, _)| name);
    for (index, (name, help)) in names.into_iter().zip(helps).enumerate() {
        let name = format!("hola_load_{name}_seconds");
        text.family(&name, FamilyKind::Summary, help);
        for (labels, load) in loads {
            let (_, distribution) = distributions(&load.latency_us)[index];
            text.distribution(&name, labels, distribution);
        }
    }
}

fn failures(text: &mut Exposition, loads: &[(Labels, &Summary)]) {
    let name = "hola_load_requests_failed";
    let help = "Failed requests, by cause and phase.";
    text.family(name, FamilyKind::Counter, help);
    for (labels, load) in loads {
        for (cause, phases) in &load.counts.failed {
            for (phase, count) in phases {
                let labels = with(&with(labels, "cause", cause), "phase", phase);
                text.sample(&format!("{name}_total"), &labels, count);
            }
        }
    }
}

fn urls(text: &mut Exposition, loads: &[(Labels, &Summary)]) {
    if loads.iter().all(|(_, load)| load.urls.is_empty()) {
        return;
    }
    let name = "hola_load_url_response_seconds";
    let help = "From the instant a request was due to its last byte, for each URL.";
    text.family(name, FamilyKind::Summary, help);
    for (labels, load) in loads {
        for (number, url) in load.urls.iter().enumerate() {
            // A list may name a URL twice.
            let labels = with(labels, "number", &(number + 1).to_string());
            let labels = with(&labels, "requested", &url.url);
            text.distribution(name, &labels, &url.response_us);
        }
    }
}

fn checks(text: &mut Exposition, loads: &[(Labels, &Summary)]) {
    let name = "hola_load_check_passed";
    let help = "1 if the check of the measurement passed.";
    text.family(name, FamilyKind::Gauge, help);
    for (labels, load) in loads {
        for check in &load.validity {
            let labels = with(labels, "check", check.check.name());
            text.sample(name, &labels, u8::from(check.ok));
        }
    }
}

fn highest_rate(text: &mut Exposition, search: &Search, load: Option<&Summary>) {
    let name = "hola_load_highest_rate_per_second";
    let help = "Highest rate that was measured to meet the objectives.";
    text.family(name, FamilyKind::Gauge, help);
    if let (Some(rate), Some(load)) = (search.highest_rate_per_s, load) {
        let labels = vec![
            ("url", load.url.clone()),
            ("objectives", search.objectives.join(",")),
        ];
        text.sample(name, &labels, rate);
    }
}

/// Labels of a load: two loads of a run have different ones.
fn labels(load: &Summary, number: usize) -> Labels {
    let mut labels = vec![("load", number.to_string()), ("url", load.url.clone())];
    labels.extend(load.model.clone().map(|model| ("model", model)));
    labels.push(match load.plan.loop_kind {
        LoopKind::Closed => ("clients", load.plan.clients.unwrap_or(0).to_string()),
        LoopKind::Open => ("rate", load.plan.rate_per_s.unwrap_or(0.0).to_string()),
    });
    labels
}

fn with(labels: &Labels, name: &'static str, value: &str) -> Labels {
    let mut labels = labels.clone();
    labels.push((name, value.to_owned()));
    labels
}

/// The value of a label, with what would end it escaped.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
