//! The page for clients of a chat: each page that is open is a client of the server.

use std::io::BufRead;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::{Page, PageEvents, connected, left, message};
use crate::chat::Chat;
use crate::support::eventually;

/// Pages that may be open at once.
const PAGES_MAX: usize = 64;

/// A page for clients that is open: its events, and the key with which it writes.
struct OpenPage<'p> {
    page: &'p Page,
    events: PageEvents,
    key: Value,
    address: Value,
}

impl<'p> OpenPage<'p> {
    fn open(page: &'p Page) -> Self {
        let mut events = page.events();
        let (_, mut joined) = events.next(&["joined"]);
        OpenPage {
            page,
            events,
            key: joined["key"].take(),
            address: joined["address"].take(),
        }
    }

    /// Writes a line; returns the status of the answer.
    fn writes(&self, text: &str) -> u16 {
        self.page
            .post("/say", &json!({"key": self.key, "text": text}))
    }

    /// Waits for the next line of the operator, which must be this one.
    fn reads(&mut self, text: &str) {
        let (_, line) = self.events.next(&["line", "closed"]);
        assert_eq!(line["text"], text);
    }
}

#[test]
fn each_page_is_a_client_that_the_operator_sees_reads_and_answers() {
    for model in ["thread-per-client", "epoll", "tokio", "pre-forked"] {
        let console = Chat::start_with(model, &["--page"]);
        let (operator, page) = (Page::of(&console), Page::for_clients(&console));
        let mut events = operator.events();
        let mut first = OpenPage::open(&page);
        let (_, joined) = events.next(&["connected"]);
        assert_eq!(joined["address"], first.address, "{model}");
        assert_eq!(first.writes("¿hay alguien? "), 202);
        assert_eq!(events.line(), message(1, "¿hay alguien?"));
        let mut second = OpenPage::open(&page);
        assert_eq!(events.line(), connected(2, 2));
        assert_eq!(second.writes("<b>hola</b>"), 202);
        assert_eq!(events.line(), message(2, "<b>hola</b>"));
        let answer = |to: Value, text: &str| operator.answer(&json!({"to": to, "text": text}));
        assert_eq!(answer(json!(1), "only you"), 202);
        first.reads("only you");
        assert_eq!(answer(Value::Null, "<i>\u{202e}both"), 202);
        first.reads("<i>\\u{202e}both");
        second.reads("<i>\\u{202e}both");
        let key = first.key.clone();
        drop(first);
        let (_, gone) = events.next(&["left", "failed"]);
        assert_eq!(gone["kind"], "left", "{model}: {gone}");
        assert_eq!(page.post("/say", &json!({"key": key, "text": "gone"})), 404);
        assert_eq!(second.writes("still here"), 202);
        assert_eq!(events.line(), message(2, "still here"));
        console.end();
    }
}

#[test]
fn neither_link_opens_anything_of_the_other_page() {
    let console = Chat::start_with("epoll", &["--page"]);
    let (operator, page) = (Page::of(&console), Page::for_clients(&console));
    assert_ne!(operator.token, page.token);
    let with = |token: &str, path: &str| format!("{path}?token={token}");
    for path in ["/", "/page.css", "/page.js", "/icon.svg", "/events"] {
        let answer = operator.get(&with(&page.token, path));
        assert_eq!(answer.status, 403, "{path}");
        let answer = page.get(&with(&operator.token, &format!("/client{path}")));
        assert_eq!(answer.status, 403, "/client{path}");
    }
    let host = format!("Host: {}", page.host);
    for (token, path) in [
        (&page.token, "/answer"),
        (&page.token, "/load"),
        (&operator.token, "/client/say"),
    ] {
        let answer = page.ask("POST", &with(token, path), &host, "{}");
        assert_eq!(answer.status, 403, "{path}");
    }
    for path in ["/answer", "/load"] {
        assert_eq!(page.post(path, &json!({"to": null, "text": "a"})), 404);
    }
    let link = format!("href=\"client/?token={}\"", page.token);
    assert!(operator.get(&operator.path("/")).body.contains(&link));
    for path in ["/", "/page.css", "/page.js", "/icon.svg"] {
        let body = page.shows_only_itself(path).body;
        assert!(!body.contains(&operator.token), "{path}");
        assert!(!body.contains("id=\"roster\""), "{path}");
    }
    for (language, words) in [
        ("en", "Take part in the chat"),
        ("es", "Participar en el chat"),
    ] {
        let document = page.get(&format!("{}&lang={language}", page.path("/")));
        assert!(document.body.contains(words), "{}", document.body);
    }
    console.end();
}

#[test]
fn a_line_longer_than_the_server_reads_at_once_is_refused() {
    let console = Chat::start_with("epoll", &["--page"]);
    let page = Page::for_clients(&console);
    let mut events = Page::of(&console).events();
    let client = OpenPage::open(&page);
    assert_eq!(events.line(), connected(1, 1));
    for too_long in ["a".repeat(1_024), "ñ".repeat(512)] {
        assert_eq!(client.writes(&too_long), 413);
    }
    for no_line in ["", "  ", "two\nlines"] {
        assert_eq!(client.writes(no_line), 400);
    }
    let foreign = json!({"key": page.token, "text": "not mine"});
    assert_eq!(page.post("/say", &foreign), 404);
    let longest = "a".repeat(1_023);
    assert_eq!(client.writes(&longest), 202);
    assert_eq!(events.line(), message(1, &longest));
    console.end();
}

#[test]
fn pages_are_bounded_and_one_that_leaves_makes_room() {
    let console = Chat::start_with("tokio", &["--page"]);
    let page = Page::for_clients(&console);
    let mut open: Vec<OpenPage> = (0..PAGES_MAX).map(|_| OpenPage::open(&page)).collect();
    assert_eq!(page.get(&page.path("/events")).status, 503);
    open.pop();
    eventually("there is room", || {
        let mut status = String::new();
        let answer = page.events().0.read_line(&mut status);
        answer.is_ok() && status.contains(" 200 ")
    });
    drop(open);
    console.shows("; 0 here");
    console.end();
}

#[test]
fn a_page_learns_that_the_server_has_closed_its_connection() {
    let console = Chat::start_with("fork-per-client", &["--page"]);
    let page = Page::for_clients(&console);
    let mut events = Page::of(&console).events();
    let mut client = OpenPage::open(&page);
    assert_eq!(events.line(), connected(1, 1));
    let (_, processes) = console.server_and_children();
    kill(Pid::from_raw(processes[0]), Signal::SIGKILL).expect("it is there");
    client.events.next(&["closed"]);
    assert_eq!(events.line(), left(1, 0, true));
    eventually("its key is forgotten", || client.writes("late") == 404);
    console.end();
}

#[test]
fn only_a_chat_has_a_page_for_clients() {
    let console = Chat::start_with("epoll", &["--page", "--conversation", "echo"]);
    let operator = Page::of(&console);
    assert_eq!(operator.get(&operator.path("/client/")).status, 403);
    let document = operator.get(&operator.path("/")).body;
    assert!(!document.contains("client/?token="));
    console.end();
}
