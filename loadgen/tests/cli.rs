//! The program as scripts see it: exit codes, streams and formats.

mod truth;

use std::io::{PipeReader, PipeWriter, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hola_loadgen::summary::Summary;
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use truth::{CLOSE, Truth, answer_all, answer_once};

fn hola_load(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hola-load"))
        .args(arguments)
        .output()
        .unwrap()
}

fn greeter() -> (Truth, String) {
    let server = Truth::start(|_, stream| answer_once(stream, CLOSE));
    let url = format!("http://{}/", server.address);
    (server, url)
}

const SHORT: [&str; 6] = ["--warmup", "0s", "--requests", "50", "--clients", "4"];

fn short(url: &str, more: &[&'static str]) -> Output {
    hola_load(&[&[url][..], &SHORT, more].concat())
}

#[test]
fn json_on_standard_output_is_the_published_summary() {
    let (_server, url) = greeter();
    let output = short(&url, &["--format", "json"]);
    let summary: Summary = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (summary.counts.ok, summary.url.as_str(), summary.model),
        (50, url.as_str(), None)
    );
    assert!(output.stderr.is_empty(), "{:?}", output.stderr);
    // Other load on the machine may fail a check; without --strict this is no error.
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn text_and_csv_show_response_and_service_side_by_side() {
    let (_server, url) = greeter();
    let text = String::from_utf8(short(&url, &[]).stdout).unwrap();
    assert!(text.contains("response     service"), "{text}");
    let csv = String::from_utf8(short(&url, &["--format", "csv"]).stdout).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].split(',').count(), lines[1].split(',').count());
}

#[test]
fn usage_errors_exit_with_2_and_say_why() {
    for (arguments, reason) in [
        (&[][..], "say which server"),
        (&["http://192.0.2.1/"], "--allow-remote"),
        (&["https://127.0.0.1/"], "not a URL"),
        (&["127.0.0.1:9", "--duration", "ten"], "not a time"),
        (&["127.0.0.1:9", "--cpus", "3-1"], "counts down"),
        (&["127.0.0.1:9", "--clients", "0"], "at least one"),
        (
            &["127.0.0.1:9/a\u{f1}o?q=\u{e9}"],
            "percent-encode it, as /a%C3%B1o?q=%C3%A9",
        ),
        (
            &["127.0.0.1:9", "--path", "/a b"],
            "percent-encode it, as /a%20b",
        ),
        (&["127.0.0.1:9", "--path", "a"], "a path starts with /"),
        (
            &[
                "127.0.0.1:9",
                "--rate",
                "0.5",
                "--duration",
                "1s",
                "--warmup",
                "0s",
                "--seed",
                "3",
            ],
            "no request is due",
        ),
        (
            &["127.0.0.1:9", "--requests-per-connection", "0"],
            "unlimited",
        ),
        (&["127.0.0.1:9", "--clients", "4000000000"], "open files"),
        (
            &["127.0.0.1:9", "--clients", "4", "--rate", "5"],
            "cannot be used with",
        ),
        (
            &["127.0.0.1:9", "--connections", "4", "--clients", "4"],
            "cannot be used with",
        ),
        (&["127.0.0.1:9", "--connections", "4"], "give a --rate"),
        (
            &["127.0.0.1:9", "--connections", "0", "--rate", "5"],
            "at least one",
        ),
        (
            &["127.0.0.1:9", "--connections=4", "--rate=5", "--warmup=0s"],
            "warm-up",
        ),
    ] {
        let output = hola_load(arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(reason), "{arguments:?}: {stderr}");
    }
}

#[test]
fn addresses_of_this_machine_are_known_in_all_their_spellings() {
    let (server, _) = greeter();
    let port = server.address.port();
    for url in [
        format!("http://0.0.0.0:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("localhost:{port}"),
        format!("{port}"),
        format!(":{port}/"),
    ] {
        let output = short(&url, &[]);
        assert_eq!(output.status.code(), Some(0), "{url}: {output:?}");
    }
    // No server listens there, but the address still belongs to this machine.
    let listener = match std::net::TcpListener::bind("[::1]:0") {
        Ok(listener) => listener,
        Err(error) => return println!("skipped: no IPv6 here: {error}"),
    };
    let nobody = format!("http://[::]:{}/", listener.local_addr().unwrap().port());
    drop(listener);
    let output = short(&nobody, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("50 refused, connect"), "{text}");
}

#[test]
fn a_window_in_which_nothing_ends_is_not_blamed_on_failures() {
    let server = Truth::start(|_, stream| truth::silence(stream));
    let url = server.address.to_string();
    for (load, checks) in [("--clients=2", ""), ("--clients=2,3", "nothing measured")] {
        let output = hola_load(&[&url, "--warmup=0s", "--duration=200ms", load]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(
            stderr.contains("nothing was measured: 2 requests"),
            "{stderr}"
        );
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("INVALID: nothing was measured"), "{text}");
        assert!(!text.contains("failures set"), "{text}");
        assert!(text.contains(checks), "{text}");
    }
}

#[test]
fn local_ports_that_run_out_come_with_advice() {
    // The client closes first, so its ports stay taken for a minute.
    let server = Truth::start(|_, stream| answer_all(stream, || {}));
    let url = server.address.to_string();
    for format in ["text", "markdown"] {
        let source = format!("--source=127.0.9.{}", if format == "text" { 1 } else { 2 });
        let output = hola_load(&[
            &url,
            "--warmup=0s",
            "--requests=12",
            "--clients=1",
            "--local-ports=43100-43100",
            &source,
            "--format",
            format,
        ]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("--requests-per-connection"), "{text}");
    }
}

#[test]
fn a_run_in_which_nothing_succeeds_exits_with_1() {
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let output = hola_load(&[
        &address.to_string(),
        "--warmup",
        "0s",
        "--requests",
        "4",
        "--clients",
        "2",
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("4 refused, connect")
    );
}

/// The address space suffices for a few threads with stacks of a gigabyte, but not for eight of them.
#[test]
fn a_refused_thread_is_one_line_and_exits_with_1() {
    let (_server, url) = greeter();
    for pace in ["--clients=8", "--rate=800"] {
        let output = Command::new("sh")
            .args(["-c", "ulimit -v 4000000; exec \"$0\" \"$@\""])
            .arg(env!("CARGO_BIN_EXE_hola-load"))
            .args([url.as_str(), "--threads=8", "--duration=1h", pace])
            .env("RUST_MIN_STACK", "1000000000")
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        let begins = "error: could not start generator thread ";
        assert!(
            stderr.starts_with(begins) && stderr.contains(" of 8: ") && stderr.lines().count() == 1,
            "{stderr}"
        );
    }
}

#[test]
fn a_failed_check_is_said_and_with_strict_exits_with_4() {
    let server = Truth::start(|id, stream| {
        answer_once(stream, if id % 2 == 0 { CLOSE } else { b"" });
    });
    let url = server.address.to_string();
    for (arguments, code) in [(&[][..], 0), (&["--strict"][..], 4)] {
        let output = short(&url, arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("\nINVALID: "), "{text}");
        assert!(text.contains("must not be ranked"), "{text}");
    }
}

#[test]
fn an_existing_output_file_is_never_overwritten() {
    let (server, url) = greeter();
    let file = std::env::temp_dir().join(format!(
        "hola-load-{}-{}",
        std::process::id(),
        server.address.port()
    ));
    let arguments = [
        &[url.as_str(), "--output", file.to_str().unwrap()][..],
        &SHORT,
    ]
    .concat();
    let first = hola_load(&arguments);
    let written = std::fs::read(&file);
    let second = hola_load(&arguments);
    let after = std::fs::read(&file);
    std::fs::remove_file(&file).unwrap();
    assert!(first.stdout.is_empty() && !written.as_ref().unwrap().is_empty());
    assert_eq!(second.status.code(), Some(1));
    assert_eq!(written.unwrap(), after.unwrap());
}

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}

/// Starts a load of ten minutes, and returns once it is under way.
fn endless(server: &Truth, url: &str, stdout: Stdio) -> Child {
    let arguments = "--warmup 0s --duration 10m --clients 2 --format json";
    let child = Command::new(env!("CARGO_BIN_EXE_hola-load"))
        .arg(url)
        .args(arguments.split(' '))
        .stdout(stdout)
        .spawn()
        .unwrap();
    let enough = server.accepted() + 20;
    while server.accepted() < enough {
        std::thread::yield_now();
    }
    child
}

#[test]
fn a_signal_prints_what_was_measured_and_exits_with_128_and_its_number() {
    let (server, url) = greeter();
    for (first, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let child = endless(&server, &url, Stdio::piped());
        signal(&child, first);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        let summary: Summary = serde_json::from_slice(&output.stdout).unwrap();
        assert!(summary.counts.ok >= 10 && summary.counts.not_sent == 0);
    }
}

/// A full pipe: a write to it blocks. Its reading end keeps it open.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let size = fcntl(&writer, FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
    writer
        .write_all(&vec![0; usize::try_from(size).unwrap()])
        .unwrap();
    (reader, writer)
}

/// Sends a signal over and over until the process has ended, for at most a minute.
fn signal_until_ended(child: &mut Child, again: Signal) -> ExitStatus {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        signal(child, again);
        std::thread::yield_now();
    }
    child.kill().unwrap();
    panic!("it waits for its output to be read");
}

#[test]
fn a_second_signal_ends_the_program_at_once() {
    let (server, url) = greeter();
    for first in [Signal::SIGINT, Signal::SIGTERM] {
        // Its result cannot be written, so it would wait for ever.
        let (_reader, writer) = full_pipe();
        let mut child = endless(&server, &url, writer.into());
        signal(&child, first);
        let status = signal_until_ended(&mut child, Signal::SIGTERM);
        assert_eq!(status.signal(), Some(Signal::SIGTERM as i32), "{status}");
    }
}

#[test]
fn a_signal_that_comes_twice_at_once_loses_nothing() {
    let (server, url) = greeter();
    let child = endless(&server, &url, Stdio::piped());
    // As timeout(1) does: to its child, and to its child's process group.
    signal(&child, Signal::SIGTERM);
    signal(&child, Signal::SIGTERM);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143));
    assert!(serde_json::from_slice::<Summary>(&output.stdout).is_ok());
}

#[test]
fn every_kept_connection_of_an_open_loop_has_its_turn() {
    const CONNECTIONS: usize = 8;
    for engine in ["readiness", "completion"] {
        let turns = Arc::new(Mutex::new(vec![0_u64; CONNECTIONS]));
        let server = Truth::start({
            let turns = Arc::clone(&turns);
            move |id, stream| {
                let connection = usize::try_from(id).unwrap();
                answer_all(stream, || turns.lock().unwrap()[connection] += 1);
            }
        });
        let output = hola_load(&[
            &server.address.to_string(),
            "--engine",
            engine,
            "--rate=400",
            "--connections=8",
            "--requests=160",
            "--format=json",
        ]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(2) && stderr.contains("cannot be used here") {
            println!("skipped: {stderr}");
            continue;
        }
        assert_eq!(output.status.code(), Some(0), "{engine}: {stderr}");
        let summary: Summary = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(summary.plan.connections, Some(8));
        assert_eq!(summary.plan.requests_per_connection, None);
        assert_eq!(summary.counts.ok, 160, "{engine}");
        assert_eq!(server.accepted(), 8, "{engine}");
        // Each connection should get one request of the warm-up and twenty of the window: the one idle longest is next.
        let turns = turns.lock().unwrap();
        assert!(turns.iter().all(|turns| *turns > 10), "{engine}: {turns:?}");
    }
}
