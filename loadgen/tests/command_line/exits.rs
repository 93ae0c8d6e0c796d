//! Exit codes, and what is said with them: gates, checks, failures and signals.

use std::fs;
use std::io::{PipeReader, PipeWriter, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::signal::Signal;

use crate::truth::{CLOSE, Truth, answer_once, silence};
use crate::{Ran, flawed, greeter, interrupted, load, nobody, program, run, signal, under_way};

#[test]
fn each_broken_gate_is_said_in_one_line_and_its_exit_code_is_the_worst() {
    let server = greeter();
    let unknown = "gate not decided: p99.9>1h: p99.9 is unknown: the sample is too small for it";
    let median = "gate broken: p50>1us: p50 is ";
    let longest = "gate broken: max<1h: max is ";
    let rate = "gate broken: rate>0: rate is ";
    for (gates, code, expected) in [
        ("max>1h failed>0.1% service.p90>1h", 0, &[][..]),
        ("p50>1us service.p90>1h max<1h", 99, &[median, longest]),
        ("p99.9>1h", 4, &[unknown]),
        ("p99.9>1h rate>0", 99, &[unknown, rate]),
    ] {
        let mut command = load(&server, "--requests=200 --clients=2");
        command.args(gates.split(' ').flat_map(|gate| ["--fail-if", gate]));
        let ran = run(command).exits_with(code);
        let lines: Vec<&str> = ran.stderr.lines().collect();
        assert_eq!(lines.len(), expected.len(), "{ran:?}");
        for (line, begins) in lines.iter().zip(expected) {
            assert!(line.starts_with(begins), "{ran:?}");
        }
        assert!(!ran.stdout.is_empty(), "the result is printed all the same");
    }
}

#[test]
fn a_gate_on_a_lower_bound_is_broken_when_it_cannot_be_ruled_out() {
    // Every second request is never answered, so p90 is only known to be at least the timeout.
    let server = Truth::start(|id, stream| match id % 2 {
        0 => silence(stream),
        _ => answer_once(stream, CLOSE),
    });
    for (gate, words) in [
        ("p90>1h", "p90>1h cannot be ruled out: p90 is at least 1"),
        ("p90>50ms", "gate broken: p90>50ms: p90 is at least 1"),
    ] {
        let arguments = format!("--requests=100 --clients=50 --timeout=100ms --fail-if={gate}");
        let ran = run(load(&server, &arguments)).exits_with(99);
        assert!(ran.stderr.contains(words), "{ran:?}");
    }
}

#[test]
fn a_failed_check_is_said_and_with_strict_exits_with_4() {
    let server = flawed(2);
    for (strict, code) in [("", 0), ("--strict", 4)] {
        let arguments = format!("--requests=50 --clients=4 {strict}");
        let ran = run(load(&server, &arguments)).exits_with(code);
        assert!(ran.stdout.contains("\nINVALID: "), "{ran:?}");
        assert!(ran.stdout.contains("must not be ranked"), "{ran:?}");
    }
}

#[test]
fn a_run_in_which_nothing_succeeds_exits_with_1_and_writes_its_result() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("result");
    let load = "--warmup=0s --requests=4 --clients=2 --output";
    let arguments = format!("{} {load}={}", nobody(), file.display());
    let ran = run(program(&arguments)).exits_with(1);
    let result = fs::read_to_string(file).unwrap();
    assert!(result.contains("4 refused, connect"), "{result}");
    assert_eq!(ran.stderr, "error: not one request succeeded\n");
}

#[test]
fn a_window_in_which_nothing_ends_is_not_blamed_on_failures() {
    let server = Truth::start(|_, stream| silence(stream));
    for (clients, checks) in [("--clients=2", ""), ("--clients=2,3", "nothing measured")] {
        let ran = run(load(&server, &format!("--duration=200ms {clients}"))).exits_with(1);
        let reason = "nothing was measured: 2 requests";
        assert!(ran.stderr.contains(reason), "{ran:?}");
        for words in ["INVALID: nothing was measured", checks] {
            assert!(ran.stdout.contains(words), "{ran:?}");
        }
        assert!(!ran.stdout.contains("failures set"), "{ran:?}");
    }
}

/// The address space suffices for a few threads with stacks of a gigabyte, but not for eight of them.
#[test]
fn a_refused_thread_is_one_line_and_exits_with_1() {
    let server = greeter();
    for pace in ["--clients=8", "--rate=800"] {
        let mut command = Command::new("sh");
        command
            .args(["-c", "ulimit -v 4000000; exec \"$0\" \"$@\""])
            .arg(env!("CARGO_BIN_EXE_hola-load"))
            .arg(server.address.to_string())
            .args(["--threads=8", "--duration=1h", pace])
            .env("RUST_MIN_STACK", "1000000000");
        let ran = run(command).exits_with(1);
        let begins = "error: could not start generator thread ";
        assert!(ran.stderr.starts_with(begins), "{ran:?}");
        assert!(ran.stderr.contains(" of 8: "), "{ran:?}");
        assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
    }
}

/// A load of ten minutes.
fn endless(server: &Truth) -> Command {
    load(server, "--duration=10m --clients=2 --format=json")
}

#[test]
fn a_signal_prints_what_was_measured_and_exits_with_128_and_its_number() {
    let server = greeter();
    for (sent, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let ran = interrupted(&server, 20, sent, endless(&server));
        let counts = ran.exits_with(code).summary().counts;
        assert!(counts.ok >= 10 && counts.not_sent == 0, "{counts:?}");
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
    let server = greeter();
    for first in [Signal::SIGINT, Signal::SIGTERM] {
        // Its result cannot be written, so it would wait for ever.
        let (_reader, writer) = full_pipe();
        let mut load = endless(&server);
        load.stdout(writer);
        let mut child = under_way(&server, 20, load);
        signal(&child, first);
        let status = signal_until_ended(&mut child, Signal::SIGTERM);
        assert_eq!(status.signal(), Some(Signal::SIGTERM as i32), "{status}");
    }
}

#[test]
fn a_signal_that_comes_twice_at_once_loses_nothing() {
    let server = greeter();
    let child = under_way(&server, 20, endless(&server));
    // As timeout(1) does: to its child, and to its child's process group.
    signal(&child, Signal::SIGTERM);
    signal(&child, Signal::SIGTERM);
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert!(ran.exits_with(143).summary().counts.ok > 0);
}
