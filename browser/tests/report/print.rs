//! On paper.

use std::path::Path;

use crate::browser::Browser;
use crate::in_every_language;
use crate::layout::OPEN_DETAILS;
use crate::reports::reports;

#[test]
fn a_printed_report_has_pages_with_all_that_is_folded_away_on_a_screen() {
    in_every_language(|browser, report, language| {
        let folded = printed(
            browser,
            &report.page().with_extension(format!("{language}.pdf")),
        );
        // All that folds is in the small report, and the other takes half a minute to print.
        let [_, small] = reports();
        if std::ptr::eq(report, small) {
            browser.run(OPEN_DETAILS);
            let unfolded = pages(&browser.print());
            assert_eq!(folded, unfolded, "{language}");
        }
    });
}

/// Pages of the report as it is printed; the file stays, for a person to look at.
fn printed(browser: &Browser, file: &Path) -> usize {
    const TRIVIAL_OCTETS: usize = 20_000;
    let pdf = browser.print();
    std::fs::write(file, &pdf).expect("written");
    assert!(pdf.starts_with(b"%PDF-"), "{}", file.display());
    assert!(pdf.len() > TRIVIAL_OCTETS, "{} octets", pdf.len());
    let pages = pages(&pdf);
    assert!(pages >= 2, "{}: {pages} pages", file.display());
    pages
}

/// Pages of a PDF whose page objects are not compressed, as Chromium's are not.
fn pages(pdf: &[u8]) -> usize {
    const PAGE: &[u8] = b"/Type /Page";
    let found = pdf.windows(PAGE.len() + 1);
    found
        .filter(|octets| octets.starts_with(PAGE) && octets[PAGE.len()] != b's')
        .count()
}
