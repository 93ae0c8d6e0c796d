//! The page of `hola judge` as a student sees it: in both languages, light and dark, on a desktop and a phone.

use std::process::Command;

use hola_base::LANGUAGES;

use crate::console::nothing_wrong_with;
use crate::driver::HOLA;
use crate::{browser_with, choose};

#[test]
fn the_page_of_an_examination_has_no_barrier_and_runs_nothing_that_a_server_wrote() {
    let hostile = "<img src=x onerror=document.title='caught'>";
    let script = "exec \"$0\" serve epoll --bind 127.0.0.1:$1";
    let mut judge = Command::new(HOLA);
    judge.args(["judge", "--format", "html", "--expect", "iterative"]);
    judge.args(["--", "sh", "-c", script, HOLA, "{port}", hostile]);
    let page = judge.output().expect("the program runs").stdout;
    let Some(browser) = browser_with(&String::from_utf8(page).expect("text")) else {
        return;
    };
    for language in LANGUAGES {
        choose(&browser, language);
        let tag = language.tag();
        let failed = format!("document.getElementById('{tag}-kind').checkVisibility()");
        assert!(browser.holds(&failed));
        nothing_wrong_with(&browser, &format!("judge {tag}"));
        assert!(browser.holds("!document.querySelector('img') && document.title !== 'caught'"));
    }
}
