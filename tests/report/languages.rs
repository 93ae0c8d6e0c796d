//! Both languages say the same, each in its own words and its own numbers.

use hola::language::{LANGUAGES, Language};
use hola::report::Reports;
use hola::report::view::{Cell, Report, Table};

use crate::eventful::eventful;
use crate::fixture::Scene;

/// Every table of a report, in order.
fn tables(report: &Report) -> Vec<&Table> {
    let sections = report
        .experiments
        .iter()
        .flat_map(|part| {
            [&part.headline, &part.levels]
                .into_iter()
                .chain(&part.turning_points)
        })
        .chain([&report.validity, &report.reading, &report.method]);
    let charts = report.experiments.iter().flat_map(|part| &part.charts);
    let charts = charts.chain(&report.answer_chart);
    sections
        .flat_map(|section| &section.tables)
        .chain(charts.map(|chart| &chart.table))
        .chain(report.map.iter().map(|map| &map.chart.table))
        .chain(report.models.iter().map(|model| &model.costs))
        .collect()
}

#[test]
fn both_languages_show_the_same_figures_in_the_same_places() {
    let (run, trials) = eventful();
    let reports = LANGUAGES.map(|language| Reports::of(&run, &trials).report(language));
    let [english, spanish] = reports.each_ref().map(tables);
    assert_eq!(english.len(), spanish.len());
    let mut figures = 0;
    for (one, other) in english.iter().zip(&spanish) {
        assert_eq!(one.columns.len(), other.columns.len(), "{}", one.caption);
        assert_eq!(one.rows.len(), other.rows.len(), "{}", one.caption);
        for (row, same) in one.rows.iter().zip(&other.rows) {
            assert_eq!(row.struck, same.struck);
            let keys = |cells: &[Cell]| cells.iter().map(Cell::sort_key).collect::<Vec<_>>();
            assert_eq!(keys(&row.cells), keys(&same.cells), "{}", one.caption);
            figures += keys(&row.cells).iter().flatten().count();
        }
    }
    assert!(figures > 100, "{figures}");
}

#[test]
fn a_figure_is_written_as_its_language_writes_it() {
    let (run, trials) = Scene::default().play();
    for (language, mark, other) in [(Language::English, '.', ','), (Language::Spanish, ',', '.')] {
        let report = Reports::of(&run, &trials).report(language);
        let mut decimals = 0;
        for table in tables(&report) {
            let cells = table.rows.iter().flat_map(|row| &row.cells);
            for cell in cells {
                let Cell::Figure { written, .. } = cell else {
                    continue;
                };
                let is_decimal = |mark: char| {
                    let digit =
                        |letter: Option<char>| letter.is_some_and(|one| one.is_ascii_digit());
                    written.match_indices(mark).any(|(place, _)| {
                        digit(written[..place].chars().next_back())
                            && digit(written[place + 1..].chars().next())
                    })
                };
                assert!(!is_decimal(other), "{language:?}: {written}");
                decimals += usize::from(is_decimal(mark));
            }
        }
        assert!(decimals > 50, "{language:?}: {decimals}");
    }
}

#[test]
fn a_spanish_report_speaks_no_english() {
    // Words that every English sentence is made of. Names of models and questions are the run's own.
    const ENGLISH: [&str; 9] = [
        " the ", " of ", " and ", " is ", " are ", " was ", " which ", " with ", " than ",
    ];
    let (run, trials) = Scene::default().play();
    let text = Reports::of(&run, &trials).markdown(Language::Spanish);
    // Commands, and what the kernel and the run said of themselves.
    let said = text.lines().filter(|line| !line.starts_with("    "));
    for line in said {
        let recorded = run
            .environment
            .mitigations
            .iter()
            .chain(&run.environment.limits);
        let mut line = line.to_lowercase();
        for words in recorded.chain(run.skipped.iter().map(|skipped| &skipped.reason)) {
            // As Markdown has them.
            line = line.replace(&words.to_lowercase().replace('_', "\\_"), "");
        }
        for word in ENGLISH {
            assert!(!line.contains(word), "“{word}” in: {line}");
        }
    }
}

#[test]
fn anchors_and_drawings_of_one_page_have_names_of_their_own() {
    let (run, trials) = eventful();
    let page = Reports::of(&run, &trials).html();
    let mut ids: Vec<&str> = page
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    for link in page.split("href=\"#").skip(1) {
        let anchor = link.split('"').next().expect("an end");
        assert!(
            ids.binary_search(&anchor).is_ok(),
            "#{anchor} leads nowhere"
        );
    }
}
