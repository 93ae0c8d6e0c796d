//! Servers under stress: what they must survive, release, and report.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{
    ASK, ASK_AND_CLOSE, Answer, HOLA, Server, answer, eventually, fails, for_each_model, hola,
    models, serve, serve_after, serves_at_once, settled, stop_with,
};
use crate::{ends_well, greet_from_threads};

#[test]
fn ten_thousand_requests_leave_no_process_no_thread_no_descriptor() {
    const CLIENTS: usize = 8;
    const REQUESTS_EACH: usize = 1_250;
    // One model after another: in parallel they would compete for processes.
    for model in models() {
        let server = Server::start(model);
        server.greets();
        let counts = || [server.children(), server.count("task"), server.count("fd")];
        let before = settled(counts);
        greet_from_threads(&server, CLIENTS, REQUESTS_EACH);
        eventually(&format!("{model} has no more than {before:?}"), || {
            let mut pairs = counts().into_iter().zip(before);
            pairs.all(|(now, before)| now <= before)
        });
        let all = CLIENTS * REQUESTS_EACH + 1;
        stop_with(server, model, &[("answers", all)]);
    }
}

#[test]
fn a_stop_under_load_cuts_no_answer_short() {
    for_each_model(|model| Server::start(model).stop_under_load(50));
}

#[test]
fn a_stop_does_not_wait_for_clients_that_say_nothing() {
    for_each_model(|model| {
        let server = Server::start(model);
        let silent: Vec<_> = (0..10).map(|_| server.connect()).collect();
        let mut half_said = server.connect();
        half_said.write_all(b"GET / HT").expect("sent");
        let started = Instant::now();
        server.stop();
        // The idle timeout is 5 s: the stop must not wait for it.
        let took = started.elapsed();
        assert!(took.as_secs() < 4, "{model} took {took:?}");
        drop(silent);
    });
}

#[test]
fn a_stop_still_accepts_clients_that_already_wait() {
    let server = Server::start("iterative");
    let _first = server.answered();
    // The server is busy with the first client, so this one waits in the accept queue.
    let mut second = server.connect();
    second.write_all(ASK_AND_CLOSE).expect("sent");
    server.signal(Signal::SIGTERM);
    assert_eq!(answer(second).status, 200);
}

#[test]
fn a_stop_under_load_accepts_no_new_clients_and_ends_in_time() {
    for_each_model(|model| {
        // Clients that already wait are served within a second; new ones that fill the accept queue would take twenty.
        let server = Server::start(model);
        server.stop_while_asked_for("/wait/20", "waited 20 ms\n", 40, 60);
    });
}

#[test]
fn a_stop_ends_well_although_more_wait_than_can_be_served_in_time() {
    let server = Server::start("iterative");
    server.stop_while_asked_for("/wait/200", "waited 200 ms\n", 40, 3);
}

#[test]
fn a_stop_closes_the_listener_while_a_client_is_still_served() {
    if TcpListener::bind("[::1]:0").is_err() {
        println!("skipped: there is no IPv6, whose list of sockets is short");
        return;
    }
    for_each_model(|model| {
        let mut command = Command::new(HOLA);
        command.args(["serve", model, "--bind", "[::1]:0"]);
        let server = Server::run(command);
        let mut waits = server.connect();
        waits
            .write_all(&[ASK, b"GET /wait/3000 HTTP/1.1\r\nHost: a\r\n\r\n"].concat())
            .expect("sent");
        let mut answers = BufReader::new(waits.try_clone().expect("a descriptor"));
        Answer::read(&mut answers).expect("the first answer");
        server.signal(Signal::SIGTERM);
        eventually("the port is closed", || !server.listens());
        assert!(TcpStream::connect(server.address).is_err(), "{model}");
        waits.set_nonblocking(true).expect("a flag");
        let early = waits.peek(&mut [0; 1]).map_err(|error| error.kind());
        assert_eq!(early, Err(ErrorKind::WouldBlock), "{model}");
        waits.set_nonblocking(false).expect("a flag");
        let answer = Answer::read(&mut answers).expect("the second answer");
        assert_eq!((answer.status, answer.closes), (200, true), "{model}");
        ends_well(server, model);
    });
}

#[test]
fn a_stop_leaves_sockets_alone_that_the_server_inherited() {
    for_each_model(|model| {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        let mut command = serve_after("exec 3<&0", model);
        command.stdin(OwnedFd::from(theirs.try_clone().expect("a descriptor")));
        let server = Server::run(command);
        server.greets();
        server.signal(Signal::SIGTERM);
        ends_well(server, model);
        // This write would fail if the server had shut down the socket.
        assert!((&ours).write_all(b"x").is_ok(), "{model}");
        drop(theirs);
    });
}

#[test]
fn what_came_while_a_server_was_stopped_is_read_before_a_deadline_is_judged() {
    const DEADLINE: Duration = Duration::from_secs(2);
    for_each_model(|model| {
        let server = Server::start_whole(model, &["--deadlines", "2"]);
        let most = serves_at_once(model).unwrap_or(usize::MAX);
        // Each client that the server holds, with what it still has to send for its next answer.
        type Connect = fn(&Server) -> (TcpStream, &'static [u8]);
        let clients: [Connect; 2] = [
            |server| (server.stalled(), &ASK_AND_CLOSE[20..]),
            |server| (server.answered(), ASK_AND_CLOSE),
        ];
        for some in clients.chunks(most.min(clients.len())) {
            let mut some: Vec<_> = some.iter().map(|connect| connect(&server)).collect();
            let mut processes = server.child_ids();
            processes.push(server.pid().as_raw());
            let signal = |signal| {
                for &process in &processes {
                    kill(Pid::from_raw(process), signal).expect("a process of ours");
                }
            };
            signal(Signal::SIGSTOP);
            for (client, rest) in &mut some {
                client.write_all(rest).expect("sent");
            }
            thread::sleep(DEADLINE + Duration::from_millis(600));
            signal(Signal::SIGCONT);
            for (client, _) in some {
                assert_eq!(answer(client).status, 200, "{model}");
            }
        }
    });
}

#[test]
fn a_stderr_that_nobody_reads_stops_neither_the_service_nor_its_end() {
    for_each_model(|model| {
        let (_nobody_reads, stderr) = full_pipe();
        let mut command = serve(model);
        command.args(["--log", "--deadlines", "60"]);
        let server = Server::run_with_stderr(command, stderr.into());
        (0..20).for_each(|_| server.greets());
        // This client takes the first bytes of a long answer and outlasts the drain. The server's last lines find no
        // room in the pipe either.
        let mut takes_no_more = server.connect();
        takes_no_more
            .write_all(b"GET /bytes/16777216 HTTP/1.1\r\nHost: a\r\n\r\n")
            .expect("sent");
        let begun = takes_no_more.read(&mut [0; 16]).expect("an answer");
        assert!(begun > 0, "{model}");
        server.signal(Signal::SIGTERM);
        let (status, _) = server.wait();
        assert_eq!(status.code(), Some(1), "{model} outlives its drain");
    });
}

/// A pipe without room for one more byte.
fn full_pipe() -> (OwnedFd, OwnedFd) {
    let pipe = nix::unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK);
    let (reader, writer) = pipe.expect("a pipe");
    for piece in [&[b'x'; 4_096][..], b"x"] {
        while nix::unistd::write(&writer, piece).is_ok() {}
    }
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::empty())).expect("a flag");
    (reader, writer)
}

#[test]
fn lost_log_lines_are_counted_in_the_next_line_that_is_written() {
    for model in ["epoll", "fork-per-client"] {
        let (reader, stderr) = full_pipe();
        let mut command = serve(model);
        command.arg("--log");
        let server = Server::run_with_stderr(command, stderr.into());
        server.greets();
        let mut reader = File::from(reader);
        // Reads all bytes in the pipe; an error marks the end.
        let mut filling = Vec::new();
        let _ = reader.read_to_end(&mut filling);
        assert!(filling.iter().all(|&byte| byte == b'x'), "{model}");
        server.greets();
        let mut lines = String::new();
        eventually("the next line that is taken says how many were not", || {
            let _ = reader.read_to_string(&mut lines);
            lines.contains("received: GET")
        });
        let first = lines.lines().next().expect("a line");
        let lost = first.strip_prefix("hola: ").and_then(|first| {
            let count = first.strip_suffix(" lines lost: nobody read them")?;
            count.parse::<u32>().ok()
        });
        // At least a line of the start, and three of the first client: it connected, asked and left.
        assert!(lost.is_some_and(|lost| lost >= 4), "{model}: {lines}");
    }
}

#[test]
fn clients_that_break_off_leave_nothing_behind() {
    for_each_model(|model| {
        let server = Server::start(model);
        server.greets();
        let before = settled(|| (server.count("fd"), server.children()));
        for turn in 0..500 {
            let mut socket = server.connect();
            if turn % 2 == 0 {
                let part = &ASK_AND_CLOSE[..turn % ASK_AND_CLOSE.len()];
                socket.write_all(part).expect("sent");
            } else {
                // Unread bytes make close(2) send a reset.
                socket.write_all(ASK_AND_CLOSE).expect("sent");
                let _ = socket.peek(&mut [0; 1]);
            }
        }
        eventually("descriptors are back", || {
            (server.count("fd"), server.children()) == before
        });
        server.greets();
        stop_with(server, model, &[("crashed", 0)]);
    });
}

#[test]
fn what_cannot_start_says_why_in_one_line_and_ends_with_the_documented_code() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let busy = taken.local_addr().expect("an address");
    for (arguments, code, words) in [
        (&*format!("serve iterative --bind {busy}"), 3, "in use"),
        ("serve iterative --bind 192.0.2.1:0", 3, "192.0.2.1"),
        ("serve iterative --cpus 1023", 3, "--cpus 1023: "),
        // More bytes than an address can number.
        ("serve iterative --ballast 1000000000G", 3, "--ballast"),
        ("serve threads", 2, "no such model; there are iterative, "),
        ("bench", 2, "bench"),
    ] {
        let arguments: Vec<_> = arguments.split(' ').collect();
        fails(&arguments, code, &[words]);
    }
}

#[test]
fn the_models_are_listed_for_people_and_for_programs() {
    let (status, text, _) = hola(&["models"]);
    assert!(status.success());
    let (_, json, _) = hola(&["models", "--json"]);
    let table: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let rows = table.as_array().expect("an array").iter();
    let listed = rows.filter_map(|model| model["name"].as_str());
    assert!(listed.eq(models()), "{json}");
    let is_listed = |model| text.lines().any(|line| line.starts_with(model));
    assert!(models().all(is_listed), "{text}");
}
