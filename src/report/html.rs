//! A report as one HTML file that asks nothing of the network and runs no script.

use askama::Template;

use super::view::{Cell, Report};
use super::words;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'r> {
    report: &'r Report,
    sections: [&'r super::view::Section; 3],
}

/// The whole page.
pub(super) fn page(report: &Report) -> String {
    let page = Page {
        report,
        sections: [&report.validity, &report.reading, &report.method],
    };
    // The template calls nothing that can fail, and writing to a String cannot.
    page.render()
        .expect("a template without fallible parts renders")
}
