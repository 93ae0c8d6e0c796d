//! The report as its readers meet it: opened from disk in a real browser, offline, in both languages.
//!
//! `browser/install` installs the browser. Where it is missing, all of this is skipped, and says so once.
mod access;
mod browser;
mod charts;
mod driver;
mod figures;
mod language;
mod layout;
mod print;
mod reports;
mod silence;
mod sorting;
mod theme;

// The small run is that of the tests without a browser.
#[path = "../../../tests/report/eventful.rs"]
mod eventful;
#[path = "../../../tests/report/fixture.rs"]
#[allow(dead_code, reason = "used here in part")]
mod fixture;
#[path = "../../../tests/report/noise.rs"]
mod noise;

use browser::Browser;
use reports::{LANGUAGES, Report, main_of, reports};

/// Does `look` at every report in every language, freshly opened, in one browser.
fn in_every_language(look: impl Fn(&Browser, &Report, &str)) {
    let Some(browser) = Browser::start() else {
        return;
    };
    for report in reports() {
        for language in LANGUAGES {
            browser.open(&report.page());
            speak(&browser, language);
            look(&browser, report, language);
        }
    }
}

/// Chooses the page's language as a reader does.
fn speak(browser: &Browser, language: &str) {
    browser.click(&format!(
        "document.querySelector('label[for=language-{language}]')"
    ));
    let chosen = main_of(language);
    assert!(
        browser.holds(&format!(
            "document.querySelector('{chosen}').checkVisibility()"
        )),
        "{chosen} is not shown"
    );
}

/// Fails with all that is wrong, each in a line.
fn nothing_wrong(problems: &[String], place: &str) {
    assert!(
        problems.is_empty(),
        "{place}: {} problems\n{}",
        problems.len(),
        problems.join("\n")
    );
}
