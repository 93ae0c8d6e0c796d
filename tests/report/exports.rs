//! The data beside the report: what tools read there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, UNIX_EPOCH};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use hola::analysis::distribution::Distribution;
use hola::lab::record::{Arm, Outcome, Run, Trial};
use hola::report::exports::{self, Export};
use hola_loadgen::Histograms;
use jiff::Timestamp;
use serde_json::Value;

use crate::documents::matches_file;
use crate::eventful::eventful;
use crate::fixture::{CONTROL, FOUR, Scene, analysed, level_name, load, measured, server, truth};
use crate::noise::histogram_of;

/// A run of few trials whose histograms fit on a line.
pub(crate) fn small() -> (Run, Vec<Trial>) {
    let (run, mut trials) = Scene {
        levels: vec![1],
        rounds: 2,
        ..Scene::default()
    }
    .play();
    for trial in &mut trials {
        let place = u64::from(trial.position) + 1;
        measured(trial).response_histogram =
            Some(histogram_of(&[40_000 * place, 90_000 * place, 2_500_000]));
    }
    (run, trials)
}

fn by_path(exports: Vec<Export>) -> BTreeMap<String, String> {
    let count = exports.len();
    let by_path: BTreeMap<String, String> = exports
        .into_iter()
        .map(|export| (export.path, export.text))
        .collect();
    assert_eq!(by_path.len(), count, "no path twice");
    by_path
}

#[test]
fn the_exports_of_an_eventful_run_read_as_committed() {
    let (run, trials) = eventful();
    let exports = by_path(exports::of_run(&run, &trials));
    for (path, fixture) in [
        ("csv/churn.csv", "cells.csv"),
        ("exports/hyperfine.json", "hyperfine.json"),
        (
            "exports/github-action-benchmark.json",
            "github-action-benchmark.json",
        ),
    ] {
        matches_file(&exports[path], fixture);
    }
    let (run, trials) = small();
    let exports = by_path(exports::of_run(&run, &trials));
    matches_file(&exports["hlog/churn/1-client--tokio.hlog"], "cell.hlog");
}

#[test]
fn exports_are_the_same_whatever_the_order_of_the_lines() {
    let (run, mut trials) = eventful();
    let first = by_path(exports::of_run(&run, &trials));
    trials.reverse();
    assert!(first == by_path(exports::of_run(&run, &trials)));
}

/// An interval log read back: its start, and of each interval the start, the length in seconds and the histogram.
struct Log<'t> {
    started_at: Duration,
    intervals: Vec<(Duration, f64, &'t str)>,
}

impl<'t> Log<'t> {
    fn read(text: &'t str) -> Self {
        let mut headers = Vec::new();
        let mut intervals = Vec::new();
        for entry in IntervalLogIterator::new(text.as_bytes()) {
            match entry.expect("a line of an interval log") {
                LogEntry::StartTime(time) | LogEntry::BaseTime(time) => headers.push(time),
                LogEntry::Interval(interval) => {
                    let encoded = interval.encoded_histogram();
                    let max_ms = decode(encoded).max() as f64 / 1e6;
                    assert!((interval.max() - max_ms).abs() < 0.001, "{text}");
                    let length_s = interval.duration().as_secs_f64();
                    intervals.push((interval.start_timestamp(), length_s, encoded));
                }
            }
        }
        let [started_at, base] = headers.as_slice() else {
            panic!("{headers:?}")
        };
        assert_eq!(started_at, base, "readers disagree where only one is there");
        Self {
            started_at: *started_at,
            intervals,
        }
    }

    /// Samples of all intervals.
    fn count(&self) -> u64 {
        let counts = self.intervals.iter().map(|(.., text)| decode(text).len());
        counts.sum()
    }
}

fn decode(encoded: &str) -> Histogram<u64> {
    Histograms::decode(encoded).expect("a histogram")
}

#[test]
fn interval_logs_hold_what_the_valid_trials_recorded() {
    let (run, trials) = eventful();
    let analysis = analysed(&run, &trials);
    let mut exports = by_path(exports::of_run(&run, &trials));
    let mut logs = 0;
    for cell in analysis.cells.iter().filter(|cell| cell.arm == Arm::Model) {
        let path = format!(
            "hlog/churn/{}--{}.hlog",
            cell.level.replace(' ', "-"),
            cell.model
        );
        let Some(distribution) = Distribution::of(cell) else {
            assert!(!exports.contains_key(&path), "{path}");
            continue;
        };
        let text = exports.remove(&path).expect("a log");
        let log = Log::read(&text);
        assert_eq!(log.count(), distribution.count(), "{path}");
        let readable: Vec<(Timestamp, &str)> = cell
            .valid
            .iter()
            .filter_map(|taken| {
                let encoded = taken.measured.response_histogram.as_deref()?;
                Histograms::decode(encoded)?;
                Some((taken.started_at.parse().expect("an instant"), encoded))
            })
            .collect();
        assert_eq!(log.intervals.len(), readable.len(), "{path}");
        for ((start, length_s, encoded), (began, recorded)) in log.intervals.iter().zip(readable) {
            let instant = Timestamp::try_from(UNIX_EPOCH + log.started_at + *start);
            assert_eq!(instant.expect("an instant"), began);
            assert_eq!((*length_s, *encoded), (2.0, recorded));
        }
        assert_eq!(log.intervals[0].0, Duration::ZERO);
        logs += 1;
    }
    assert!(logs > 5);
    assert!(!exports.keys().any(|path| path.starts_with("hlog/")));
}

#[test]
fn a_clock_that_is_set_back_makes_no_stamp_negative() {
    let (run, mut trials) = small();
    let last = trials.iter_mut().rfind(|trial| trial.model == "tokio");
    last.expect("a trial").started_at = "2026-11-21T09:00:00.25Z".to_owned();
    let exports = by_path(exports::of_run(&run, &trials));
    let log = Log::read(&exports["hlog/churn/1-client--tokio.hlog"]);
    let starts: Vec<Duration> = log.intervals.iter().map(|(start, ..)| *start).collect();
    assert_eq!(starts[0], Duration::ZERO);
    assert!(starts[1] > Duration::from_secs(3_600), "{starts:?}");
}

/// Words of the last column of a table of cells.
fn verdicts(table: &str) -> BTreeSet<String> {
    let rows = table.lines().skip(1);
    rows.map(|row| row.rsplit(',').next().expect("a column").to_owned())
        .collect()
}

/// Words that the README quotes in its row of that name.
fn documented(row: &str) -> BTreeSet<String> {
    let readme = include_str!("../../results/README.md");
    let start = format!("| `{row}`");
    let line = readme.lines().find(|line| line.starts_with(&start));
    let words = line.unwrap_or_else(|| panic!("no {start}")).split('`');
    // Every second piece is between two quotes; the first of them is the row's name.
    words
        .skip(1)
        .step_by(2)
        .skip(1)
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_verdict_is_a_documented_word_and_every_word_occurs() {
    let scenes = [
        Scene::default(),
        Scene {
            rounds: 1,
            ..Scene::default()
        },
        Scene {
            models: vec![
                truth("twin", "Twin", 39.0, 0.1, 1, 1, 1_900),
                truth("cheap", "Cheap", 20.0, 0.1, 1, 1, 1_900),
                FOUR[0].clone(),
            ],
            again: None,
            drift: 0.0,
            noise: 0.05,
            ..Scene::default()
        },
    ];
    let mut found = BTreeSet::new();
    for (run, trials) in scenes.iter().map(Scene::play).chain([eventful()]) {
        found.extend(verdicts(&exports::cells(&run, &trials)));
    }
    let (mut run, mut trials) = Scene::default().play();
    trials.retain(|trial| trial.model != CONTROL);
    found.extend(verdicts(&exports::cells(&run, &trials)));
    // A control that answers nothing has a figure to which there is no ratio; some have no percentile.
    run.experiments[0].figures = ["good_per_s", "response_p99_us"].map(str::to_owned).into();
    run.experiments[0].tolerates = vec!["nothing_answered".to_owned()];
    let (_, mut trials) = Scene::default().play();
    for trial in &mut trials {
        match trial.model.as_str() {
            CONTROL => load(trial).rates.good_per_s = 0.0,
            "tokio" => load(trial).latency_us.response.p99 = None,
            _ => {}
        }
    }
    found.extend(verdicts(&exports::cells(&run, &trials)));
    assert_eq!(found, documented("verdict"));
}

#[test]
fn every_column_is_documented() {
    let (run, trials) = small();
    let table = exports::cells(&run, &trials);
    let header = table.lines().next().expect("a header");
    let readme = include_str!("../../results/README.md");
    for column in header.split(',') {
        assert!(readme.contains(&format!("`{column}`")), "{column}");
    }
}

#[test]
fn a_table_of_cells_has_a_row_per_level_model_and_figure() {
    let (run, trials) = Scene::default().play();
    let table = exports::cells(&run, &trials);
    let columns = table.lines().next().expect("a header").split(',').count();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .skip(1)
        .map(|row| row.split(',').collect())
        .collect();
    assert_eq!(rows.len(), 3 * FOUR.len() * 2);
    assert!(rows.iter().all(|row| row.len() == columns));
    let analysis = analysed(&run, &trials);
    for comparison in &analysis.comparisons {
        let figure = comparison.metric.name();
        let is_its = |row: &&Vec<&str>| {
            row[2..4] == [comparison.level, comparison.model] && row[5] == figure
        };
        let row = rows.iter().find(is_its).expect("a row");
        assert_eq!(row[13].parse(), Ok(comparison.ratio.value));
        assert_eq!(row[19].parse(), Ok(comparison.p_holm));
    }
}

#[test]
fn hyperfine_is_told_seconds_and_what_is_not_known_is_null() {
    let (run, mut trials) = small();
    for trial in trials.iter_mut().filter(|trial| trial.model == "tokio") {
        // As of a reference target.
        server(trial).conversations = None;
    }
    let export: Value = serde_json::from_str(&exports::hyperfine(&run, &trials)).expect("JSON");
    let results = export["results"].as_array().expect("results");
    let commands: Vec<&str> = results
        .iter()
        .map(|result| result["command"].as_str().expect("text"))
        .collect();
    assert_eq!(
        commands,
        FOUR.map(|model| format!("churn/1 client/{}", model.name))
    );
    for result in results {
        let of = |name: &str| result[name].as_f64().expect("a number");
        let times = result["times"].as_array().expect("times");
        assert_eq!(times.len(), 2);
        assert!(of("min") <= of("median") && of("median") <= of("max"));
        assert!((of("user") + of("system") - of("mean")).abs() < 1e-15);
        // Some forty microseconds, for the cheapest.
        assert!((1e-5..1e-3).contains(&of("mean")), "{result}");
        let codes = match result["parameters"]["model"].as_str() {
            Some("tokio") => serde_json::json!([null, null]),
            _ => serde_json::json!([0, 0]),
        };
        assert_eq!(result["exit_codes"], codes);
    }
}

#[test]
fn tools_for_costs_get_no_file_where_no_cost_is_compared() {
    let (mut run, trials) = small();
    run.experiments[0].figures = vec!["good_per_s".to_owned()];
    let paths = by_path(exports::of_run(&run, &trials)).into_keys();
    assert_eq!(paths.filter(|path| path.starts_with("exports/")).count(), 0);
    assert_eq!(exports::github_action(&run, &trials), "[]\n");
}

#[test]
fn hostile_names_stay_in_their_folder_and_break_no_log() {
    let (mut run, mut trials) = small();
    let (experiment, level) = ("../../Out\n#[BaseTime: 1.0 ]", "1 client\n0.0,1.0,1.0,AAAA");
    run.experiments[0].experiment = experiment.to_owned();
    run.experiments[0].levels[0].name = level.to_owned();
    for trial in &mut trials {
        experiment.clone_into(&mut trial.experiment);
        level.clone_into(&mut trial.level);
    }
    run.experiments.push(run.experiments[0].clone());
    let exports = by_path(exports::of_run(&run, &trials));
    assert_eq!(exports.len(), 2 * (1 + FOUR.len()) + 2);
    for (path, text) in &exports {
        assert!(exports::is_export(path), "{path}");
        if path.starts_with("hlog/") {
            assert_eq!(Log::read(text).intervals.len(), 2);
        }
    }
}

#[test]
fn a_trial_that_could_not_be_made_is_in_no_export() {
    let (run, mut trials) = small();
    for trial in trials.iter_mut().filter(|trial| trial.model == "tokio") {
        trial.outcome = Outcome::Failed("no server".to_owned());
    }
    let exports = by_path(exports::of_run(&run, &trials));
    assert!(!exports.contains_key("hlog/churn/1-client--tokio.hlog"));
    assert!(!exports["exports/hyperfine.json"].contains("tokio"));
    let level = level_name(1);
    let row = format!("churn,{level},tokio,{CONTROL},good_per_s,false,0,0,,,,");
    assert!(exports["csv/churn.csv"].contains(&row), "{exports:?}");
}
