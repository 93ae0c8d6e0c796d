//! The pages of `hola console`: who may open them, what they are told, what they can ask for.

mod chat;
mod client;
mod live;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

use crate::chat::Chat;
use crate::support::{TIMEOUT, refused};

/// Kinds of events that are lines of the chat.
const LINE_KINDS: [&str; 7] = [
    "connected",
    "message",
    "answer",
    "dropped",
    "failed",
    "left",
    "missing",
];

/// A page of a console.
struct Page {
    /// Its address and port.
    host: String,
    /// Path of what it asks for; empty for the operator's page.
    folder: String,
    token: String,
}

/// An answer to a request of the page.
struct PageAnswer {
    status: u16,
    head: String,
    body: String,
}

impl Page {
    /// The operator's page.
    fn of(console: &Chat) -> Self {
        Self::at(&console.word_after("page at "))
    }

    /// The page for clients.
    fn for_clients(console: &Chat) -> Self {
        Self::at(&console.word_after("page for clients at "))
    }

    fn at(url: &str) -> Self {
        let parts = url.strip_prefix("http://").and_then(|url| {
            let (place, token) = url.split_once("/?token=")?;
            let at = place.find('/').unwrap_or(place.len());
            Some((place.split_at(at), token))
        });
        let ((host, folder), token) = parts.expect("an address with a token");
        Page {
            host: host.to_owned(),
            folder: folder.to_owned(),
            token: token.to_owned(),
        }
    }

    /// A path with the token.
    fn path(&self, path: &str) -> String {
        format!("{}{path}?token={}", self.folder, self.token)
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.host).expect("the page listens")
    }

    /// Sends a request; in HTTP/1.0 an answer has no chunks.
    fn send(mut socket: TcpStream, request: &str) -> TcpStream {
        socket.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
        socket.write_all(request.as_bytes()).expect("sent");
        socket
    }

    /// The answer to a request with those fields.
    fn ask(&self, method: &str, path: &str, fields: &str, body: &str) -> PageAnswer {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.0\r\nContent-Length: {length}\r\n{fields}\r\n\r\n{body}"
        );
        let mut socket = Self::send(self.connect(), &request);
        let mut answer = String::new();
        socket.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        PageAnswer {
            status: head[9..12].parse().expect("a status code"),
            head: head.to_lowercase(),
            body: body.to_owned(),
        }
    }

    fn get(&self, path: &str) -> PageAnswer {
        self.ask("GET", path, &format!("Host: {}", self.host), "")
    }

    /// The answer to a path with the token, which no other page may show or learn of.
    fn shows_only_itself(&self, path: &str) -> PageAnswer {
        let answer = self.get(&self.path(path));
        assert_eq!(answer.status, 200, "{path}");
        for field in [
            "content-security-policy: default-src 'self'",
            "referrer-policy: no-referrer",
            "x-content-type-options: nosniff",
            "cache-control: no-store",
        ] {
            assert!(answer.head.contains(field), "{path}: {field}");
        }
        answer
    }

    /// Sends a value; returns the status of the answer.
    fn post(&self, path: &str, value: &Value) -> u16 {
        let fields = format!("Host: {}\r\nContent-Type: application/json", self.host);
        let body = value.to_string();
        self.ask("POST", &self.path(path), &fields, &body).status
    }

    /// Sends what the operator says; returns the status of the answer.
    fn answer(&self, answer: &Value) -> u16 {
        self.post("/answer", answer)
    }

    /// Its events, after the one of that id.
    fn events_after(&self, id: &str) -> PageEvents {
        self.events_over(self.connect(), id)
    }

    /// The same, over that connection.
    fn events_over(&self, socket: TcpStream, id: &str) -> PageEvents {
        let (path, host) = (self.path("/events"), &self.host);
        let request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\nLast-Event-ID: {id}\r\n\r\n");
        PageEvents(BufReader::new(Self::send(socket, &request)))
    }

    fn events(&self) -> PageEvents {
        self.events_after("")
    }
}

/// What a page gets.
struct PageEvents(BufReader<TcpStream>);

impl PageEvents {
    /// The next event of one of those kinds, with its id.
    fn next(&mut self, kinds: &[&str]) -> (String, Value) {
        let mut event = Value::Null;
        let mut id = String::new();
        loop {
            let mut line = String::new();
            let count = self.0.read_line(&mut line).expect("an event in time");
            assert!(count > 0, "the stream has ended, without {kinds:?}");
            if let Some(data) = line.strip_prefix("data:") {
                event = serde_json::from_str(data).expect("JSON");
            } else if let Some(given) = line.strip_prefix("id:") {
                id = given.trim().to_owned();
            } else if line.trim().is_empty() && kinds.iter().any(|kind| event["kind"] == *kind) {
                return (id, event);
            }
        }
    }

    /// The next event of the chat, without what differs from run to run.
    fn line(&mut self) -> Value {
        let (_, mut event) = self.next(&LINE_KINDS);
        let event = event.as_object_mut().expect("an object");
        for varying in ["number", "time_ms", "address"] {
            event.remove(varying);
        }
        Value::Object(event.clone())
    }

    /// The next sample of which `holds` is true.
    fn sample(&mut self, holds: impl Fn(&Value) -> bool) -> Value {
        loop {
            let (_, sample) = self.next(&["sample"]);
            if holds(&sample) {
                return sample;
            }
        }
    }
}

fn connected(client: u64, here: u64) -> Value {
    json!({"kind": "connected", "client": client, "here": here})
}

fn message(client: u64, text: &str) -> Value {
    json!({"kind": "message", "client": client, "text": text})
}

fn left(client: u64, here: u64, died: bool) -> Value {
    json!({"kind": "left", "client": client, "here": here, "died": died})
}

#[test]
fn only_who_knows_the_address_and_is_on_this_machine_gets_the_page() {
    let console = Chat::start_with("epoll", &["--page"]);
    let page = Page::of(&console);
    let host = format!("Host: {}", page.host);
    for path in [
        "/",
        "/page.css",
        "/page.js",
        "/icon.svg",
        "/events",
        "/nothing",
    ] {
        for query in ["", "?token=", "?token=0123456789abcdef0123456789abcdef"] {
            let answer = page.get(&format!("{path}{query}"));
            assert_eq!(answer.status, 403, "{path}{query}");
            assert!(!answer.body.contains(&page.token));
        }
    }
    for path in ["/answer", "/load"] {
        assert_eq!(page.ask("POST", path, &host, "{}").status, 403, "{path}");
    }
    for bad in [
        "Host: example.com",
        "Host: 127.0.0.1.example.com",
        "Host: 0.0.0.0",
        "X: y",
    ] {
        let answer = page.ask("GET", &page.path("/"), bad, "");
        assert_eq!(answer.status, 403, "{bad}");
    }
    for path in ["/", "/page.css", "/page.js", "/icon.svg"] {
        page.shows_only_itself(path);
    }
    assert_eq!(page.get(&page.path("/nothing")).status, 404);
    console.end();
}

#[test]
fn the_page_speaks_the_language_of_its_address_or_of_the_browser() {
    let console = Chat::start_with("tokio", &["--page"]);
    let page = Page::of(&console);
    let shows = |path: &str, accepted: &str, tag: &str, word: &str| {
        let fields = format!("Host: {}\r\nAccept-Language: {accepted}", page.host);
        let body = page.ask("GET", path, &fields, "").body;
        let has_tag = body.contains(&format!("<html lang=\"{tag}\">"));
        assert!(has_tag && body.contains(word), "{accepted}: {body}");
    };
    let path = page.path("/");
    shows(&path, "en", "en", "The server now");
    shows(
        &path,
        "de, es-MX;q=0.9, en;q=0.1",
        "es",
        "El servidor ahora",
    );
    shows(&format!("{path}&lang=es"), "en", "es", "El servidor ahora");
    console.end();
}

#[test]
fn a_page_for_other_machines_and_a_terminal_without_a_chat_are_refused_in_one_line() {
    for (argument, named) in [
        ("--page=0.0.0.0:0", "0.0.0.0:0"),
        ("--page=x", "'x'"),
        ("--page=99999", "99999"),
        ("--conversation=http", "add --page"),
    ] {
        let words = refused(2, &["console", "epoll", argument]);
        assert!(words.contains(named), "{argument}: {words}");
    }
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let words = refused(
        1,
        &[
            "console",
            "epoll",
            "--bind",
            "127.0.0.1:0",
            &format!("--page={address}"),
        ],
    );
    assert!(
        words.contains(&address) && words.lines().count() == 1,
        "{words}"
    );
}
