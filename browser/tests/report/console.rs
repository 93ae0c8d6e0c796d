//! The pages of `hola console` as an operator and a client see them: in both languages, light and dark, with mouse and
//! keyboard.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use fantoccini::key::Key;
use hola_base::LANGUAGES;

use crate::access::audit;
use crate::browser::Browser;
use crate::driver::HOLA;
use crate::nothing_wrong;
use crate::reports::WINDOWS;

/// Longest wait for a line of the operator.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A console with a page; it ends with the test.
struct RunningConsole {
    console: Child,
    address: String,
    url: String,
    /// Of the page for clients; empty if there is none.
    client_url: String,
}

impl RunningConsole {
    fn start(conversation: &str) -> Self {
        let mut console = Command::new(HOLA);
        console.args(["console", "pre-threaded", "--bind", "127.0.0.1:0", "--page"]);
        console.args(["--conversation", conversation, "--", "--workers", "3"]);
        console.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut console = console.spawn().expect("the program runs");
        let stdout = BufReader::new(console.stdout.take().expect("piped"));
        let mut lines = stdout.lines().map_while(Result::ok);
        let mut after = |text: &str| {
            let line = lines.find_map(|line| Some(line.split_once(text)?.1.to_owned()));
            line.expect("it has started")
        };
        let address = after(" listening on ");
        let url = after("page at ");
        let client_url = match conversation {
            "chat" => after("page for clients at "),
            _ => String::new(),
        };
        // A console whose lines nobody reads ends.
        thread::spawn(move || lines.for_each(drop));
        RunningConsole {
            address,
            url,
            client_url,
            console,
        }
    }

    /// Writes a line at the operator's terminal.
    fn write(&mut self, line: &str) {
        let operator = self.console.stdin.as_mut().expect("piped");
        writeln!(operator, "{line}").expect("the console reads");
    }

    fn connect(&self) -> TcpStream {
        let client = TcpStream::connect(&self.address).expect("the server accepts");
        client.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
        client
    }
}

impl Drop for RunningConsole {
    fn drop(&mut self) {
        let _ = self.console.kill();
        let _ = self.console.wait();
    }
}

/// Whatever would be wrong with the page in a window of each size and in either colours.
pub(crate) fn nothing_wrong_with(browser: &Browser, place: &str) {
    for (width, height) in WINDOWS {
        browser.resize(width, height);
        let place = format!("{place} {width} px");
        let script = include_str!("scripts/overflow.js");
        nothing_wrong(&browser.lines(script), &place);
        let script = include_str!("scripts/small_texts.js");
        nothing_wrong(&browser.lines(script), &place);
        for colours in ["light", "dark"] {
            browser.emulate("screen", colours);
            let (violations, passes) = audit(browser);
            assert!(passes > 10, "{passes} rules");
            nothing_wrong(&violations, &format!("{place} {colours}"));
        }
    }
    nothing_wrong(&browser.errors(), place);
}

/// Writes the value of an expression into the box for text, and presses Enter there.
fn send_with_the_keyboard(browser: &Browser, text: &str) {
    browser.tab_to("document.body", "document.getElementById('text')");
    browser.run(&format!("document.getElementById('text').value = {text};"));
    browser.press(Key::Enter);
}

#[test]
fn a_live_page_has_charts_workers_and_no_barrier() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let console = RunningConsole::start("http");
    for language in LANGUAGES {
        let tag = language.tag();
        browser.open_url(&format!("{}&lang={tag}", console.url));
        browser.until("document.querySelector('#charts polyline')?.points.length > 2");
        browser.until("document.querySelectorAll('#workers li').length === 3");
        assert!(browser.holds(&format!("document.documentElement.lang === '{tag}'")));
        let charts = browser.lines(
            "return [...document.querySelectorAll('#charts svg')]
                .map((one) => document.getElementById(one.getAttribute('aria-labelledby')).textContent);",
        );
        assert_eq!(charts.len(), 6, "{charts:?}");
        nothing_wrong_with(&browser, &format!("live {tag}"));
    }
    let others = browser.requests().into_iter();
    let origin = console.url.split("/?").next().expect("an origin");
    let others = others.filter(|url| !url.starts_with(origin) && url != "about:blank");
    nothing_wrong(&others.collect::<Vec<_>>(), "requests");
}

#[test]
fn the_load_is_put_on_with_the_keyboard_and_its_result_is_shown() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let console = RunningConsole::start("echo");
    browser.open_url(&console.url);
    browser.tab_to("document.body", "document.getElementById('load')");
    browser.press(Key::Enter);
    browser.until("document.getElementById('load-state').textContent.includes('2,000')");
    browser.until("document.getElementById('load-state').textContent.includes('Answered rightly')");
}

#[test]
fn a_chat_is_answered_with_the_keyboard_and_its_texts_are_no_markup() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let console = RunningConsole::start("chat");
    let mut client = console.connect();
    let hostile = "<img src=x onerror=document.title='caught'><b>bold</b>";
    client.write_all(hostile.as_bytes()).expect("sent");
    for language in LANGUAGES {
        let tag = language.tag();
        browser.open_url(&format!("{}&lang={tag}", console.url));
        browser.until("document.querySelectorAll('#roster tr').length === 1");
        browser.until("document.getElementById('log').textContent.includes('<b>bold</b>')");
        assert!(
            browser.holds(
                "!document.querySelector('#log :is(img, b)') && document.title !== 'caught'"
            )
        );
        assert!(browser.holds(
            "document.getElementById('client-page').textContent.startsWith(location.origin + '/client/?token=')"
        ));
        send_with_the_keyboard(&browser, &format!("'hola {tag}'"));
        let mut answer = vec![0; "hola en\n".len()];
        client.read_exact(&mut answer).expect("an answer");
        assert_eq!(answer, format!("hola {tag}\n").as_bytes());
        browser.until(&format!(
            "document.querySelector('#log .answer:last-of-type')?.textContent.includes('hola {tag}')"
        ));
        nothing_wrong_with(&browser, &format!("chat {tag}"));
    }
    drop(client);
    browser.until("document.querySelectorAll('#roster tr').length === 0");
    browser.until("!document.getElementById('nobody').hidden");
}

#[test]
fn a_client_takes_part_with_the_keyboard_and_a_reload_keeps_what_was_said() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let mut console = RunningConsole::start("chat");
    let ends_with = |text: &str| {
        browser.until(&format!(
            "document.getElementById('log').lastElementChild?.textContent.endsWith('{text}')"
        ));
    };
    for language in LANGUAGES {
        let tag = language.tag();
        let url = format!("{}&lang={tag}", console.client_url);
        browser.open_url(&url);
        browser.until("document.getElementById('connection').dataset.state === 'connected'");
        browser.until("document.querySelector('#log .note:last-child')");
        send_with_the_keyboard(&browser, &format!("'<b>hola {tag}</b>'"));
        ends_with(&format!(": <b>hola {tag}</b>"));
        assert!(browser.holds("document.getElementById('text').value === ''"));
        console.write(&format!("* <i>adiós {tag}</i>"));
        ends_with(&format!(": <i>adiós {tag}</i>"));
        browser.open_url(&url);
        browser.until("document.querySelector('#log .note:last-child')");
        for said in [format!("<b>hola {tag}</b>"), format!("<i>adiós {tag}</i>")] {
            let is_kept = format!("document.getElementById('log').textContent.includes('{said}')");
            assert!(browser.holds(&is_kept), "{said}");
        }
        assert!(browser.holds("!document.querySelector('#log :is(b, i)')"));
        nothing_wrong_with(&browser, &format!("client {tag}"));
    }
    send_with_the_keyboard(&browser, "'ñ'.repeat(600)");
    browser.until("document.getElementById('say-state').textContent.includes('1200')");
    assert!(browser.holds("document.getElementById('text').value.length === 600"));
    let others = browser.requests().into_iter();
    let origin = console.url.split("/?").next().expect("an origin");
    let others = others.filter(|url| !url.starts_with(origin) && url != "about:blank");
    nothing_wrong(&others.collect::<Vec<_>>(), "requests");
}
