//! The page of `hola console`: who may open it, what it is told, what it can ask for.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use hola_servers::models::{Attention, find};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use crate::chat::{Chat, reads};
use crate::support::{TIMEOUT, eventually, for_each_model, refused, reset_on_close};

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

/// The page of a console.
struct Page {
    /// Its address and port.
    host: String,
    token: String,
}

/// An answer to a request of the page.
struct PageAnswer {
    status: u16,
    head: String,
    body: String,
}

impl Page {
    fn of(console: &Chat) -> Self {
        let url = console.word_after("page at ");
        let (host, token) = url
            .strip_prefix("http://")
            .and_then(|url| url.split_once("/?token="))
            .expect("an address with a token");
        Page {
            host: host.to_owned(),
            token: token.to_owned(),
        }
    }

    /// A path with the token.
    fn path(&self, path: &str) -> String {
        format!("{path}?token={}", self.token)
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

    /// Sends what the operator says; returns the status of the answer.
    fn answer(&self, answer: &Value) -> u16 {
        let fields = format!("Host: {}\r\nContent-Type: application/json", self.host);
        let body = answer.to_string();
        self.ask("POST", &self.path("/answer"), &fields, &body)
            .status
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
        let answer = page.get(&page.path(path));
        assert_eq!(answer.status, 200, "{path}");
        for field in [
            "content-security-policy: default-src 'self'",
            "referrer-policy: no-referrer",
            "x-content-type-options: nosniff",
            "cache-control: no-store",
        ] {
            assert!(answer.head.contains(field), "{path}: {field}");
        }
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
fn what_clients_do_arrives_as_events_and_the_operator_answers_one_or_all() {
    let mut console = Chat::start_with("thread-per-client", &["--page"]);
    let page = Page::of(&console);
    let mut events = page.events();
    let mut first = console.join(1);
    assert_eq!(events.line(), connected(1, 1));
    let mut second = console.join(2);
    assert_eq!(events.line(), connected(2, 2));
    first
        .write_all("¿hay alguien?\r\n".as_bytes())
        .expect("sent");
    assert_eq!(events.line(), message(1, "¿hay alguien?"));
    second.write_all(b"hola").expect("sent");
    assert_eq!(events.line(), message(2, "hola"));
    assert_eq!(page.answer(&json!({"to": 1, "text": "only you"})), 202);
    reads(&mut first, "only you\n");
    let answer = |to: Value, text: &str, reached: u64| json!({"kind": "answer", "to": to, "text": text, "reached": reached});
    assert_eq!(events.line(), answer(json!(1), "only you", 1));
    assert_eq!(page.answer(&json!({"to": null, "text": "both"})), 202);
    reads(&mut first, "both\n");
    reads(&mut second, "both\n");
    assert_eq!(events.line(), answer(Value::Null, "both", 2));
    // What the operator says at the terminal is seen on the page, too.
    console.write("2 from the terminal");
    reads(&mut second, "from the terminal\n");
    assert_eq!(events.line(), answer(json!(2), "from the terminal", 1));
    drop(first);
    assert_eq!(events.line(), left(1, 1, false));
    assert_eq!(page.answer(&json!({"to": 1, "text": "gone"})), 404);
    let long = "a".repeat(4097);
    for bad in ["", " \n", &long] {
        assert_eq!(page.answer(&json!({"to": null, "text": bad})), 400);
    }
    assert!((400..500).contains(&page.answer(&json!({"text": 7}))));
    console.end();
}

#[test]
fn markup_and_escape_sequences_arrive_as_data_and_never_in_the_page() {
    let console = Chat::start_with("epoll", &["--page"]);
    let page = Page::of(&console);
    let mut events = page.events();
    let mut client = console.join(1);
    assert_eq!(events.line(), connected(1, 1));
    let hostile = "<script>alert(1)</script>\x1b[2J\u{202e}\r\ndata: {}\r\n";
    client.write_all(hostile.as_bytes()).expect("sent");
    let shown = "<script>alert(1)</script>\\u{1b}[2J\\u{202e} data: {}";
    assert_eq!(events.line(), message(1, shown));
    let document = page.get(&page.path("/")).body;
    assert!(!document.contains("alert(1)") && document.contains("page.js"));
    console.end();
}

#[test]
fn a_page_that_is_opened_later_sees_the_same_and_one_that_comes_back_what_it_missed() {
    let console = Chat::start_with("epoll", &["--page"]);
    let page = Page::of(&console);
    let mut early = page.events();
    let mut client = console.join(1);
    let seen_early = [early.line()];
    client.write_all(b"one").expect("sent");
    let (id, _) = early.next(&["message"]);
    client.write_all(b"two").expect("sent");
    assert_eq!(early.line(), message(1, "two"));
    let mut late = page.events();
    let (_, present) = late.next(&["present"]);
    let here = present["clients"].as_array().expect("a list");
    assert_eq!(
        (here.len(), &here[0]["client"], &here[0]["messages"]),
        (1, &json!(1), &json!(2))
    );
    let seen_late = [late.line()];
    assert_eq!(seen_early, seen_late);
    assert_eq!(late.line(), message(1, "one"));
    assert_eq!(late.line(), message(1, "two"));
    let mut back = page.events_after(&id);
    assert_eq!(back.line(), message(1, "two"));
    client.write_all(b"three").expect("sent");
    for events in [&mut early, &mut late, &mut back] {
        assert_eq!(events.line(), message(1, "three"));
    }
    console.end();
}

#[test]
fn connections_that_break_and_processes_that_die_are_told_and_the_count_is_right() {
    let console = Chat::start_with("fork-per-client", &["--page"]);
    let mut events = Page::of(&console).events();
    let first = console.join(1);
    let (_, processes) = console.server_and_children();
    let second = console.join(2);
    assert_eq!(events.line(), connected(1, 1));
    assert_eq!(events.line(), connected(2, 2));
    kill(Pid::from_raw(processes[0]), Signal::SIGKILL).expect("it is there");
    assert_eq!(events.line(), left(1, 1, true));
    drop(first);
    reset_on_close(&second);
    drop(second);
    let reason = "Connection reset by peer";
    assert_eq!(
        events.line(),
        json!({"kind": "failed", "client": 2, "reason": reason})
    );
    assert_eq!(events.line(), left(2, 0, false));
    console.end();
}

#[test]
fn a_page_that_reads_slowly_loses_the_oldest_lines_and_learns_how_many() {
    /// More than are kept, and more than fit into the connection of a page.
    const LINES: usize = 3_000;
    let console = Chat::start_with("tokio", &["--page"]);
    let page = Page::of(&console);
    let mut client = console.join(1);
    let reader = thread::spawn(move || io::copy(&mut client, &mut io::sink()));
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(4096).expect("an option");
    let address: SocketAddr = page.host.parse().expect("an address");
    socket.connect(&address.into()).expect("the page listens");
    let mut events = page.events_over(socket.into(), "");
    let text = "a".repeat(4_000);
    for number in 0..LINES {
        let text = format!("{number} {text}");
        assert_eq!(page.answer(&json!({"to": 1, "text": text})), 202);
    }
    let (mut got, mut missing) = (0, 0);
    loop {
        let (id, event) = events.next(&LINE_KINDS);
        if event["kind"] == "missing" {
            missing += event["lines"].as_u64().expect("a number");
            continue;
        }
        got += 1;
        if event["text"]
            .as_str()
            .is_some_and(|text| text.starts_with("2999 "))
        {
            let (_, lines) = id.split_once('-').expect("two numbers");
            assert_eq!(lines, (got + missing).to_string());
            break;
        }
    }
    assert!(missing > 0 && got > 1_000, "{got} lines, {missing} missing");
    console.end();
    reader.join().expect("no panic").expect("text");
}

/// Threads of a process.
fn threads(process: i32) -> usize {
    let tasks = fs::read_dir(format!("/proc/{process}/task"));
    tasks.map_or(0, Iterator::count)
}

#[test]
fn live_figures_are_those_of_the_server() {
    for (model, is_process) in [("pre-threaded", false), ("pre-forked", true)] {
        let console = Chat::start_with(model, &["--page", "--conversation", "http"]);
        let mut events = Page::of(&console).events();
        let clients = [console.connect(), console.connect()];
        let sample = events.sample(|sample| sample["clients"] == 2);
        let (server, workers) = console.server_and_children();
        let all = [&[server], &workers[..]].concat();
        let expected_threads: usize = all.into_iter().map(threads).sum();
        let expected_processes = if is_process { 4 } else { 1 };
        assert_eq!(sample["processes"], expected_processes, "{model}");
        assert_eq!(sample["threads"], expected_threads, "{model}");
        let workers = sample["workers"].as_array().expect("a list");
        assert_eq!(workers.len(), 3, "{model}: {sample}");
        let held = workers.iter().filter(|worker| worker["clients"] == 1);
        assert_eq!(held.count(), 2, "{model}: {sample}");
        assert!(sample["memory_kib"].as_u64() > Some(100), "{sample}");
        drop(clients);
        events.sample(|sample| sample["clients"] == 0);
        console.end();
    }
}

#[test]
fn under_every_model_the_page_shows_the_server_live() {
    for_each_model(|model| {
        let console = Chat::start_with(model, &["--page", "--conversation", "http"]);
        let mut events = Page::of(&console).events();
        let sample = events.sample(|sample| sample["probe"]["p50_us"].as_f64() > Some(0.0));
        assert!(
            sample["requests_per_s"].as_f64() > Some(5.0),
            "{model}: {sample}"
        );
        assert_eq!(sample["refused"], 0, "{model}");
        let has_children = find(model).is_some_and(|model| model.attention == Attention::Process);
        assert!(sample["processes"].as_u64() >= Some(1), "{model}: {sample}");
        assert!(
            has_children || sample["processes"] == 1,
            "{model}: {sample}"
        );
        console.end();
    });
}

#[test]
fn a_trial_load_is_put_on_once_at_a_time_and_its_result_is_told() {
    let console = Chat::start_with("epoll", &["--page", "--conversation", "echo"]);
    let page = Page::of(&console);
    let mut events = page.events();
    let load = || {
        let host = format!("Host: {}", page.host);
        page.ask("POST", &page.path("/load"), &host, "").status
    };
    assert_eq!(load(), 202);
    assert_eq!(load(), 409);
    let (_, started) = events.next(&["load_started", "load_failed"]);
    assert_eq!(
        (&started["rate_per_s"], &started["seconds"]),
        (&json!(2_000), &json!(10))
    );
    events.sample(|sample| sample["requests_per_s"].as_f64() > Some(100.0));
    let (_, ended) = events.next(&["load_ended", "load_failed"]);
    assert!(ended["good_per_s"].as_f64() > Some(100.0), "{ended}");
    console.end();
}

#[test]
fn a_load_that_runs_ends_with_its_console() {
    let console = Chat::start_with("tokio", &["--page", "--conversation", "http"]);
    let page = Page::of(&console);
    let host = format!("Host: {}", page.host);
    assert_eq!(page.ask("POST", &page.path("/load"), &host, "").status, 202);
    let processes = console.children();
    assert_eq!(processes.len(), 2, "the server and the load");
    console.end();
    for process in processes {
        let path = format!("/proc/{process}");
        eventually("nothing is left", || !fs::exists(&path).unwrap_or(true));
    }
}

#[test]
fn a_chat_has_no_load_and_a_terminal_shows_nothing_else() {
    let console = Chat::start_with("epoll", &["--page"]);
    let page = Page::of(&console);
    let host = format!("Host: {}", page.host);
    assert_eq!(page.ask("POST", &page.path("/load"), &host, "").status, 404);
    console.end();
    let mut console = Chat::start_with("epoll", &["--page", "--conversation", "ack"]);
    console.write("* hola");
    console.shows("write salir to end the server");
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
