//! The operator's page of a chat: what it is told of clients, and what it answers them.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use super::{LINE_KINDS, Page, connected, left, message};
use crate::chat::{Chat, reads};
use crate::support::reset_on_close;

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
