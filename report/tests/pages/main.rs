//! The report's files, made from a made-up run.

mod difference;
mod fixture;
mod site;
#[allow(dead_code, reason = "each crate's tests use their part")]
#[path = "../../../verdict/tests/verdict/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;
use std::{env, fs};

use hola_base::{LANGUAGES, Language};
use hola_lab::metric::Metric;
use hola_lab::record::{Block, Run, RunStatus};
use hola_report::files;
use hola_verdict::analysis::{HEADLINE, TARGETS};
use hola_verdict::{Analysis, LevelKey};

/// A run with its files.
struct Made {
    run: Run,
    blocks: Vec<Block>,
    files: Vec<(String, String)>,
}

impl Made {
    fn new((run, blocks): (Run, Vec<Block>)) -> Self {
        let files = files(&run, &blocks);
        Made { run, blocks, files }
    }

    fn file(&self, name: &str) -> &str {
        let file = self.files.iter().find(|(one, _)| one == name);
        &file.unwrap_or_else(|| panic!("no {name}")).1
    }
}

static FULL: LazyLock<Made> = LazyLock::new(|| Made::new(fixture::full_run()));
static QUICK: LazyLock<Made> = LazyLock::new(|| Made::new(fixture::quick_run()));

/// Keeps the files, so that a person can open them in a browser.
fn keep(made: &Made) {
    let designs = made.run.designs.len();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{designs}-experiments"));
    fs::create_dir_all(&folder).expect("a folder");
    for (name, text) in &made.files {
        fs::write(folder.join(name), text).expect("a file");
    }
}

/// The text between two marks, where they first are.
fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let (_, after) = text
        .split_once(start)
        .unwrap_or_else(|| panic!("no {start}"));
    after.split_once(end).map_or(after, |(before, _)| before)
}

fn rows(page: &str) -> impl Iterator<Item = Vec<&str>> {
    let rows = between(page, "<table>", "</table>").split("<tr>").skip(2);
    rows.map(|row| row.split("<td").skip(1).collect())
}

#[test]
fn the_first_screen_and_table_are_as_they_were() {
    for (name, end) in [
        ("report.md", "## What people say"),
        ("report.es.md", "## Lo que se dice"),
    ] {
        let text = QUICK.file(name);
        let (first, _) = text.split_once(end).expect("claims after the first table");
        let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages");
        let path = pages.join(name);
        if env::var_os("HOLA_BLESS").is_some() {
            fs::write(&path, first).expect("the expected text is written");
        }
        let expected = fs::read_to_string(&path).expect("the expected text");
        assert_eq!(first, expected, "HOLA_BLESS=1 accepts a change of {name}");
    }
}

#[test]
fn the_same_records_give_the_same_bytes() {
    let made = &*QUICK;
    let (run, blocks) = through_json(made, |text| text);
    assert_eq!(files(&run, &blocks), made.files);
}

/// The records written as JSON, changed, and read again.
fn through_json(made: &Made, change: impl Fn(String) -> String) -> (Run, Vec<Block>) {
    let text = serde_json::to_string(&(&made.run, &made.blocks)).expect("JSON");
    serde_json::from_str(&change(text)).expect("records")
}

#[test]
fn a_full_run_stays_within_its_limits() {
    let made = &*FULL;
    let names: Vec<&str> = made.files.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "report.html",
        "cells.csv",
        "blocks.csv",
        "answer.svg",
        "report.md",
        "answer.es.svg",
        "report.es.md",
    ];
    assert_eq!(names, expected);
    keep(made);
    let page = made.file("report.html").len();
    assert!(page <= 900 * 1024, "report.html has {page} bytes");
    for name in ["report.md", "report.es.md"] {
        let words = made.file(name).split_whitespace().count();
        assert!(words <= 2_500, "{name} has {words} words");
    }
}

#[test]
fn the_page_loads_nothing_and_its_anchors_are_unique() {
    let page = FULL.file("report.html");
    assert!(page.contains("default-src 'none'"));
    assert!(!page.contains("://"), "an address of something remote");
    let all = |start: &str| -> Vec<&str> {
        let parts = page.split(start).skip(1);
        parts.filter_map(|after| after.split('"').next()).collect()
    };
    let anchors = all(" id=\"");
    let unique: BTreeSet<&str> = anchors.iter().copied().collect();
    assert_eq!(anchors.len(), unique.len());
    for target in all("href=\"#") {
        assert!(unique.contains(target), "{target}");
    }
}

#[test]
fn both_languages_have_the_same_sections() {
    let page = FULL.file("report.html");
    let parts = |tag: &str| {
        let version = between(page, &format!("<main lang=\"{tag}\">"), "</main>");
        ["<section", "<details", "<table", "<svg", "<tr", "<td"]
            .map(|part| version.matches(part).count())
    };
    assert_eq!(parts("en"), parts("es"));
}

#[test]
fn nothing_is_struck_through_and_a_missing_figure_says_why() {
    let made = &*FULL;
    for name in ["report.html", "report.md"] {
        let text = made.file(name);
        let mut marks = ["<s>", "<del>", "line-through", "~~"].into_iter();
        assert!(!marks.any(|mark| text.contains(mark)), "{name}");
    }
    let text = made.file("report.md");
    let mut lines = text.lines();
    let row = lines.find(|line| line.starts_with("| python-forking"));
    let row = row.expect("its row");
    assert!(row.contains("| — |"), "{row}");
    assert!(text.contains("No figure (the rate is more than it can do"));
}

#[test]
fn figures_of_the_first_table_are_those_of_the_analysis() {
    let made = &*FULL;
    let analysis = Analysis::new(&made.run, &made.blocks);
    let key = |value: f64| format!("data-v=\"{value:.4e}\"");
    let idle = LevelKey::new("idle", "to the limit");
    let capacity = ["new", "kept"].map(|level| LevelKey::new("capacity", level));
    let mut checked = 0;
    for row in rows(made.file("report.html")) {
        let name = between(row[0], "<code>", "</code>");
        let value = |at, metric| Some(analysis.value(at, name, metric).ok()?.value);
        // Where the generator was the limit, what it served is a lower bound.
        let served = capacity
            .map(|at| value(at, Metric::CapacityPerS).or_else(|| value(at, Metric::GoodPerS)));
        let expected = [
            (2, value(HEADLINE, Metric::CpuPerRequest)),
            (4, value(HEADLINE, Metric::ResponseP99)),
            (5, served[0].or(served[1])),
            (6, value(idle, Metric::MemoryPerClient)),
            (7, value(idle, Metric::ClientsHeld)),
        ];
        for (index, value) in expected {
            let shown = value.map_or("—".into(), key);
            assert!(row[index].contains(&shown), "{name}: {}", row[index]);
            checked += 1;
        }
        let ratio = analysis.to_control(HEADLINE, name, Metric::CpuPerRequest);
        if let Some(ratio) = ratio.ok().filter(|_| name != "iterative") {
            assert!(row[3].contains(&key(ratio.value)), "{name}: {}", row[3]);
        }
    }
    assert_eq!(checked, 13 * 5);
}

#[test]
fn every_cell_of_the_data_is_that_of_the_analysis() {
    let made = &*QUICK;
    let analysis = Analysis::new(&made.run, &made.blocks);
    let mut lines = made.file("cells.csv").lines();
    let columns = fields(lines.next().expect("a head"));
    let mut values = 0;
    for line in lines {
        let fields = fields(line);
        assert_eq!(fields.len(), columns.len(), "{line}");
        let at = LevelKey::new(&fields[0], &fields[1]);
        let metric = Metric::named(&fields[4]).expect("a metric");
        let value = analysis.value(at, &fields[2], metric).ok();
        let against = analysis.to_control(at, &fields[2], metric).ok();
        let written =
            [value, against].map(|one| one.map_or(String::new(), |one| one.value.to_string()));
        assert_eq!([&fields[5], &fields[8]], written.each_ref(), "{line}");
        assert_eq!(fields[13].is_empty(), value.is_some(), "{line}");
        values += usize::from(value.is_some());
    }
    assert!(values > 100, "{values}");
}

/// The fields of a line of CSV.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut is_quoted) = (Vec::new(), String::new(), false);
    for letter in line.chars() {
        match letter {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(std::mem::take(&mut field)),
            _ => field.push(letter),
        }
    }
    fields.push(field);
    fields
}

#[test]
fn what_others_wrote_is_shown_and_does_nothing() {
    const HOSTILE: &str = "<script>alert(1)</script>\u{1b}[2J|\u{202e}=1,\"x\"";
    /// Parts of names, titles, notes, reasons and versions: the text is put behind each.
    const MARKS: [&str; 12] = [
        "tokio",
        "Server ",
        "en una frase.",
        "\"attention\":\"task",
        "RLIMIT_NOFILE)",
        "Z-quick",
        "\"7",
        "T10:15:02Z",
        "without clients",
        "Example CPU",
        "\"0.1.0",
        "\"0-1",
    ];
    let hostile = serde_json::to_string(HOSTILE).expect("JSON");
    let hostile = &hostile[1..hostile.len() - 1];
    let (mut run, mut blocks) = through_json(&QUICK, |text| {
        let spoil = |text: String, mark| text.replace(mark, &format!("{mark}{hostile}"));
        MARKS.into_iter().fold(text, spoil)
    });
    for block in &mut blocks {
        block.readings[0].failed = Some(HOSTILE.into());
    }
    run.environment.switches_not_counted = Some(HOSTILE.into());

    let mut all = files(&run, &blocks);
    for language in LANGUAGES {
        let summary = hola_report::summary(&run, &blocks, language);
        let readme = hola_report::readme(&run, &blocks, language, "answer.svg");
        all.extend([("summary".into(), summary), ("readme.md".into(), readme)]);
    }
    for (name, text) in &all {
        // A picture has room only for the beginning of the name.
        let shown = match name.ends_with(".svg") {
            true => "tokio&lt;script&gt;",
            false => "alert(1)",
        };
        assert!(text.contains(shown), "{name} leaves it out");
        let is_active =
            |letter: char| letter != '\n' && (letter.is_control() || letter == '\u{202e}');
        assert!(
            !text.contains(is_active),
            "{name} has a raw control character"
        );
        if name.ends_with(".html") || name.ends_with(".svg") || name.ends_with(".md") {
            // A code block shows its text unescaped, but quoted for a shell.
            let text = text.replace("    hola compare --profile quick --seed '7<script>", "");
            assert!(
                !text.contains("<script>alert"),
                "{name} has markup of others"
            );
        }
    }
    let cells = &all[1].1;
    let columns = |line: &str| fields(line).len();
    let head = columns(cells.lines().next().expect("a head"));
    assert!(cells.lines().all(|line| columns(line) == head));
}

#[test]
fn what_speaks_against_a_run_stands_first() {
    let (mut run, mut blocks) = fixture::quick_run();
    run.status = RunStatus::Interrupted;
    run.environment.build = "debug".into();
    run.environment.other_comparisons = 1;
    for block in &mut blocks {
        block.planted_us = Some(40.0);
    }
    let text = hola_report::summary(&run, &blocks, Language::English);
    let lines: Vec<&str> = text.lines().take(4).collect();
    assert!(lines[0].starts_with("! This run was interrupted"), "{text}");
    assert!(
        lines[1].contains("not optimised") && lines[2].contains("Other comparisons"),
        "{text}"
    );
    assert!(
        lines[3].starts_with(
            "! The controls of the method did not pass: the planted difference was not recovered"
        ),
        "{text}"
    );
    assert!(QUICK.file("report.html").contains("class=\"notice good\""));
}

#[test]
fn a_run_without_blocks_has_a_report() {
    let (run, _) = fixture::full_run();
    let files = files(&run, &[]);
    assert_eq!(files.len(), 7);
    let text = hola_report::summary(&run, &[], Language::Spanish);
    assert!(text.contains("muy pocas medidas"), "{text}");
}

#[test]
fn a_target_that_is_not_asked_for_the_same_has_no_row_among_those_that_are() {
    let (mut run, blocks) = fixture::full_run();
    let levels = run.designs.iter_mut().flat_map(|design| &mut design.stages);
    for level in levels.flat_map(|stage| &mut stage.levels) {
        if level.name == TARGETS.level {
            level.participants.retain(|name| name != "nginx");
        }
    }
    let unasked = Made::new((run, blocks));
    let has_row = |made: &Made| {
        let table = between(made.file("report.md"), "Reference targets", "\n## ");
        table.contains("nginx")
    };
    assert!(has_row(&FULL) && !has_row(&unasked));
}

#[test]
fn the_answer_is_five_sentences_at_most_each_with_a_number() {
    for name in ["report.md", "report.es.md"] {
        let text = FULL.file(name);
        let is_item = |line: &&str| line.starts_with("- ");
        let lines = text.lines().skip_while(|line| !is_item(line));
        let answer: Vec<&str> = lines.take_while(is_item).collect();
        assert_eq!(answer.len(), 5, "{answer:#?}");
        let has_interval = |line: &&str| line.contains('\u{a0}') && line.contains("\\[");
        assert!(answer.iter().all(has_interval), "{answer:#?}");
    }
}

#[test]
fn readme_shows_nine_models_at_most() {
    let made = &*FULL;
    let (run, blocks) = (&made.run, &made.blocks);
    let text = hola_report::readme(run, blocks, Language::English, "results/run/answer.svg");
    let rows = text.lines().filter(|line| line.starts_with("| ")).count();
    assert_eq!(rows, 9 + 2, "{text}");
    assert!(
        text.contains("(results/run/answer.svg)")
            && text.contains("From results/2026-11-27T101502Z-full"),
        "{text}"
    );
    assert!(text.contains("commit 0123456789abcdef"), "{text}");
}
