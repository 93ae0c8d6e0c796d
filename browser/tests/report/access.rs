//! For those who do not see the page, or not well.

use std::fs;

use crate::layout::OPEN_DETAILS;
use crate::reports::WINDOWS;
use crate::{in_every_language, nothing_wrong};

#[test]
fn axe_finds_no_violation_in_light_and_dark() {
    in_every_language(|browser, report, language| {
        let axe = fs::read_to_string(&browser.programs.axe).expect("axe-core");
        browser.run(&axe);
        browser.run(OPEN_DETAILS);
        for colours in ["light", "dark"] {
            browser.emulate("screen", colours);
            let found = browser.run_until_done(include_str!("scripts/audit.js"));
            assert!(found["passes"].as_u64() > Some(10), "{found}");
            let violations: Vec<String> =
                serde_json::from_value(found["violations"].clone()).expect("lines");
            let place = format!("{} {language} {colours}", report.page().display());
            nothing_wrong(&violations, &place);
        }
    });
}

#[test]
fn a_page_with_barriers_is_caught() {
    let Some(browser) = crate::Browser::start() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("barriers.html");
    let barriers = "<!doctype html><title>barriers</title><main><h1>barriers</h1>\
                    <p style='color: #ddd; background: #fff'>pale</p><button></button></main>";
    fs::write(&page, barriers).expect("written");
    browser.open(&page);
    browser.run(&fs::read_to_string(&browser.programs.axe).expect("axe-core"));
    let found = browser.run_until_done(include_str!("scripts/audit.js"));
    let violations = found["violations"].to_string();
    for rule in ["button-name", "color-contrast", "html-has-lang"] {
        assert!(violations.contains(rule), "{rule}: {violations}");
    }
}

#[test]
fn whatever_scrolls_can_be_scrolled_with_the_keyboard() {
    in_every_language(|browser, _, language| {
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
        nothing_wrong(&stuck, language);
    });
}
