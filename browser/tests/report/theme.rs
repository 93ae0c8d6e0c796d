//! Themes: light, dark, or that of the system.

use crate::browser::Browser;
use crate::for_every_report;

const BUTTON: &str = "document.querySelector('#theme')";

/// The page's own theme, and its background and text colours.
fn look(browser: &Browser) -> (Option<String>, String) {
    let found = browser.run(
        "const style = getComputedStyle(document.body);
         return [document.documentElement.dataset.theme ?? null, style.backgroundColor + ' ' + style.color];",
    );
    let theme = found[0].as_str().map(str::to_owned);
    (theme, found[1].as_str().expect("colours").to_owned())
}

#[test]
fn the_button_goes_from_light_to_dark_to_the_systems() {
    for_every_report(|browser, report| {
        browser.emulate("screen", "light");
        browser.open(&report.page());
        let (theme, light) = look(browser);
        assert_eq!(theme, None, "a page begins as the system is");
        browser.emulate("screen", "dark");
        let (_, dark) = look(browser);
        assert_ne!(light, dark);
        for (system, own) in [("light", &light), ("dark", &dark)] {
            browser.emulate("screen", system);
            for (theme, colours) in [(Some("light"), &light), (Some("dark"), &dark), (None, own)] {
                browser.click(BUTTON);
                let chosen = (theme.map(str::to_owned), colours.clone());
                assert_eq!(look(browser), chosen, "under a {system} system");
                browser.open(&report.page());
                assert_eq!(look(browser), chosen, "remembered");
            }
        }
    });
}

#[test]
fn without_scripts_there_is_no_button_that_does_nothing() {
    for_every_report(|browser, report| {
        browser.allow_scripts(false);
        browser.open(&report.page());
        let buttons = browser.lines(
            "return [...document.querySelectorAll('button')]
                .filter((one) => one.checkVisibility()).map((one) => one.outerHTML);",
        );
        assert_eq!(buttons, [""; 0]);
    });
}
