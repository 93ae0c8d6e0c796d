//! Accessibility: the rules of axe-core, and the keyboard.

use std::fs;

use fantoccini::key::Key;

use crate::browser::Browser;
use crate::layout::OPEN_DETAILS;
use crate::reports::WINDOWS;
use crate::{browser_with, in_every_language, nothing_wrong};

/// The violations that axe-core finds on the page, and the number of rules that the page keeps.
pub(crate) fn audit(browser: &Browser) -> (Vec<String>, u64) {
    let axe = fs::read_to_string(&browser.programs.axe).expect("axe-core");
    browser.run(&axe);
    let mut found = browser.run_until_done(include_str!("scripts/audit.js"));
    let violations = serde_json::from_value(found["violations"].take()).expect("lines");
    (violations, found["passes"].as_u64().expect("a count"))
}

#[test]
fn axe_finds_no_violation_in_light_and_dark() {
    in_every_language(|browser, report, language| {
        browser.run(OPEN_DETAILS);
        for colours in ["light", "dark"] {
            browser.emulate("screen", colours);
            let (violations, passes) = audit(browser);
            assert!(passes > 10, "{passes} rules");
            nothing_wrong(&violations, &report.place(language, colours));
        }
    });
}

#[test]
fn a_page_with_barriers_is_caught() {
    let barriers = "<!doctype html><title>barriers</title><main><h1>barriers</h1>\
                    <p style='color: #ddd; background: #fff'>pale</p><button></button></main>";
    let Some(browser) = browser_with(barriers) else {
        return;
    };
    let (violations, _) = audit(&browser);
    for rule in ["button-name", "color-contrast", "html-has-lang"] {
        let is_found = violations.iter().any(|line| line.contains(rule));
        assert!(is_found, "{rule}: {violations:?}");
    }
}

#[test]
fn what_scrolls_can_be_scrolled_with_the_keyboard() {
    in_every_language(|browser, report, language| {
        let (width, height) = WINDOWS[1];
        browser.resize(width, height);
        browser.run(OPEN_DETAILS);
        let stuck = browser.lines(
            "return [...document.body.querySelectorAll('*')]
                .filter((one) => one.checkVisibility() && one.scrollWidth > one.clientWidth + 1
                    && ['auto', 'scroll'].includes(getComputedStyle(one).overflowX))
                .filter((one) => one.tabIndex < 0)
                .map((one) => one.outerHTML.slice(0, 120));",
        );
        nothing_wrong(&stuck, &report.place(language, ""));
    });
}

#[test]
fn the_keyboard_reaches_everything_that_can_be_pressed() {
    in_every_language(|browser, _, language| {
        let main = format!("document.querySelector('main[lang={}]')", language.tag());
        let first = |selector: &str| format!("{main}.querySelector('{selector}')");
        let stops = [
            "document.querySelector('[name=language]:checked')".to_owned(),
            "document.querySelector('#theme')".to_owned(),
            first("nav a"),
            first(".scroll"),
            first("th button"),
        ];
        let mut from = "document.body".to_owned();
        for stop in stops {
            browser.tab_to(&from, &stop);
            // An outline shows which element is in focus.
            let has_outline = format!("getComputedStyle({stop}).outlineStyle !== 'none'");
            assert!(browser.holds(&has_outline), "{stop}");
            from = stop;
        }
        let details = first("details");
        browser.tab_to(
            &format!("{details}.parentElement.querySelector('h2')"),
            &format!("{details}.querySelector('summary')"),
        );
        for (key, is_open) in [(Key::Enter, true), (Key::Space, false)] {
            browser.press(key);
            assert_eq!(browser.holds(&format!("{details}.open")), is_open);
        }
    });
}
