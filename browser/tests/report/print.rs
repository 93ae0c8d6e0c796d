//! The printed report.

use std::fs;

use crate::layout::OPEN_DETAILS;
use crate::{in_every_language, nothing_wrong};

#[test]
fn a_printed_report_has_all_that_is_folded_away_on_a_screen() {
    in_every_language(|browser, report, language| {
        let tag = language.tag();
        let folded = "return document.querySelectorAll('details:not([open])').length;";
        let before = browser.run(folded);
        assert!(before.as_u64() > Some(10), "{before} are folded");
        let pdf = browser.print();
        // The file stays, so that a person can look at it.
        let file = report.page().with_extension(format!("{tag}.pdf"));
        fs::write(&file, &pdf).expect("written");
        assert!(pdf.starts_with(b"%PDF-"), "{}", file.display());
        assert_eq!(browser.run(folded), before, "folded again afterwards");
        browser.run(OPEN_DETAILS);
        let unfolded = pages(&browser.print());
        assert!(unfolded > 10, "{unfolded} pages");
        assert_eq!(pages(&pdf), unfolded, "{}", file.display());
    });
}

#[test]
fn every_section_of_the_chosen_language_is_on_paper_and_nothing_else() {
    in_every_language(|browser, report, language| {
        browser.emulate("print", "light");
        browser.resize(PAPER_PX, PAPER_PX);
        let problems = browser.lines(&format!(
            "const seen = (one) => one.checkVisibility({{ contentVisibilityProperty: true }}) && one.getClientRects().length > 0;
             const name = (one) => one.textContent.trim().slice(0, 80);
             const own = document.querySelector('main[lang={}]');
             // What is folded away is there, too: its texts, tables and drawings.
             const missing = [...own.querySelectorAll('section, h1, h2, h3, p, li, pre, summary, table, svg')]
                 .filter((one) => !one.closest('nav') && !seen(one));
             const needless = [...document.querySelectorAll('nav, button#theme, input, main')]
                 .filter((one) => one !== own && seen(one));
             const cut = [...own.querySelectorAll('table, svg, pre')]
                 .filter((one) => one.getBoundingClientRect().right > innerWidth || one.scrollWidth > innerWidth);
             return [...missing.map((one) => `missing: ${{name(one)}}`), ...needless.map((one) => `there: ${{name(one)}}`),
                 ...cut.map((one) => `cut off: ${{name(one)}}`)];",
            language.tag()
        ));
        browser.emulate("screen", "light");
        nothing_wrong(&problems, &report.place(language, "on paper"));
    });
}

/// Width of A4 without margins, 190 mm, plus a third: a browser lays out a printed page at this width, then shrinks it.
const PAPER_PX: u32 = 957;

/// Number of pages of a PDF with uncompressed page objects, as Chromium writes them.
fn pages(pdf: &[u8]) -> usize {
    const PAGE: &[u8] = b"/Type /Page";
    let found = pdf.windows(PAGE.len() + 1);
    found
        .filter(|bytes| bytes.starts_with(PAGE) && bytes[PAGE.len()] != b's')
        .count()
}
