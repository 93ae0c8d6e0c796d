//! Readers can sort tables by any column.

use fantoccini::key::Key;

use crate::layout::OPEN_DETAILS;
use crate::{in_every_language, nothing_wrong};

#[test]
fn every_column_sorts_both_ways() {
    in_every_language(|browser, report, language| {
        let script = include_str!("scripts/sort.js");
        browser.run(OPEN_DETAILS);
        let tag = language.tag();
        let found = browser.run(&format!("const language = '{tag}';\n{script}"));
        assert!(found["numeric"].as_u64() > Some(0), "{found}");
        assert!(found["worded"].as_u64() > Some(0), "{found}");
        let problems: Vec<String> =
            serde_json::from_value(found["problems"].clone()).expect("lines");
        nothing_wrong(&problems, &report.place(language, "sorted"));
    });
}

#[test]
fn mouse_and_keyboard_sort_a_table() {
    in_every_language(|browser, _, language| {
        let table = format!(
            "document.querySelector('main[lang={}] table')",
            language.tag()
        );
        let sorted = || {
            browser.run(&format!(
                "return [...{table}.tHead.rows[0].cells].map((th) => th.getAttribute('aria-sort'));"
            ))
        };
        let button = |column: usize| {
            format!("{table}.tHead.rows[0].cells[{column}].querySelector('button')")
        };
        browser.click(&button(1));
        let by_mouse = sorted();
        browser.run(&format!("{}.focus();", button(1)));
        browser.press(Key::Enter);
        let by_enter = sorted();
        browser.press(Key::Space);
        let by_space = sorted();
        for order in [&by_mouse, &by_enter] {
            let is_sorted = order[1] == "ascending" || order[1] == "descending";
            assert!(is_sorted, "{order}");
        }
        assert_ne!(by_mouse, by_enter);
        assert_eq!(by_mouse, by_space);
    });
}
