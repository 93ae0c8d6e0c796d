//! Charts: one drawing for each width, series that can be hidden, points that say what they are.

use std::collections::BTreeSet;

use fantoccini::key::Key;

use crate::browser::Browser;
use crate::reports::WINDOWS;
use crate::{in_every_language, main_of, nothing_wrong};

#[test]
fn each_chart_shows_one_drawing_which_can_be_read_aloud() {
    in_every_language(|browser, report, language| {
        for (width, height) in WINDOWS {
            browser.resize(width, height);
            let script = include_str!("scripts/drawings.js");
            let main = main_of(language);
            let problems = browser.lines(&format!("const main = '{main}';\n{script}"));
            let place = format!("{} {language} {width} px", report.page().display());
            nothing_wrong(&problems, &place);
        }
    });
}

#[test]
fn every_series_can_be_hidden_and_shown_again() {
    in_every_language(|browser, report, language| {
        let script = include_str!("scripts/toggles.js");
        let main = main_of(language);
        let problems = browser.lines(&format!("const main = '{main}';\n{script}"));
        nothing_wrong(
            &problems,
            &format!("{} {language}", report.page().display()),
        );
    });
}

#[test]
fn mouse_and_keyboard_hide_a_series() {
    in_every_language(|browser, _, language| {
        let figure = format!(
            "[...document.querySelectorAll('{} figure.chart-figure')].find((one) => one.querySelector('.toggles') && one.querySelector('path.series'))",
            main_of(language)
        );
        let button = format!("{figure}.querySelector('.toggles button')");
        let series = format!(
            "[...{figure}.querySelectorAll('svg.chart')].find((svg) => svg.checkVisibility())\
                              .querySelector(`g.one[data-series=\"${{{button}.dataset.series}}\"]`)"
        );
        let is_shown = || browser.holds(&format!("{series}.getClientRects().length"));
        let is_pressed = || browser.holds(&format!("{button}.ariaPressed === 'true'"));
        assert!(is_shown() && is_pressed());
        browser.click(&button);
        assert!(!is_shown() && !is_pressed(), "hidden by mouse");
        browser.run(&format!("{button}.focus();"));
        browser.press(Key::Space);
        assert!(is_shown() && is_pressed(), "shown by the space bar");
        browser.press(Key::Enter);
        assert!(!is_shown() && !is_pressed(), "hidden by Enter");
    });
}

#[test]
fn a_point_under_the_mouse_says_what_it_is() {
    in_every_language(|browser, report, language| {
        let figures = speaking_figures(browser, language);
        assert!(!figures.is_empty(), "{}", report.page().display());
        for figure in figures {
            let figure = format!("document.querySelectorAll('figure.chart-figure')[{figure}]");
            let point = format!("({})({figure})", include_str!("scripts/free_point.js"));
            // Asked beforehand: looking for the point scrolls the page below the mouse.
            let expected = browser.run(&format!("return {point}.dataset.say;"));
            let place = browser.place_of(&point);
            browser.point_at(place);
            assert_eq!(readout(browser, &figure), expected, "{figure}");
        }
    });
}

#[test]
fn arrow_keys_step_through_the_points_of_a_chart() {
    in_every_language(|browser, report, language| {
        let figures = speaking_figures(browser, language);
        assert!(!figures.is_empty(), "{}", report.page().display());
        for figure in figures {
            let figure = format!("document.querySelectorAll('figure.chart-figure')[{figure}]");
            let drawing = format!(
                "[...{figure}.querySelectorAll('svg.chart')].find((svg) => svg.checkVisibility())"
            );
            assert!(
                browser.holds(&format!("{drawing}.tabIndex === 0")),
                "{figure}"
            );
            let says: BTreeSet<String> = browser
                .lines(&format!(
                    "return [...{drawing}.querySelectorAll('[data-say]')].map((one) => one.dataset.say);"
                ))
                .into_iter()
                .collect();
            browser.run(&format!("{drawing}.focus();"));
            let mut heard = BTreeSet::new();
            for _ in 0..says.len().min(4) {
                browser.press(Key::Right);
                heard.insert(readout(browser, &figure));
            }
            assert!(heard.is_subset(&says), "{figure}: {heard:?}");
            assert_eq!(heard.len(), says.len().min(4), "{figure}: {heard:?}");
            let last = readout(browser, &figure);
            browser.press(Key::Left);
            assert!(
                says.len() == 1 || readout(browser, &figure) != last,
                "{figure}"
            );
        }
    });
}

#[test]
fn the_keyboard_reaches_a_chart() {
    in_every_language(|browser, _, language| {
        for figure in speaking_figures(browser, language) {
            let figure = format!("document.querySelectorAll('figure.chart-figure')[{figure}]");
            browser.tab_to(
                &figure,
                &format!(
                    "[...{figure}.querySelectorAll('svg.chart')].find((svg) => svg.checkVisibility())"
                ),
            );
        }
    });
}

/// Places, among all figures, of those that are shown and have points that say something.
fn speaking_figures(browser: &Browser, language: &str) -> Vec<u64> {
    let main = main_of(language);
    let found = browser.run(&format!(
        "return [...document.querySelectorAll('figure.chart-figure')]
            .map((figure, place) => figure.closest('{main}') && figure.checkVisibility() && figure.querySelector('[data-say]') ? place : -1)
            .filter((place) => place >= 0);"
    ));
    serde_json::from_value(found).expect("places")
}

fn readout(browser: &Browser, figure: &str) -> String {
    let said = browser.run(&format!(
        "return {figure}.querySelector('output.readout').textContent.trim();"
    ));
    said.as_str().expect("text").to_owned()
}
