//! Results for a person: a page for a terminal, or a small report for a pull request.

use std::array;

use super::{conclusion, distributions, histogram, time};
use crate::measurement::Measurement;
use crate::summary::{CheckName, Distribution, Levels, LoopKind, Plan, Summary};

/// Figures of a distribution, by their names in the summary.
const FIGURES: [&str; 7] = ["mean", "min", "p50", "p90", "p99", "p99_9", "max"];

/// How a report is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Aligned columns; the conclusion comes last, above the next prompt.
    Text,
    /// Markdown; the conclusion comes first.
    Markdown,
}

impl Layout {
    /// A report of `blocks`, without the empty ones.
    fn page(self, title: String, conclusion: &str, blocks: impl Into<Vec<String>>) -> String {
        let mut parts = blocks.into();
        match self {
            Self::Text => {
                parts.insert(0, title);
                parts.push(conclusion.to_owned());
            }
            Self::Markdown => {
                if !conclusion.is_empty() {
                    parts.insert(0, format!("**{conclusion}**"));
                }
                parts.insert(0, format!("### Load: {title}"));
            }
        }
        parts.retain(|part| !part.is_empty());
        parts.join("\n\n") + "\n"
    }

    fn list(self, items: impl IntoIterator<Item = String>) -> String {
        let mark = match self {
            Self::Text => "  ",
            Self::Markdown => "- ",
        };
        let items = items.into_iter().map(|item| format!("{mark}{item}"));
        items.collect::<Vec<_>>().join("\n")
    }

    /// A table in which the first `left` columns are aligned to the left.
    fn table<const N: usize>(
        self,
        left: usize,
        header: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) -> String {
        let mut rows: Vec<[String; N]> = rows.into_iter().collect();
        rows.insert(0, header.map(str::to_owned));
        let lines: Vec<String> = match self {
            Self::Text => {
                let widths: [usize; N] = array::from_fn(|column| {
                    let widths = rows.iter().map(|row| row[column].chars().count());
                    widths.max().unwrap_or(0)
                });
                let line = |row: &[String; N]| {
                    let cells = array::from_fn::<_, N, _>(|column| {
                        let (cell, width) = (&row[column], widths[column]);
                        match column < left {
                            true => format!("  {cell:<width$}"),
                            false => format!("  {cell:>width$}"),
                        }
                    });
                    cells.concat().trim_end().to_owned()
                };
                rows.iter().map(line).collect()
            }
            Self::Markdown => {
                let line = |row: &[String; N]| {
                    let cells = row.each_ref().map(|cell| cell.replace('|', "\\|"));
                    format!("| {} |", cells.join(" | "))
                };
                let rule = array::from_fn(|column| match column < left {
                    true => "---".to_owned(),
                    false => "---:".to_owned(),
                });
                rows.insert(1, rule);
                rows.iter().map(line).collect()
            }
        };
        lines.join("\n")
    }
}

/// One load as a report.
pub(crate) fn one_load(measurement: &Measurement, layout: Layout) -> String {
    let summary = &measurement.summary;
    let (rates, counts) = (&summary.rates, &summary.counts);
    let interrupted = match measurement.interrupted {
        true => "interrupted: what follows is what was measured until then",
        false => "",
    };
    let rates = [rates.good_per_s, rates.completed_per_s, rates.offered_per_s];
    let rates = layout.table(
        0,
        ["good/s", "completed/s", "offered/s"],
        [rates.map(|rate| format!("{rate:.1}"))],
    );
    let requests = [
        ("planned", counts.planned),
        ("sent", counts.sent),
        ("ok", counts.ok),
        ("failed", counts.failed_total()),
        ("in flight at the end", counts.in_flight_at_end),
        ("not sent", counts.not_sent),
    ];
    let requests = layout.table(
        0,
        requests.map(|(name, _)| name),
        [requests.map(|(_, count)| count.to_string())],
    );
    let failures = counts.failed.iter().flat_map(|(cause, phases)| {
        let failure = move |(phase, count): (&String, &u64)| {
            format!("failed: {count} {cause}, {}", words(phase))
        };
        phases.iter().map(failure)
    });
    let drawing = match layout {
        Layout::Text if summary.latency_us.response.count > 0 => layout.table(
            5,
            ["from", "response", "", "service", ""],
            histogram::bins(&measurement.histograms),
        ),
        _ => String::new(),
    };
    let checks = summary.validity.iter().map(|check| {
        let mark = if check.ok { "ok" } else { "FAIL" };
        [
            mark.to_owned(),
            check.check.to_string(),
            check.detail.clone(),
        ]
    });
    let urls = summary.urls.iter().map(|url| {
        let response = &url.response_us;
        [
            url.url.clone(),
            url.weight.to_string(),
            url.ok.to_string(),
            url.failed.to_string(),
            figure(response, "p50"),
            figure(response, "p99"),
        ]
    });
    let urls = match summary.urls.is_empty() {
        true => String::new(),
        false => layout.table(1, ["URL", "weight", "ok", "failed", "p50", "p99"], urls),
    };
    let blocks = [
        plan(&summary.plan, measurement.window.as_secs_f64()),
        interrupted.to_owned(),
        rates,
        requests,
        layout.list(failures.chain(conclusion::notes(summary))),
        latencies(summary, layout),
        urls,
        drawing,
        layout.table(3, ["", "check", "figures"], checks),
    ];
    layout.page(title(summary), &conclusion::sentence(summary), blocks)
}

/// Several loads, and the search they belong to, as a report with one table.
pub(crate) fn several_loads(levels: &Levels, layout: Layout) -> String {
    let header = [
        "level", "good/s", "p50", "p90", "p99", "p99.9", "failed", "checks",
    ];
    let table = layout.table(1, header, levels.levels.iter().map(row));
    let remarks = match &levels.search {
        Some(search) => {
            let unmet = search.steps.iter().filter(|step| !step.met);
            layout.list(
                unmet.map(|step| format!("{}/s: {}", step.rate_per_s, step.reasons.join("; "))),
            )
        }
        None => layout.list(levels.levels.iter().flat_map(remarks)),
    };
    let conclusion = levels.search.as_ref().map(|search| &*search.conclusion);
    let title = levels.levels.first().map_or(String::new(), title);
    layout.page(title, conclusion.unwrap_or_default(), [table, remarks])
}

/// One load in a line, shown when it ends.
pub(crate) fn line(summary: &Summary) -> String {
    let [level, good, p50, _, p99, _, failed, checks] = row(summary);
    format!("{level}: {good} good/s, p50 {p50}, p99 {p99}, {failed} failed, checks {checks}")
}

/// The quantity that the loads vary, as text.
pub(crate) fn level(summary: &Summary) -> String {
    match summary.plan.loop_kind {
        LoopKind::Closed => format!("{} clients", summary.plan.clients.unwrap_or(0)),
        LoopKind::Open => format!("{}/s", summary.plan.rate_per_s.unwrap_or(0.0)),
    }
}

fn row(summary: &Summary) -> [String; 8] {
    let response = &summary.latency_us.response;
    let failed = summary.validity.iter().filter(|check| !check.ok);
    let failed: Vec<CheckName> = failed.map(|check| check.check).collect();
    [
        level(summary),
        format!("{:.1}", summary.rates.good_per_s),
        figure(response, "p50"),
        figure(response, "p90"),
        figure(response, "p99"),
        figure(response, "p99_9"),
        summary.counts.failed_total().to_string(),
        match failed[..] {
            _ if summary.counts.ended() == 0 => "nothing measured".to_owned(),
            [] => "ok".to_owned(),
            _ => CheckName::join(&failed, " "),
        },
    ]
}

/// Why the figures of a load must not be ranked, and advice on its failures.
fn remarks(summary: &Summary) -> Vec<String> {
    let doubt = (!summary.is_valid()).then(|| conclusion::sentence(summary));
    let remarks = doubt.into_iter().chain(conclusion::notes(summary));
    remarks
        .map(|remark| format!("{}: {remark}", level(summary)))
        .collect()
}

/// Model and address, as far as they are known.
fn title(summary: &Summary) -> String {
    match (&summary.model, &summary.plan.unix_socket) {
        (Some(model), _) => format!("{model} at {}", summary.url),
        (None, Some(file)) => format!("{} on {file}", summary.url),
        (None, None) => summary.url.clone(),
    }
}

fn plan(plan: &Plan, window_s: f64) -> String {
    let method = match &plan.http {
        Some(http) if http.method != "GET" => format!("{}, ", http.method),
        _ => String::new(),
    };
    let urls = plan.http.as_ref().and_then(|http| http.urls);
    let urls = urls.map_or(String::new(), |count| format!("{count} URLs, "));
    let reuse = match plan.requests_per_connection {
        None => "connections kept".to_owned(),
        Some(1) => "a connection per request".to_owned(),
        Some(count) => format!("{count} requests per connection"),
    };
    let pace = match plan.loop_kind {
        LoopKind::Closed => format!("closed loop, {} clients", plan.clients.unwrap_or(0)),
        LoopKind::Open => {
            let shape = plan.arrivals.map_or(String::new(), |arrivals| {
                format!("{arrivals:?} ").to_lowercase()
            });
            let connections = plan
                .connections
                .map_or(String::new(), |count| format!(" on {count} connections"));
            let rate = plan.rate_per_s.unwrap_or(0.0);
            format!("open loop, {rate} {shape}arrivals/s{connections}")
        }
    };
    format!(
        "{method}{urls}{pace}, {reuse}, {window_s:.2} s after {} s of warm-up, seed {}",
        plan.warmup_s, plan.seed
    )
}

fn latencies(summary: &Summary, layout: Layout) -> String {
    let columns = distributions(&summary.latency_us);
    let [a, b, c, d, e] = columns.map(|(name, _)| words(name));
    let rows = FIGURES.map(|name| {
        let [a, b, c, d, e] = columns.map(|(_, distribution)| figure(distribution, name));
        [name.replace('_', "."), a, b, c, d, e]
    });
    let table = layout.table(1, ["", &a, &b, &c, &d, &e], rows);
    match summary.counts.failed.is_empty() {
        true => table,
        false => {
            let meaning =
                "failed requests count as lasting until they failed; ≥ marks what that decides";
            format!("{table}\n\n{}", layout.list([meaning.to_owned()]))
        }
    }
}

/// A name of the summary in words.
fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// A figure of a distribution with its unit; a dash if the sample cannot support it.
fn figure(distribution: &Distribution, name: &str) -> String {
    let sign = match distribution.is_censored(name) {
        true => "≥ ",
        false => "",
    };
    let value = distribution.figure(name);
    value.map_or("–".to_owned(), |us| format!("{sign}{}", time(us)))
}
