//! Tests the report as readers see it: opened from disk in a real browser, offline, in both languages; the page of
//! `hola judge`; and that of `hola console`, on loopback.
//!
//! `browser/install` installs the browser. If it is missing, all tests are skipped, with one message.
mod access;
mod browser;
mod console;
mod driver;
mod figures;
mod judge;
mod language;
mod layout;
mod print;
mod reports;
mod silence;
mod sorting;
mod theme;

// The made-up run is the one of the tests without a browser.
#[path = "../../../report/tests/pages/fixture.rs"]
#[allow(dead_code, reason = "used here in part")]
mod fixture;
#[allow(dead_code, reason = "each crate's tests use their part")]
#[path = "../../../verdict/tests/verdict/world.rs"]
mod world;

use hola_base::{LANGUAGES, Language};

use browser::Browser;
use reports::{Report, reports};

/// Calls `look` for every report, in one browser, which has not opened it yet.
fn for_every_report(look: impl Fn(&Browser, &Report)) {
    if let Some(browser) = Browser::start() {
        reports().iter().for_each(|report| look(&browser, report));
    }
}

/// Opens every report in every language in one browser, and calls `look` for each.
fn in_every_language(look: impl Fn(&Browser, &Report, Language)) {
    for_every_report(|browser, report| {
        for language in LANGUAGES {
            browser.open(&report.page());
            choose(browser, language);
            look(browser, report, language);
        }
    });
}

/// A browser that shows the page with this source; `None` if it is not installed.
fn browser_with(source: &str) -> Option<Browser> {
    let browser = Browser::start()?;
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("page.html");
    std::fs::write(&page, source).expect("written");
    browser.open(&page);
    Some(browser)
}

/// Chooses the page's language as a reader does.
fn choose(browser: &Browser, language: Language) {
    let tag = language.tag();
    browser.click(&format!(
        "document.querySelector('label[for=language-{tag}]')"
    ));
    assert!(
        browser.holds(&format!(
            "document.querySelector('main[lang={tag}]').checkVisibility()"
        )),
        "{tag} is not shown"
    );
}

/// Fails with all problems, one per line.
fn nothing_wrong(problems: &[String], place: &str) {
    assert!(
        problems.is_empty(),
        "{place}: {} problems\n{}",
        problems.len(),
        problems.join("\n")
    );
}
