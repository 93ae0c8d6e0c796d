//! Nothing is cut off, nothing lies on something else, and everything can be read: on a desk and on a telephone.

use crate::reports::WINDOWS;
use crate::{in_every_language, nothing_wrong};

#[test]
fn the_page_is_never_wider_than_the_window() {
    in_every_language(|browser, report, language| {
        for (width, height) in WINDOWS {
            browser.resize(width, height);
            let problems = browser.lines(include_str!("scripts/overflow.js"));
            let place = format!("{} {language} {width} px", report.page().display());
            nothing_wrong(&problems, &place);
        }
    });
}

#[test]
fn texts_of_a_chart_stay_inside_and_apart() {
    in_every_language(|browser, report, language| {
        for (width, height) in WINDOWS {
            browser.resize(width, height);
            let problems = browser.lines(include_str!("scripts/chart_texts.js"));
            let place = format!("{} {language} {width} px", report.page().display());
            nothing_wrong(&problems, &place);
        }
    });
}

#[test]
fn no_text_is_too_small_to_read() {
    in_every_language(|browser, report, language| {
        for (width, height) in WINDOWS {
            browser.resize(width, height);
            browser.run(OPEN_DETAILS);
            let problems = browser.lines(include_str!("scripts/small_texts.js"));
            let place = format!("{} {language} {width} px", report.page().display());
            nothing_wrong(&problems, &place);
        }
    });
}

/// Shows what is folded away.
pub(crate) const OPEN_DETAILS: &str =
    "for (const one of document.querySelectorAll('details')) one.open = true;";
