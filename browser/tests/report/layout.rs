//! Nothing is cut off, nothing overlaps, and everything is readable, on a desktop and on a phone.

use crate::reports::WINDOWS;
use crate::{in_every_language, nothing_wrong};

/// Unfolds all folded content.
pub(crate) const OPEN_DETAILS: &str =
    "for (const one of document.querySelectorAll('details')) one.open = true;";

/// Runs the script with everything unfolded, in a window of each size; it must report no problems.
fn nothing_wrong_at_any_size(script: &str) {
    in_every_language(|browser, report, language| {
        browser.run(OPEN_DETAILS);
        for (width, height) in WINDOWS {
            browser.resize(width, height);
            let place = report.place(language, &format!("{width} px"));
            nothing_wrong(&browser.lines(script), &place);
        }
    });
}

#[test]
fn the_page_is_never_wider_than_the_window() {
    nothing_wrong_at_any_size(include_str!("scripts/overflow.js"));
}

#[test]
fn charts_have_titles_and_their_texts_stay_inside_and_apart() {
    nothing_wrong_at_any_size(include_str!("scripts/charts.js"));
}

#[test]
fn no_text_is_too_small_to_read() {
    nothing_wrong_at_any_size(include_str!("scripts/small_texts.js"));
}

#[test]
fn the_answer_and_what_it_rests_on_are_seen_without_scrolling() {
    in_every_language(|browser, report, language| {
        let (width, height) = WINDOWS[0];
        browser.resize(width, height);
        browser.run("scrollTo(0, 0);");
        let below = browser.lines(&format!(
            "const seen = [...document.querySelectorAll('main[lang={}] :is(h1, .notice, .answer), .switches :is(label, button)')]
                .filter((one) => one.getClientRects().length);
             const count = (selector) => seen.filter((one) => one.matches(selector)).length;
             const wanted = ['h1', '.notice', '.answer', 'label', 'button'].filter((one) => !count(one));
             return [...wanted.map((one) => `no ${{one}}`), ...seen
                .map((one) => [one, one.getBoundingClientRect()])
                .filter(([, box]) => box.top < 0 || box.bottom > innerHeight)
                .map(([one, box]) => `${{Math.round(box.bottom)}} px: ${{one.textContent.trim().slice(0, 80)}}`)];",
            language.tag()
        ));
        nothing_wrong(&below, &report.place(language, "first screen"));
    });
}
