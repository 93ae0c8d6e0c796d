//! English and Spanish in one page: chosen by mouse or keyboard, with scripts and without.

use fantoccini::key::Key;

use crate::browser::Browser;
use crate::reports::{LANGUAGES, reports};

/// Languages whose text is shown.
fn shown(browser: &Browser) -> Vec<String> {
    browser.lines(
        "return [...document.querySelectorAll('main[lang]')]
            .filter((one) => one.checkVisibility()).map((one) => one.lang);",
    )
}

fn root(browser: &Browser) -> String {
    let lang = browser.run("return document.documentElement.lang;");
    lang.as_str().expect("text").to_owned()
}

fn by_mouse(browser: &Browser, language: &str) {
    browser.click(&format!(
        "document.querySelector('label[for=language-{language}]')"
    ));
}

/// From the top of the page: Tab to the choice, then an arrow.
fn by_keyboard(browser: &Browser, language: &str) {
    browser.tab_to(
        "document.body",
        "document.querySelector('[name=language]:checked')",
    );
    let key = if language == "es" {
        Key::Right
    } else {
        Key::Left
    };
    browser.press(key);
}

fn every_choice_shows_its_language_alone(choose: fn(&Browser, &str)) {
    let Some(browser) = Browser::start() else {
        return;
    };
    for with_scripts in [true, false] {
        browser.allow_scripts(with_scripts);
        for report in reports() {
            browser.open(&report.page());
            assert_eq!(shown(&browser).len(), 1, "before anything is chosen");
            // Back to the first: a choice can be taken back.
            for language in ["es", "en", "es"] {
                choose(&browser, language);
                assert_eq!(shown(&browser), [language], "scripts: {with_scripts}");
                if with_scripts {
                    assert_eq!(root(&browser), language);
                }
            }
            by_mouse(&browser, "en");
        }
    }
}

#[test]
fn the_mouse_chooses_the_language() {
    every_choice_shows_its_language_alone(by_mouse);
}

#[test]
fn the_keyboard_chooses_the_language() {
    every_choice_shows_its_language_alone(by_keyboard);
}

#[test]
fn the_language_is_remembered() {
    let Some(browser) = Browser::start() else {
        return;
    };
    for report in reports() {
        for [first, language] in [LANGUAGES, [LANGUAGES[1], LANGUAGES[0]]] {
            browser.open(&report.page());
            by_mouse(&browser, first);
            by_mouse(&browser, language);
            let kept = browser.run("return localStorage.getItem('hola-language');");
            assert_eq!(kept, language);
            browser.open(&report.page());
            assert_eq!(shown(&browser), [language]);
            assert_eq!(root(&browser), language);
        }
    }
}

#[test]
fn each_language_says_the_same_in_the_same_order() {
    let Some(browser) = Browser::start() else {
        return;
    };
    for report in reports() {
        browser.open(&report.page());
        let [en, es] = LANGUAGES.map(|language| {
            browser.lines(&format!(
                "const count = (what) => document.querySelectorAll(`main[lang={language}] ${{what}}`).length;
                 // Words may need more lines in one of them, so texts of drawings are not counted.
                 return ['section', 'table', 'tr', 'figure', 'details', 'svg', '[data-say]']
                     .map((what) => `${{what}}: ${{count(what)}}`);"
            ))
        });
        assert_eq!(en, es);
    }
}
