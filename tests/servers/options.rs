//! The options of `hola serve`, and what it reports about them.

use std::fs;
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::ends_well;
use crate::support::{
    ACKNOWLEDGEMENT, HOLA, Server, WORKERS, answer, eventually, fails, for_each_model,
    reset_on_close, rest, say, serve_after, serves_at_once, stop_with, table,
};

#[test]
fn ballast_is_memory_that_the_server_really_has() {
    const BALLAST_KIB: u64 = 64 * 1024;
    let resident_kib = |arguments: &[&str]| {
        let server = Server::start_whole("iterative", arguments);
        let status = fs::read_to_string(format!("/proc/{}/status", server.pid()));
        let status = status.expect("the process is there");
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        server.greets();
        server.stop();
        number.expect("a number of KiB")
    };
    let without = resident_kib(&[]);
    for size in ["64M", "65536K", "67108864"] {
        let with = resident_kib(&["--ballast", size]);
        assert!(with >= BALLAST_KIB, "{size}: {with} KiB");
        let most = BALLAST_KIB + 2 * without;
        assert!(with < most, "{size}: {with} KiB, without it {without} KiB");
    }
}

#[test]
fn listens_where_a_name_or_a_port_alone_says() {
    for bind in ["localhost:0", "0", ":0"] {
        let mut command = Command::new(HOLA);
        command.args(["serve", "epoll", "--stats", "json", "--bind", bind]);
        let server = Server::run(command);
        assert!(server.address.ip().is_loopback(), "{bind}");
        server.greets();
        server.stop();
    }
}

#[test]
fn a_value_that_an_option_cannot_have_is_a_usage_error_that_says_what_it_can() {
    // Values are separated by commas; the first one is empty.
    const SIZES: &str = ",M,64m,64MB,64 M,1.5G,-1,0x10,1T,64Mi,17179869184G";
    for (option, values, words) in [
        ("--ballast", SIZES, "64K, 500M or 2G"),
        ("--deadlines", ",0,-1,1.5,5s,never,4294968", "whole seconds"),
        ("--bind", ",localhost,127.0.0.1,99999", "localhost:0"),
        ("--cpus", "4-2", "counts down"),
        ("--stack", "0,8K,65M,1G", "from 16K to 64M"),
        ("--workers", "0", "1..=2048"),
    ] {
        for value in values.split(',') {
            let argument = format!("{option}={value}");
            fails(&["serve", "iterative", &argument], 2, &[option, words]);
        }
    }
}

#[test]
fn whether_it_reads_at_once_or_waits_first_a_client_gets_the_same() {
    for model in table() {
        for first_read in model.first_reads {
            let name = json!(first_read);
            let first_read = ["--first-read", name.as_str().expect("a name")];
            let server = Server::start_with(model.name, &first_read);
            server.greets();
            // One client whose request is there when it is accepted, and one that waits before it sends.
            let mut in_pieces = half_a_head(&server);
            server.greets();
            in_pieces
                .write_all(b"Connection: close\r\n\r\n")
                .expect("sent");
            assert_eq!(answer(in_pieces).status, 200, "{} {name}", model.name);
            let report = server.report();
            assert_eq!(report["settings"]["first_read"], name, "{}", model.name);
            assert_eq!(report["counters"]["answers"], 3, "{}", model.name);
        }
    }
}

#[test]
fn coroutines_have_stacks_of_the_size_that_is_asked_for() {
    for (size, bytes) in [("16K", 16 << 10), ("1M", 1 << 20)] {
        let server = Server::start_with("coroutine-per-client", &["--stack", size]);
        let stalled: Vec<_> = (0..20).map(|_| server.stalled()).collect();
        server.greets();
        let maps = fs::read_to_string(format!("/proc/{}/maps", server.pid())).expect("its memory");
        let stacks = maps.lines().filter(|line| length_of(line) == Some(bytes));
        assert!(stacks.count() >= stalled.len(), "{size}: {maps}");
        drop(stalled);
        let settings = server.report()["settings"].take();
        assert_eq!(settings["stack_bytes"], bytes, "{settings}");
    }
}

/// Bytes of a mapping, from its line in /proc/PID/maps.
fn length_of(line: &str) -> Option<u64> {
    let (from, to) = line.split(' ').next()?.split_once('-')?;
    let address = |text| u64::from_str_radix(text, 16).ok();
    Some(address(to)? - address(from)?)
}

/// A client that has sent half a request head.
fn half_a_head(server: &Server) -> TcpStream {
    let mut slow = server.connect();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n")
        .expect("taken");
    slow
}

#[test]
fn every_model_keeps_the_deadline_it_is_given() {
    const GIVEN: Duration = Duration::from_secs(1);
    for_each_model(|model| {
        let server = Server::start_with(model, &["--deadlines", "1"]);
        let begun = Instant::now();
        rest(half_a_head(&server));
        let waited = begun.elapsed();
        // The default deadline is five seconds.
        assert!(GIVEN <= waited && waited < 4 * GIVEN, "{model}: {waited:?}");
    });
}

#[test]
fn without_deadlines_a_client_may_stay_longer_than_the_default() {
    for_each_model(|model| {
        let patient = Server::start_with(model, &["--deadlines", "off"]);
        let mut outstays = half_a_head(&patient);
        let usual = Server::start_with(model, &[]);
        rest(half_a_head(&usual));
        outstays
            .write_all(b"Connection: close\r\n\r\n")
            .expect("still there");
        assert_eq!(answer(outstays).status, 200, "{model}");
    });
}

#[test]
fn the_log_keeps_text_and_escapes_what_could_command_a_terminal() {
    for_each_model(|model| {
        let server = Server::start_whole(model, &["--conversation", "ack", "--log"]);
        let socket = server.connect();
        let messages: [(&[u8], &str); 6] = [
            ("¿Qué tal, señor?".as_bytes(), "¿Qué tal, señor?"),
            ("\"Ágil\" 👋 'ñandú'".as_bytes(), "\"Ágil\" 👋 'ñandú'"),
            (b"\x1b[2J\x1b]0;x\x07", "\\u{1b}[2J\\u{1b}]0;x\\u{7}"),
            (b"uno\r\ndos\0\ttres\\", "uno\\r\\ndos\\0\\ttres\\\\"),
            (b"a\xffb\xc3", "a\\xffb\\xc3"),
            // After this character a terminal could show another text than was sent.
            ("\u{202e}txt\u{9b}".as_bytes(), "\\u{202e}txt\\u{9b}"),
        ];
        for (message, _) in messages {
            say(&socket, message, ACKNOWLEDGEMENT);
        }
        drop(socket);
        eventually("the client has left", || {
            logged(&server, "a client left").len() == 1
        });
        let received = logged(&server, "received: ");
        let shown = messages.map(|(_, shown)| shown);
        assert_eq!(received, shown, "{model}");
        let words = server.words();
        let is_plain = |character: char| character == '\n' || !character.is_control();
        assert!(words.chars().all(is_plain), "{model}: {words:?}");
        server.stop();
    });
}

/// The text after `beginning` in each log line that starts with it.
fn logged(server: &Server, beginning: &str) -> Vec<String> {
    let words = server.words();
    let lines = words.lines().filter_map(|line| line.strip_prefix("hola: "));
    let texts = lines.filter_map(|line| line.strip_prefix(beginning));
    texts.map(str::to_owned).collect()
}

#[test]
fn the_log_counts_clients_in_and_out_in_whatever_manner_they_leave() {
    for_each_model(|model| {
        let server = Server::start_whole(model, &["--conversation", "ack", "--log"]);
        let most = serves_at_once(model).unwrap_or(WORKERS).min(WORKERS);
        let mut expected = Vec::new();
        for leave in [drop, leave_by_reset, leave_by_halves] {
            let mut clients = Vec::new();
            for active in 1..=most {
                let client = server.connect();
                say(&client, "hola", ACKNOWLEDGEMENT);
                clients.push(client);
                expected.push(format!("connected; {active} active"));
            }
            for active in (0..most).rev() {
                leave(clients.pop().expect("one for each"));
                expected.push(format!("left; {active} active"));
                eventually("it is counted out", || {
                    logged(&server, "a client ").len() == expected.len()
                });
            }
        }
        assert_eq!(logged(&server, "a client "), expected, "{model}");
        stop_with(server, model, &[("expired", 0)]);
    });
}

#[allow(clippy::needless_pass_by_value, reason = "the end of it is the point")]
fn leave_by_reset(client: TcpStream) {
    reset_on_close(&client);
}

/// Closes the sending half, and reads to the end: nothing more comes.
fn leave_by_halves(client: TcpStream) {
    client.shutdown(Shutdown::Write).expect("connected");
    assert!(rest(client).is_empty());
}

#[test]
fn the_report_has_the_given_settings_and_the_defaults() {
    for model in table() {
        let told = "--backlog 7 --max-clients 50 --conversation echo";
        let told: Vec<_> = told.split(' ').collect();
        let server = Server::start_whole(model.name, &told);
        let address = server.address.to_string();
        let report = server.report();
        let settings = &report["settings"];
        let accept = model.accept.first();
        let expected = json!({
            "backlog": 7,
            "workers": WORKERS,
            "max_clients": 50,
            "conversation": "echo",
            "accept": accept,
            "processes": false,
            "ballast_bytes": 0,
            "allow_crash": false,
            "log": false,
        });
        for (name, value) in expected.as_object().expect("an object") {
            assert_eq!(&settings[name], value, "{} {name}: {settings}", model.name);
        }
        // A person who types gets a longer idle timeout than a program that sends requests.
        let timeouts = settings["timeouts"].as_object().expect("an object");
        assert!(timeouts.values().all(Value::is_u64), "{settings}");
        let [idle_ms, head_ms] = ["idle_ms", "head_ms"].map(|kind| timeouts[kind].as_u64());
        assert!(idle_ms > head_ms, "{settings}");
        assert_eq!(report["model"], model.name);
        let is_local = address.starts_with("127.0.0.1:") && settings["bind"].is_string();
        assert!(is_local, "{address}: {settings}");
    }
}

#[test]
fn the_reported_backlog_is_the_one_that_the_kernel_applies() {
    const ASKED: u64 = 65_535;
    let longest = longest_backlog();
    for model in ["iterative", "epoll-per-core"] {
        let server = Server::start_with(model, &["--backlog", &ASKED.to_string()]);
        eventually("it says so", || server.words().contains("deadlines: "));
        let words = server.words();
        let settings = server.report()["settings"].take();
        assert_eq!(settings["backlog"], longest.min(ASKED), "{settings}");
        assert_eq!(settings["backlog_asked"], ASKED, "{settings}");
        let is_told = words.contains(&format!("backlog {longest} (65535 asked"))
            && words.contains("net.core.somaxconn");
        assert!(longest >= ASKED || is_told, "{words}");
    }
}

/// The kernel's cap on the accept queue.
fn longest_backlog() -> u64 {
    let text = fs::read_to_string("/proc/sys/net/core/somaxconn").expect("Linux");
    text.trim().parse().expect("a number")
}

#[test]
fn the_default_cap_on_clients_is_no_more_than_the_model_can_run() {
    for model in table() {
        let settings = Server::start_whole(model.name, &[]).report()["settings"].take();
        let held = settings["max_clients"].as_u64().expect("a number");
        let bearable = model.attention.clients_max();
        let bearable = u64::from(bearable.map_or(u32::MAX, |(most, _)| most));
        assert!((1..=bearable).contains(&held), "{}: {settings}", model.name);
        assert_eq!(settings["conversation"], "http", "{}", model.name);
        let backlog = longest_backlog().min(1024);
        assert_eq!(settings["backlog"], backlog, "{}", model.name);
        assert_eq!(settings["timeouts"]["idle_ms"], 5_000, "{}", model.name);
    }
}

#[test]
fn a_server_whose_messages_cannot_be_written_serves_and_stops_as_usual() {
    for model in ["iterative", "pre-forked", "tokio"] {
        let arguments = format!("{model} --log 2>/dev/full");
        let server = Server::run(serve_after("true", &arguments));
        server.greets();
        server.signal(Signal::SIGTERM);
        ends_well(server, model);
    }
}
