//! Formats of results: JSON and its published schemas, NDJSON, CSV, Markdown, text, and HdrHistogram's files.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use hola_loadgen::Histograms;
use hola_loadgen::ranks::RankRecord;
use hola_loadgen::summary::{Line, Summary, schemas};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::{flawed, greeter, interrupted, load, run, signal};

fn published(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../results/schema")
        .join(name)
}

#[test]
fn published_schemas_are_those_of_the_code() {
    let of_rank = ("load-rank.json", RankRecord::schema());
    for (name, schema) in schemas().into_iter().chain([of_rank]) {
        let derived = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        let path = published(name);
        if std::env::var_os("HOLA_BLESS").is_some() {
            fs::write(&path, derived).unwrap();
            continue;
        }
        let stored = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            stored, derived,
            "{name}: HOLA_BLESS=1 cargo test -p hola-loadgen --test command_line schemas rewrites it"
        );
    }
}

/// The value that `text` encodes, which keeps to the schema called `name`.
pub(crate) fn valid(name: &str, text: &str) -> Value {
    let schema = fs::read_to_string(published(name)).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let errors: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{name}: {errors:?}");
    value
}

#[test]
fn summaries_keep_to_their_schema() {
    let server = flawed(20);
    for pace in ["--clients=3", "--rate=300"] {
        let arguments = format!("{pace} --requests=60 --format=json");
        let ran = run(load(&server, &arguments));
        valid("load.json", &ran.stdout);
        let summary = ran.summary();
        let failed = &summary.counts.failed["closed_early"];
        assert_eq!(failed["before_first_byte"], 3);
        assert_eq!(summary.counts.ok, 57);
        assert_eq!(summary.url, format!("http://{}/", server.address));
        assert_eq!(summary.model, None);
        // Other load on the machine may fail a check; without --strict this is no error.
        assert_eq!((ran.code, &*ran.stderr), (Some(0), ""));
    }
}

#[test]
fn a_schema_notices_what_is_missing_or_of_another_kind() {
    let (_, schema) = &schemas()[0];
    let validator = jsonschema::validator_for(schema.as_value()).unwrap();
    let ran = run(load(&greeter(), "--requests=20 --format=json"));
    let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(validator.is_valid(&summary));
    let mut another = summary.clone();
    another["plan"]["loop"] = "round".into();
    assert!(!validator.is_valid(&another));
    let mut missing = summary;
    missing.as_object_mut().unwrap().remove("counts");
    assert!(!validator.is_valid(&missing));
}

#[test]
fn lines_come_while_it_happens_keep_to_their_schema_and_add_up_to_the_last_one() {
    let server = flawed(20);
    let arguments = "--clients=3 --duration=10m --interval=100ms --format=ndjson";
    let mut child = load(&server, arguments).spawn().unwrap();
    let (mut intervals, mut summary) = (Vec::new(), None);
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let value = valid("load-line.json", &line.unwrap());
        match serde_json::from_value(value).unwrap() {
            Line::Interval(interval) => intervals.push(interval),
            Line::Summary(last) => summary = Some(last),
            Line::Search(_) => panic!("nobody asked for a search"),
        }
        // Only the lines that have arrived decide when to stop.
        if intervals.len() == 2 && summary.is_none() {
            signal(&child, Signal::SIGINT);
        }
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let counts = summary.unwrap().counts;
    let ok: u64 = intervals.iter().map(|interval| interval.ok).sum();
    let sent: u64 = intervals.iter().map(|interval| interval.sent).sum();
    assert_eq!((ok, sent), (counts.ok, counts.sent));
}

#[test]
fn text_and_csv_show_response_and_service_side_by_side() {
    let server = greeter();
    let arguments = "--requests=50 --clients=4 --format";
    let text = run(load(&server, &format!("{arguments}=text"))).stdout;
    let header = text.lines().find(|line| line.contains("service")).unwrap();
    let columns: Vec<&str> = header.split_whitespace().collect();
    let expected = ["response", "service", "connect", "first", "byte", "lag"];
    assert_eq!(columns, expected, "{text}");
    assert!(text.contains('█'), "{text}");
    for line in text.lines().filter(|line| line.contains(['█', '▏'])) {
        assert!(line.chars().count() <= 100, "{line}");
    }
    let csv = run(load(&server, &format!("{arguments}=csv"))).stdout;
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    let [names, values] = &rows[..] else {
        panic!("{csv}");
    };
    assert_eq!(names.len(), values.len(), "{csv}");
    let row: BTreeMap<_, _> = names.iter().copied().zip(values.iter().copied()).collect();
    let loop_of = (row["loop"], row["clients"], row["rate_per_s"]);
    assert_eq!(loop_of, ("closed", "4", ""));
    assert_eq!((row["ok"], row["failed"]), ("50", "0"));
    let p50: f64 = row["response_us_p50"].parse().unwrap();
    assert!(p50 > 0.0, "{csv}");
    assert_eq!(row["service_us_p99_9"], "", "50 samples cannot support it");
}

#[test]
fn a_report_is_a_page_of_tables() {
    let ran = run(load(&flawed(8), "--requests=50 --format=markdown"));
    let (title, report) = ("### Load: http://127.0.0.1:", ran.stdout);
    assert!(report.starts_with(title), "{report}");
    for expected in [
        "\n\n**INVALID: failures set the limit",
        "\n- failed: 6 closed_early, before first byte\n",
        "| response | service |",
        "| p90 |",
    ] {
        assert!(report.contains(expected), "{expected}: {report}");
    }
    for table in report.split("\n\n").filter(|part| part.starts_with('|')) {
        let cells = |line: &str| line.matches('|').count();
        let width = cells(table.lines().next().unwrap());
        assert!(table.lines().all(|line| cells(line) == width), "{table}");
    }
}

/// Reads an interval log: the sum of each tag's histograms, and the bounds of its intervals in milliseconds.
pub(crate) fn read_log(path: &Path) -> BTreeMap<String, (Histogram<u64>, Vec<[u128; 2]>)> {
    let text = fs::read(path).unwrap();
    let mut tags = BTreeMap::new();
    let (mut started, mut based) = (None, None);
    for entry in IntervalLogIterator::new(&text) {
        match entry.unwrap() {
            LogEntry::StartTime(time) => assert_eq!(started.replace(time), None, "one header"),
            LogEntry::BaseTime(time) => based = Some(time),
            LogEntry::Interval(interval) => {
                let histogram = Histograms::decode(interval.encoded_histogram()).unwrap();
                let max_ms = f64::from(u32::try_from(histogram.max() / 1000).unwrap()) / 1000.0;
                assert!((interval.max() - max_ms).abs() < 0.002);
                let tag = interval.tag().unwrap().to_string();
                let empty = || (Histograms::new().response, Vec::new());
                let (sum, bounds) = tags.entry(tag).or_insert_with(empty);
                sum.add(&histogram).unwrap();
                let start = interval.start_timestamp();
                bounds.push([start, start + interval.duration()].map(|at| at.as_millis()));
            }
        }
    }
    let has_start = started.is_some() && started == based;
    assert!(has_start, "plotters look for the start");
    tags
}

/// The log holds exactly the distributions of `summary`.
fn assert_whole(path: &Path, summary: &Summary) {
    let mut tags = read_log(path);
    let mut histograms = Histograms::new();
    let (response, response_bounds) = tags.remove("response").unwrap();
    let (service, service_bounds) = tags.remove("service").unwrap();
    assert!(tags.is_empty() && response_bounds == service_bounds);
    for pair in response_bounds.windows(2) {
        assert_eq!(pair[0][1], pair[1][0], "no gap and no overlap");
    }
    (histograms.response, histograms.service) = (response, service);
    let latencies = histograms.latencies();
    assert_eq!(latencies.response, summary.latency_us.response);
    assert_eq!(latencies.service, summary.latency_us.service);
}

#[test]
fn the_interval_log_and_the_percentiles_hold_exactly_what_was_measured() {
    let server = greeter();
    for is_interrupted in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let [hlog, hgrm] = ["load.hlog", "load.hgrm"].map(|name| folder.path().join(name));
        let files = format!("--hlog={} --hgrm={}", hlog.display(), hgrm.display());
        let arguments = format!("--clients=3 --interval=100ms --format=json {files} --duration");
        let ran = if is_interrupted {
            let command = load(&server, &format!("{arguments}=10m"));
            interrupted(&server, 200, Signal::SIGINT, command).exits_with(130)
        } else {
            run(load(&server, &format!("{arguments}=350ms"))).exits_with(0)
        };
        let summary = ran.summary();
        assert_whole(&hlog, &summary);
        let (_, bounds) = &read_log(&hlog)["response"];
        assert!(is_interrupted || bounds[..3] == [[0, 100], [100, 200], [200, 300]]);
        let percentiles = fs::read_to_string(&hgrm).unwrap();
        let lines = percentiles.lines().skip(2);
        let cells = lines.filter(|line| !line.starts_with('#'));
        let cells = cells.map(str::split_whitespace);
        let rows: Vec<Vec<f64>> = cells
            .map(|cells| cells.map(|cell| cell.parse().unwrap()).collect())
            .collect();
        assert!(rows.iter().all(|row| row.len() == 4), "{percentiles}");
        assert!(rows.is_sorted_by(|a, b| a[0] <= b[0] && a[1] < b[1] && a[2] <= b[2]));
        let response = &summary.latency_us.response;
        let count = f64::from(u32::try_from(response.count).unwrap());
        assert!(rows.iter().all(|row| row[2] >= (row[1] * count).floor()));
        let median = rows.iter().find(|row| (row[1] - 0.5).abs() < 1e-9).unwrap();
        let ratio = median[0] * 1e3 / response.p50.unwrap();
        assert!((ratio - 1.0).abs() < 0.05, "{median:?}");
        let last = rows.last().unwrap();
        assert_eq!(last[1..], [1.0, count, f64::INFINITY]);
        let difference_us = last[0] * 1e3 - response.max.unwrap();
        assert!(difference_us.abs() < 1.0, "{last:?}");
        let total = format!("Total count    = {:12}]", response.count);
        for part in ["SubBuckets     =         2048]", &total] {
            assert!(percentiles.contains(part), "{percentiles}");
        }
    }
}
