//! What the page shows is what was measured.

use hola::analysis::metric::{Metric, Unit};
use hola::analysis::{self, sample};

use crate::in_every_language;

/// What rows are sorted by has five digits.
const HALF_A_DIGIT: f64 = 5e-5;

/// A figure of one model as the page shows it: for readers, and for sorting.
struct Shown {
    model: String,
    text: String,
    value: Option<f64>,
}

#[test]
fn headline_tables_show_the_medians_of_the_trials() {
    in_every_language(|browser, report, language| {
        let (run, trials) = report.records();
        let rows = rows(&report.csv());
        let mut checked = 0;
        for (place, analysis) in analysis::of_run(&run, &trials).iter().enumerate() {
            let lead = analysis.lead();
            let Some(level) = analysis.headline(lead) else {
                continue;
            };
            // Where a generator at its limit has a say, which trials count is more than a median can tell.
            let is_plain = |metric: &Metric| !metric.is_paced_by_generator();
            let compared = analysis.metrics.iter().enumerate();
            for (number, metric) in compared.filter(|(_, metric)| is_plain(metric)) {
                // Model, the figure that leads, its ratio, the other figures.
                let column = if number == 0 { 1 } else { number + 2 };
                let shown = browser.run(&format!(
                    "const part = document.querySelectorAll('main[lang={language}] section.experiment')[{place}];
                     return [...part.querySelector('table').tBodies[0].rows].map((row) => ({{
                         model: row.querySelector('code').textContent,
                         text: row.cells[{column}].textContent.trim(),
                         value: row.cells[{column}].dataset.value ?? null,
                     }}));"
                ));
                for shown in shown_in(&shown) {
                    let values = values(
                        &rows,
                        &analysis.design.experiment,
                        &shown.model,
                        level,
                        *metric,
                    );
                    let Some(median) = sample::median(&values) else {
                        continue;
                    };
                    let what = format!(
                        "{} {} {}: {}",
                        analysis.design.experiment,
                        metric.name(),
                        shown.model,
                        shown.text
                    );
                    let sorted_by = shown
                        .value
                        .unwrap_or_else(|| panic!("{what}: no data-value"));
                    assert!(
                        (sorted_by - median).abs() <= median.abs() * HALF_A_DIGIT,
                        "{what}: {sorted_by} for {median}"
                    );
                    assert!(
                        reads_as(&shown.text, language, *metric, median),
                        "{what} for {median}"
                    );
                    checked += 1;
                }
            }
        }
        assert!(checked >= 3, "{checked} figures were compared");
    });
}

#[test]
fn figures_are_read_as_they_are_written() {
    let cpu = Metric::CpuUsPerRequest;
    for (text, language, metric, value) in [
        ("39.2\u{a0}[38.1,\u{a0}40.0]", "en", cpu, 39.24),
        ("39,2\u{a0}[38,1;\u{a0}40,0]", "es", cpu, 39.16),
        ("12\u{202f}345", "en", cpu, 12_345.4),
        ("4.10 ms", "en", Metric::ResponseP99Us, 4_099.0),
        ("≥ 1,20 s", "es", Metric::ResponseP99Us, 1_204_000.0),
        ("2.33 MiB", "en", Metric::PssPeakKib, 2_390.0),
    ] {
        assert!(reads_as(text, language, metric, value), "{text}");
        assert!(!reads_as(text, language, metric, value * 1.02), "{text}");
    }
}

fn shown_in(rows: &serde_json::Value) -> Vec<Shown> {
    let rows = rows.as_array().expect("rows");
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    rows.iter()
        .map(|row| Shown {
            model: text(&row["model"]).expect("a name"),
            text: text(&row["text"]).expect("text"),
            value: text(&row["value"]).map(|value| value.parse().expect("a number")),
        })
        .collect()
}

/// Whether the first number of a text is `value`, to the digits that are written.
fn reads_as(text: &str, language: &str, metric: Metric, value: f64) -> bool {
    let mark = if language == "es" { ',' } else { '.' };
    let number: String = text
        .chars()
        .skip_while(|letter| !letter.is_ascii_digit())
        .take_while(|letter| letter.is_ascii_digit() || *letter == mark || *letter == '\u{202f}')
        .filter(|letter| *letter != '\u{202f}')
        .map(|letter| if letter == mark { '.' } else { letter })
        .collect();
    let decimals = number.split_once('.').map_or(0, |(_, rest)| rest.len());
    let Ok(written) = number.parse::<f64>() else {
        return false;
    };
    let unit = unit(text, metric);
    let places = i32::try_from(decimals).expect("few decimals");
    let half_a_digit = 0.5 * 10f64.powi(-places);
    (written - value / unit).abs() <= half_a_digit * (1.0 + 1e-9)
}

/// What the text's unit is of the metric's own.
fn unit(text: &str, metric: Metric) -> f64 {
    let text = text.split('[').next().unwrap_or_default().trim_end();
    let of_us = |us: f64| {
        if metric.unit() == Unit::Ms {
            us / 1e3
        } else {
            us
        }
    };
    match text.rsplit([' ', '\u{a0}']).next() {
        Some("µs") => of_us(1.0),
        Some("ms") => of_us(1e3),
        Some("s") => of_us(1e6),
        Some("MiB") => 1024.0,
        Some("GiB") => 1024.0 * 1024.0,
        Some("%") => 0.01,
        _ => 1.0,
    }
}

/// A row of CSV: its fields by the names of their columns.
type Row = std::collections::BTreeMap<String, String>;

/// The trials of a model at a level that count for what a server costs.
fn values(rows: &[Row], experiment: &str, model: &str, level: &str, metric: Metric) -> Vec<f64> {
    rows.iter()
        .filter(|row| {
            row["experiment"] == experiment
                && row["model"] == model
                && row["arm"] == "model"
                && row["level"] == level
                && ["valid", "generator_bound"].contains(&row["status"].as_str())
        })
        .filter_map(|row| row.get(metric.name())?.parse().ok())
        .collect()
}

/// Reads CSV whose fields hold no line breaks (RFC 4180).
fn rows(text: &str) -> Vec<Row> {
    let mut lines = text.lines().map(fields);
    let header = lines.next().expect("a header");
    lines
        .map(|fields| header.iter().cloned().zip(fields).collect())
        .collect()
}

fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut is_quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let field = fields.last_mut().expect("at least one");
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(String::new()),
            _ => field.push(letter),
        }
    }
    fields
}
