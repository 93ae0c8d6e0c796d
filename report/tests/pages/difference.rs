//! Comparison of two made-up runs.

use hola_base::Language;
use hola_report::difference::{ComparedSides, json, markdown, text};
use hola_verdict::difference::{Difference, RecordedRun, Selection};

use crate::fixture;

#[test]
fn a_regression_is_named_in_every_format() {
    let (base, base_blocks) = fixture::quick_run();
    let (mut candidate, blocks) = fixture::with_slower_tokio();
    candidate.name = "2026-11-28T101502Z-quick\u{1b}[2J".into();
    let [recorded, slower] = [(&base, &base_blocks), (&candidate, &blocks)]
        .map(|(run, blocks)| RecordedRun { run, blocks });
    let difference = Difference::new(recorded, slower, &Selection::default());
    let sides = ComparedSides {
        base: &base.name,
        candidate: &candidate.name,
    };
    for (language, worse) in [
        (Language::English, "costs more"),
        (Language::Spanish, "cuesta más"),
    ] {
        for page in [
            text(&difference, sides, language),
            markdown(&difference, sides, language),
        ] {
            let is_told = |line: &str| {
                line.contains(worse) && line.contains("tokio") && line.contains("equal-load")
            };
            assert!(page.lines().any(is_told), "{page}");
            assert!(!page.contains('\u{1b}'), "{page}");
        }
    }
    let document: serde_json::Value =
        serde_json::from_str(&json(&difference, sides)).expect("JSON");
    let cells = document["cells"].as_array().expect("cells");
    assert_eq!(cells.len(), difference.cells.len());
    let worse = cells.iter().filter(|cell| cell["verdict"] == "worse");
    assert!(
        worse.clone().count() > 0 && worse.clone().all(|cell| cell["participant"] == "tokio"),
        "{document:#}"
    );
}
