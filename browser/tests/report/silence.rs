//! A report loads no other file and logs no errors.

use crate::{browser_with, in_every_language, nothing_wrong};

#[test]
fn a_report_asks_nobody_for_anything_and_says_nothing_of_errors() {
    in_every_language(|browser, report, language| {
        let pressed = browser.run(include_str!("scripts/press_everything.js"));
        assert!(pressed.as_u64() > Some(100), "{pressed} buttons");
        let page = browser.run("return location.href;");
        let requests = browser.requests();
        if language == hola_base::LANGUAGES[0] {
            // The log contains the request for the page itself, so it would contain others, too.
            assert!(!requests.is_empty(), "no record of requests");
        }
        let others = requests.into_iter().filter(|url| page != url.as_str());
        let place = report.place(language, "");
        nothing_wrong(&others.collect::<Vec<_>>(), &place);
        nothing_wrong(&browser.errors(), &place);
    });
}

#[test]
fn an_error_and_a_request_would_be_seen() {
    let noisy =
        "<!doctype html><title>noisy</title><img src='http://example.invalid/a.png' alt=''>";
    let Some(browser) = browser_with(noisy) else {
        return;
    };
    for lines in [browser.requests(), browser.errors()] {
        assert!(
            lines.iter().any(|line| line.contains("/a.png")),
            "{lines:?}"
        );
    }
}
