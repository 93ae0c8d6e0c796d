//! The documents built from records: what they say, and that nothing in the records can break them.

use hola::analysis::comparison::Verdict;
use hola::analysis::metric::Metric;
use hola::lab::record::{Arm, Outcome, Run, Status, Trial};
use hola::language::Language;
use hola::report::{Reports, exports};

use crate::eventful::eventful;
use crate::fixture::{CONTROL, Scene, analysed, level_name, load, measured, server, truth};

/// Compares with a file under `tests/fixtures`; `HOLA_BLESS=1` writes it instead.
pub(crate) fn matches_file(found: &str, name: &str) {
    let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("HOLA_BLESS").is_some() {
        std::fs::write(&path, found).expect("the fixture can be written");
    }
    let expected = std::fs::read_to_string(&path).expect("the fixture can be read");
    for (line, (found, expected)) in (1..).zip(found.lines().zip(expected.lines())) {
        assert_eq!(found, expected, "{name}:{line}");
    }
    assert_eq!(found.len(), expected.len(), "{name}");
}

/// Leaves a page under `target/tmp`, for a person to look at.
fn leave(page: &str, name: &str) {
    let path = format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(path, page).expect("the target directory can be written");
}

/// The one element that begins with `start`, to its `end`.
fn part<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let from = text.find(start).unwrap_or_else(|| panic!("no {start}"));
    let length = text[from..].find(end).unwrap_or_else(|| panic!("no {end}"));
    &text[from..from + length]
}

#[test]
fn an_eventful_run_reads_as_committed() {
    let (run, trials) = eventful();
    matches_file(
        &Reports::of(&run, &trials).markdown(Language::English),
        "report.md",
    );
    matches_file(&Reports::of(&run, &trials).csv(), "trials.csv");
}

#[test]
fn the_readme_table_reads_as_committed() {
    let (run, trials) = Scene::default().play();
    matches_file(
        &Reports::of(&run, &trials).readme_table(Language::English),
        "readme.md",
    );
}

#[test]
fn rebuilding_gives_the_same_bytes_whatever_the_order_of_the_lines() {
    let (run, mut trials) = eventful();
    let first = [
        Reports::of(&run, &trials).markdown(Language::English),
        Reports::of(&run, &trials).html(),
    ];
    trials.reverse();
    let again = [
        Reports::of(&run, &trials).markdown(Language::English),
        Reports::of(&run, &trials).html(),
    ];
    assert!(first == again);
}

#[test]
fn a_page_asks_nothing_of_the_network_and_runs_nothing_but_its_own() {
    let (run, trials) = eventful();
    let page = Reports::of(&run, &trials).html();
    leave(&page, "report-eventful.html");
    let page = page.to_lowercase();
    for forbidden in [
        "http://", "https://", "src=", "url(", "@import", "<link", "<iframe", "onload=", "fetch(",
    ] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert_eq!(page.matches("<script").count(), 1);
    for link in page.split("href=\"").skip(1) {
        // Within the page, to the data beside it, or to a model's source.
        let leads_inside =
            link.starts_with(['#', 'r', 't']) || link.starts_with("../../servers/src/models/");
        assert!(leads_inside, "{}", &link[..link.len().min(60)]);
    }
}

#[test]
fn hostile_text_stays_text() {
    let (mut run, mut trials) = Scene::default().play();
    let hostile = "<script>alert(\"1\")</script><img src=x onerror='2'>&amp;|`*_~";
    run.models[1].title.en = hostile.to_owned();
    run.experiments[0].question.en = hostile.to_owned();
    run.experiments[0].levels[1].name = hostile.to_owned();
    run.name = hostile.to_owned();
    run.command.push(hostile.to_owned());
    run.environment.limits.push(hostile.to_owned());
    run.skipped[0].reason = hostile.to_owned();
    trials[1].outcome = Outcome::Failed(hostile.to_owned());
    let page = Reports::of(&run, &trials).html();
    assert!(page.matches("<script").count() == 1 && !page.contains("<img"));
    assert!(page.contains("&lt;script") || page.contains("&#60;script"));
    let text = Reports::of(&run, &trials).markdown(Language::English);
    for line in text.lines().filter(|line| !line.starts_with("    ")) {
        assert!(
            !line.contains("<script") && !line.contains("<img"),
            "{line}"
        );
    }
}

#[test]
fn every_table_has_a_cell_for_every_column() {
    let (run, trials) = eventful();
    let report = Reports::of(&run, &trials).report(Language::English);
    let parts = || report.experiments.iter();
    let sections = parts()
        .flat_map(|part| [&part.headline, &part.levels])
        .chain([&report.validity, &report.reading, &report.method]);
    let charts = parts().flat_map(|part| &part.charts);
    let charts = charts.chain(&report.answer_chart);
    let tables = sections.flat_map(|section| &section.tables);
    let tables = tables.chain(report.models.iter().map(|model| &model.costs));
    let tables = tables.chain(report.map.iter().map(|map| &map.chart.table));
    for table in tables.chain(charts.map(|chart| &chart.table)) {
        for row in &table.rows {
            assert_eq!(row.cells.len(), table.columns.len(), "{}", table.caption);
        }
    }
}

#[test]
fn every_ranked_trial_is_a_dot_and_every_chart_can_be_read_aloud() {
    let (run, trials) = Scene::default().play();
    let report = Reports::of(&run, &trials).report(Language::English);
    let ranked = trials
        .iter()
        .filter(|trial| trial.level == level_name(64) && trial.arm == Arm::Model)
        .count();
    let cost = report.answer_chart.as_ref().expect("a chart");
    for svg in &cost.drawings {
        assert_eq!(svg.matches("class=\"dot\"").count(), ranked);
    }
    // The cost again, the slowest requests, and the figures level by level.
    let charts = &report.experiments[0].charts;
    assert_eq!(charts.len(), 5);
    for chart in charts.iter().chain([cost]) {
        let frames = match chart.drawings.len() {
            1 => ["small", ""],
            _ => ["wide", "narrow"],
        };
        for (svg, name) in chart.drawings.iter().zip(frames) {
            let opening = part(svg, "<svg", ">");
            assert!(
                opening.contains("role=\"img\"") && opening.contains(name),
                "{opening}"
            );
            assert!(part(svg, "<title", "</title>").contains(&chart.title));
            assert!(!part(svg, "<desc", "</desc>").is_empty());
        }
    }
}

#[test]
fn every_model_has_a_curve_of_its_own_look() {
    let (run, trials) = Scene::default().play();
    let report = Reports::of(&run, &trials).report(Language::English);
    for number in 0..run.models.len() {
        // Once in the plot, once in the legend.
        let class = format!("class=\"series c{number}");
        assert_eq!(
            report.experiments[0].charts[1].drawings[0]
                .matches(&class)
                .count(),
            2
        );
    }
}

#[test]
fn a_run_of_thirteen_models_is_named_at_both_ends_only() {
    const NAMES: [&str; 13] = [
        "iterative",
        "fork-per-client",
        "pre-forked",
        "thread-per-client",
        "pre-threaded",
        "thread-pool",
        "selector-threads",
        "poll",
        "epoll",
        "epoll-per-core",
        "tokio-current-thread",
        "tokio",
        "io-uring",
    ];
    let costs = [
        39.0, 336.0, 45.0, 88.0, 47.0, 51.0, 97.0, 61.0, 43.0, 39.5, 52.0, 58.0, 36.0,
    ];
    let models = NAMES
        .iter()
        .zip(costs)
        .map(|(name, cost)| truth(name, name, cost, 0.1, 1, 1, 1_900));
    let (run, trials) = Scene {
        models: models.collect(),
        again: Some("epoll"),
        ..Scene::default()
    }
    .play();
    let report = Reports::of(&run, &trials).report(Language::English);
    let answer = &report.experiments[0].answer;
    assert!(answer[0].contains("fork-per-client costs") && !answer[0].contains("thread-pool"));
    leave(&Reports::of(&run, &trials).html(), "report-thirteen.html");
}

#[test]
fn the_headline_is_the_largest_level_that_every_model_reached() {
    let (run, mut trials) = Scene::default().play();
    assert_eq!(
        analysed(&run, &trials).headline(Metric::CpuUsPerRequest),
        Some("64 clients")
    );
    trials.retain(|trial| !(trial.model == "tokio" && trial.level == level_name(64)));
    assert_eq!(
        analysed(&run, &trials).headline(Metric::CpuUsPerRequest),
        Some("16 clients")
    );
    trials.retain(|trial| trial.model != "tokio" || trial.level == level_name(999));
    assert_eq!(
        analysed(&run, &trials).headline(Metric::CpuUsPerRequest),
        Some("64 clients")
    );
}

#[test]
fn the_answer_names_effects_ties_and_what_is_missing() {
    let (run, trials) = Scene {
        models: vec![
            truth(CONTROL, "Iterative", 39.0, 0.1, 1, 1, 1_900),
            truth("epoll", "Readiness loop", 39.0, 0.1, 1, 1, 1_900),
            truth(
                "fork-per-client",
                "Process per client",
                336.0,
                0.1,
                1,
                1,
                1_900,
            ),
            truth("tokio", "Tokio", 58.0, 0.1, 1, 1, 1_900),
        ],
        again: Some("epoll"),
        ..Scene::default()
    }
    .play();
    let gone = |trial: &&Trial| trial.model != "tokio";
    let trials: Vec<Trial> = trials.iter().filter(gone).cloned().collect();
    let report = Reports::of(&run, &trials).report(Language::English);
    let answer = &report.experiments[0].answer;
    assert_eq!(answer.len(), 3, "{answer:?}");
    assert!(
        answer[0].starts_with("One request per connection, 64 clients: "),
        "{}",
        answer[0]
    );
    assert!(
        answer[0].contains("Process per client costs 8."),
        "{}",
        answer[0]
    );
    assert!(
        answer[0].contains("; Readiness loop (") && answer[0].ends_with("ties."),
        "{}",
        answer[0]
    );
    assert!(answer[2].ends_with("not compared: Tokio."), "{}", answer[2]);
}

#[test]
fn one_trial_per_cell_has_no_interval_and_says_so() {
    let (run, trials) = Scene {
        rounds: 1,
        ..Scene::default()
    }
    .play();
    let analysis = analysed(&run, &trials);
    assert!(
        analysis
            .comparisons
            .iter()
            .all(|one| one.verdict == Verdict::TooFew)
    );
    let text = Reports::of(&run, &trials).markdown(Language::English);
    assert!(text.contains("an interval needs three"));
    assert!(text.contains("have too few trials to tell"));
    assert!(Reports::of(&run, &trials).html().contains("too few trials"));
}

#[test]
fn a_run_without_a_valid_trial_has_no_answer() {
    let (mut run, mut trials) = Scene {
        rounds: 2,
        ..Scene::default()
    }
    .play();
    for trial in &mut trials {
        load(trial).counts.ok = 0;
    }
    run.status = Status::Running;
    for trials in [trials.as_slice(), &[]] {
        let report = Reports::of(&run, trials).report(Language::English);
        assert!(report.answer[0].starts_with("No trial of this run can be ranked"));
        assert!(report.experiments[0].charts.is_empty() && report.answer_chart.is_none());
        all_formats(&run, trials);
    }
}

#[test]
fn an_empty_plan_and_absurd_figures_do_not_panic() {
    let (mut run, mut trials) = Scene {
        rounds: 3,
        ..Scene::default()
    }
    .play();
    for (trial, value) in trials
        .iter_mut()
        .zip([f64::NAN, f64::INFINITY, 0.0, -1.0].into_iter().cycle())
    {
        server(trial).cpu_us_per_request = Some(value);
        load(trial).rates.good_per_s = value;
        load(trial).latency_us.response.p50 = Some(value);
        measured(trial).response_histogram = Some("AAAA".to_owned());
    }
    all_formats(&run, &trials);
    run.models.clear();
    run.experiments[0].levels.clear();
    run.experiments[0].control.clear();
    run.command.clear();
    all_formats(&run, &trials);
    run.experiments.clear();
    all_formats(&run, &trials);
}

#[test]
fn a_generator_at_its_limit_spoils_rates_and_times_but_not_costs() {
    let (run, mut trials) = Scene::default().play();
    for trial in trials
        .iter_mut()
        .filter(|trial| trial.model == "tokio" && trial.level == level_name(64))
    {
        let checks = &mut load(trial).validity;
        let generator = checks.iter_mut().find(|check| check.check == "generator");
        generator.expect("a generator checks itself").ok = false;
    }
    let analysis = analysed(&run, &trials);
    assert!(
        analysis
            .comparison("tokio", "64 clients", Metric::CpuUsPerRequest)
            .is_some()
    );
    assert!(
        analysis
            .comparison("tokio", "64 clients", Metric::GoodPerS)
            .is_none()
    );
    assert_eq!(
        analysis.headline(Metric::CpuUsPerRequest),
        Some("64 clients")
    );
    assert_eq!(analysis.headline(Metric::GoodPerS), Some("16 clients"));
    let page = Reports::of(&run, &trials).markdown(Language::English);
    assert!(
        page.contains("GENERATOR-BOUND: in 5 trials") && page.contains("~~"),
        "{page}"
    );
}

#[test]
fn an_invalid_trial_is_kept_apart_from_the_figures() {
    let (run, trials) = eventful();
    let analysis = analysed(&run, &trials);
    let find = |model: &str, clients| {
        let name = level_name(clients);
        let mut level = analysis.level(&name);
        level
            .find(|cell| cell.model == model)
            .expect("a planned cell")
            .clone()
    };
    assert_eq!(
        (find("tokio", 16).valid.len(), find("tokio", 16).made()),
        (5, 6)
    );
    assert_eq!(
        (find("tokio", 1).valid.len(), find("tokio", 1).made()),
        (0, 6)
    );
    assert_eq!(find("fork-per-client", 64).made(), 0);
    assert!(
        analysis
            .comparison("tokio", "1 client", Metric::CpuUsPerRequest)
            .is_none()
    );
    // Six of tokio at 1 client, one at 16, one failed, one unanswered, one foreign.
    assert_eq!(analysis.aside.len(), 10);
}

fn all_formats(run: &Run, trials: &[Trial]) {
    for text in [
        Reports::of(run, trials).markdown(Language::English),
        Reports::of(run, trials).html(),
        Reports::of(run, trials).csv(),
        Reports::of(run, trials).readme_table(Language::English),
    ] {
        assert!(text.ends_with('\n') || text.ends_with("</html>"), "{text}");
        assert!(!text.contains("NaN") || text.starts_with("run,"));
    }
    for export in exports::of_run(run, trials) {
        assert!(export.text.ends_with('\n') && !export.text.contains("NaN"));
    }
}
