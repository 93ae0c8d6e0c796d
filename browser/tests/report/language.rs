//! English and Spanish in one page: the reader chooses by mouse or keyboard, with or without scripts.

use fantoccini::key::Key;
use hola_base::{LANGUAGES, Language};

use crate::browser::Browser;
use crate::{choose, for_every_report};

const SPANISH_AND_BACK: [Language; 3] = [Language::Spanish, Language::English, Language::Spanish];

/// Languages whose text is shown.
fn shown(browser: &Browser) -> Vec<String> {
    browser.lines(
        "return [...document.querySelectorAll('main[lang]')]
            .filter((one) => one.checkVisibility()).map((one) => one.lang);",
    )
}

/// Language and title of the document, which a screen reader uses.
fn announced(browser: &Browser) -> Vec<String> {
    browser.lines("return [document.documentElement.lang, document.title];")
}

/// Starts at the top of the page: Tab to the choice, then an arrow key.
fn choose_by_keyboard(browser: &Browser, language: Language) {
    browser.tab_to(
        "document.body",
        "document.querySelector('[name=language]:checked')",
    );
    browser.press(language.choose(|| Key::Left, || Key::Right));
}

fn every_choice_shows_its_language_alone(choose: fn(&Browser, Language)) {
    for_every_report(|browser, report| {
        for with_scripts in [true, false] {
            browser.allow_scripts(with_scripts);
            browser.open(&report.page());
            if with_scripts {
                browser.run("localStorage.clear();");
                browser.open(&report.page());
            }
            assert_eq!(shown(browser), ["en"], "before anything is chosen");
            for language in SPANISH_AND_BACK {
                let tag = language.tag();
                choose(browser, language);
                assert_eq!(shown(browser), [tag], "scripts: {with_scripts}");
                if with_scripts {
                    let title = browser.lines(&format!(
                        "return [document.querySelector('main[lang={tag}] h1').textContent];"
                    ));
                    assert_eq!(announced(browser), [tag, title[0].as_str()]);
                }
            }
        }
    });
}

#[test]
fn the_mouse_chooses_the_language() {
    every_choice_shows_its_language_alone(choose);
}

#[test]
fn the_keyboard_chooses_the_language() {
    every_choice_shows_its_language_alone(choose_by_keyboard);
}

#[test]
fn the_language_is_remembered() {
    for_every_report(|browser, report| {
        browser.open(&report.page());
        for language in SPANISH_AND_BACK {
            choose(browser, language);
            browser.open(&report.page());
            assert_eq!(shown(browser), [language.tag()]);
            assert_eq!(announced(browser)[0], language.tag());
        }
    });
}

#[test]
fn an_address_with_an_anchor_shows_its_language_and_unfolds_it() {
    for_every_report(|browser, report| {
        for language in LANGUAGES {
            browser.open(&report.page());
            let anchor = browser.lines(&format!(
                "return [document.querySelector('main[lang={}] details[id]').id];",
                language.tag()
            ));
            let anchor = &anchor[0];
            browser.open_at(&report.page(), anchor);
            assert_eq!(shown(browser), [language.tag()]);
            let found = browser.run(&format!(
                "const one = document.getElementById('{anchor}');
                 return {{ open: one.open, top: one.getBoundingClientRect().top, height: innerHeight }};"
            ));
            let (top, height) = (found["top"].as_f64(), found["height"].as_f64());
            // A page scrolls by whole pixels.
            assert!(
                found["open"] == true && top > Some(-1.0) && top < height,
                "{anchor}: {found}"
            );
        }
    });
}
