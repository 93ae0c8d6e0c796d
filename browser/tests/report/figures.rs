//! The page shows the results of the analysis.

use hola_base::Language;
use hola_lab::metric::Metric;
use hola_verdict::analysis::{HEADLINE, Word};
use hola_verdict::{Analysis, LevelKey};
use serde::Deserialize;

use crate::in_every_language;

const CAPACITY: [LevelKey<'static>; 2] = [
    LevelKey::new("capacity", "new"),
    LevelKey::new("capacity", "kept"),
];

const DEATHS: [&str; 3] = ["panic", "abort", "segv"];

/// Relative tolerance: rows are sorted by a number of five digits.
const HALF_A_DIGIT: f64 = 5e-5;

/// A cell of the first table: its text without the small text below, and its sort key.
#[derive(Deserialize)]
struct Shown {
    text: String,
    value: Option<String>,
}

/// Numbers that a cell must show, in order, in the metric's unit, with `None` for a dash; and its sort key.
struct Expected {
    numbers: Vec<Option<f64>>,
    value: Option<f64>,
}

#[test]
fn every_number_of_the_first_table_is_that_of_the_analysis() {
    in_every_language(|browser, report, language| {
        let analysis = Analysis::new(&report.run, &report.blocks);
        let rows = browser.run(&format!(
            "const table = document.querySelector('main[lang={}] table');
             const text = (cell) => [...cell.childNodes].filter((one) => one.localName !== 'small')
                 .map((one) => one.textContent).join('').trim();
             return [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => ({{
                 text: text(cell), value: cell.dataset.v ?? null,
             }})));",
            language.tag()
        ));
        let rows: Vec<Vec<Shown>> = serde_json::from_value(rows).expect("rows of cells");
        let models = report.run.servers.iter().filter(|card| card.is_model);
        assert_eq!(rows.len(), models.count());
        for row in &rows {
            let mut cards = report.run.servers.iter();
            let card = cards
                .find(|card| card.name == row[0].text)
                .expect("its card");
            let row = match (card.lines_of_code, row.as_slice()) {
                (Some(lines), [row @ .., written]) => {
                    assert_eq!(written.text, lines.to_string());
                    row
                }
                (_, row) => row,
            };
            let [name, cells @ .., deaths] = row else {
                panic!("a row without cells");
            };
            let expected = expected(&analysis, &name.text);
            assert_eq!(cells.len(), expected.len());
            for (cell, expected) in cells.iter().zip(expected) {
                check(cell, &expected, &name.text, language);
            }
            check_deaths(&analysis, &name.text, &deaths.text);
        }
    });
}

#[test]
fn the_first_screen_says_which_differences_the_run_tells_apart() {
    in_every_language(|browser, report, language| {
        let resolution = Analysis::new(&report.run, &report.blocks).resolution();
        let resolution = resolution.expect("of a full run");
        let notices = browser.lines(&format!(
            "return [...document.querySelectorAll('main[lang={}] .notice')].map((one) => one.textContent);",
            language.tag()
        ));
        let is_there = |text: &String| {
            let numbers = numbers(text, language);
            numbers.iter().flatten().any(|one| one.reads_as(resolution))
        };
        assert!(notices.iter().any(is_there), "{resolution}: {notices:#?}");
    });
}

/// The cells of a row without name, deaths and lines of code, which are not estimates.
fn expected(analysis: &Analysis<'_>, name: &str) -> [Expected; 7] {
    let cpu = Metric::CpuPerRequest;
    let value = |at, metric| Some(analysis.value(at, name, metric).ok()?.value);
    let mut designs = analysis.run().designs.iter();
    let idle = designs.find(|one| one.experiment == "idle");
    let level = idle.and_then(|design| design.levels().next());
    let idle = LevelKey {
        experiment: "idle",
        level: level.map_or("", |(_, level)| &level.name),
    };
    let words = analysis.words(HEADLINE, cpu);
    let (word, ratio) = match words.iter().find(|(one, ..)| one == name) {
        // The control.
        _ if name == "iterative" => (Vec::new(), vec![Some(1.0)]),
        Some((_, ratio, word)) => {
            let interval = [ratio.value, ratio.low, ratio.high];
            (number_of(*word), interval.map(Some).into())
        }
        None => (vec![None], vec![None]),
    };
    // If both are missing, the cell shows one dash.
    let pair = |numbers: [Option<f64>; 2]| match numbers {
        [None, None] => vec![None],
        _ => numbers.into(),
    };
    let response = [Metric::ResponseP50, Metric::ResponseP99].map(|metric| value(HEADLINE, metric));
    let memory =
        [Metric::MemoryPerClient, Metric::KernelMemoryPerClient].map(|metric| value(idle, metric));
    // Where the generator was the limit, what it served is a lower bound.
    let served =
        CAPACITY.map(|at| value(at, Metric::CapacityPerS).or_else(|| value(at, Metric::GoodPerS)));
    let one = |value| (vec![value], value);
    [
        (word, None),
        one(value(HEADLINE, cpu)),
        (ratio.clone(), ratio[0]),
        (pair(response), response[1]),
        (pair(served), served[0].or(served[1])),
        (pair(memory), memory[0]),
        one(value(idle, Metric::ClientsHeld)),
    ]
    .map(|(numbers, value)| Expected { numbers, value })
}

/// The number in a verdict word, if there is one: a share.
fn number_of(word: Word) -> Vec<Option<f64>> {
    match word {
        Word::Better | Word::Worse => Vec::new(),
        Word::Same { margin: width } | Word::Undecided { resolution: width } => vec![Some(width)],
    }
}

fn check(cell: &Shown, expected: &Expected, name: &str, language: Language) {
    let what = format!("{name}: “{}” for {:?}", cell.text, expected.numbers);
    let numbers = numbers(&cell.text, language);
    assert_eq!(numbers.len(), expected.numbers.len(), "{what}");
    for pair in numbers.iter().zip(&expected.numbers) {
        let is_right = match pair {
            (Some(shown), Some(expected)) => shown.reads_as(*expected),
            (shown, expected) => shown.is_none() && expected.is_none(),
        };
        assert!(is_right, "{what}");
    }
    let value = cell
        .value
        .as_ref()
        .map(|value| value.parse::<f64>().expect("a number"));
    match (value, expected.value) {
        (Some(value), Some(expected)) => assert!(
            (value - expected).abs() <= expected.abs() * HALF_A_DIGIT,
            "{what}: sorted by {value}"
        ),
        (value, expected) => assert_eq!(value, expected, "{what}"),
    }
}

/// The cell lists exactly the deaths that the server does not survive according to the analysis.
fn check_deaths(analysis: &Analysis<'_>, name: &str, text: &str) {
    for death in DEATHS {
        let at = LevelKey {
            experiment: "crash",
            level: death,
        };
        let survived = analysis.value(at, name, Metric::Survived);
        let kills = survived.is_ok_and(|survived| survived.value < 1.0);
        assert_eq!(text.contains(death), kills, "{name}, {death}: {text}");
    }
}

/// A number read from the page, in the metric's unit: microseconds for times, 0…1 for shares.
struct Written {
    value: f64,
    half_a_digit: f64,
}

impl Written {
    fn reads_as(&self, value: f64) -> bool {
        (self.value - value).abs() <= self.half_a_digit * (1.0 + 1e-9)
    }
}

/// The numbers in a text, in order; `None` for a dash.
fn numbers(text: &str, language: Language) -> Vec<Option<Written>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_digit() || letter == '—') {
        rest = &rest[start..];
        if let Some(after) = rest.strip_prefix('—') {
            found.push(None);
            rest = after;
            continue;
        }
        let is_part = |letter: char| {
            letter.is_ascii_digit() || letter == '\u{202f}' || letter == language.decimal_mark()
        };
        let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        let (digits, after) = rest.split_at(end);
        rest = after;
        let plain = digits
            .replace('\u{202f}', "")
            .replace(language.decimal_mark(), ".");
        let decimals = plain
            .split_once('.')
            .map_or(0, |(_, decimals)| decimals.len());
        let value: f64 = plain
            .parse()
            .unwrap_or_else(|_| panic!("{digits} in {text}"));
        let is_in_units = |letter: char| letter == '%' || letter.is_alphabetic();
        let unit = rest
            .trim_start_matches('\u{a0}')
            .split(|letter| !is_in_units(letter))
            .next();
        let unit = match unit {
            Some("ms") => 1e3,
            Some("s") => 1e6,
            Some("%") => 1e-2,
            _ => 1.0,
        };
        let places = i32::try_from(decimals).expect("few decimals");
        found.push(Some(Written {
            value: value * unit,
            half_a_digit: 0.5 * 10f64.powi(-places) * unit,
        }));
    }
    found
}

#[test]
fn numbers_are_read_as_they_are_written() {
    let (en, es) = (Language::English, Language::Spanish);
    for (text, language, expected) in [
        (
            "1.02×\u{a0}[0.99,\u{a0}1.05]",
            en,
            &[1.018, 0.992, 1.0549][..],
        ),
        ("1,02×\u{a0}[0,99;\u{a0}1,05]", es, &[1.018, 0.992, 1.0549]),
        ("312\u{a0}µs / 4.10\u{a0}ms", en, &[312.4, 4_099.0]),
        ("1,20\u{a0}s / 12\u{202f}345", es, &[1_204_000.0, 12_345.4]),
        ("the same within ±5\u{a0}%", en, &[0.05]),
    ] {
        let numbers = numbers(text, language);
        assert_eq!(numbers.len(), expected.len(), "{text}");
        for (number, &expected) in numbers.iter().flatten().zip(expected) {
            assert!(number.reads_as(expected), "{text}: {expected}");
            assert!(!number.reads_as(expected * 1.2), "{text}: {expected}");
        }
    }
    assert!(numbers("— / —", en).iter().all(Option::is_none));
}
