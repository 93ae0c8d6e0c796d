//! Gates, several loads and searches, as scripts see them.

mod truth;

use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use hola_loadgen::summary::{Levels, SearchLimit, Summary};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use truth::{CLOSE, Truth, answer_once, request, silence};

fn command(server: &Truth, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hola-load"));
    command
        .args([&server.address.to_string(), "--warmup=0s"])
        .args(arguments);
    command
}

fn hola_load(server: &Truth, arguments: &[&str]) -> (Output, String) {
    let output = command(server, arguments).output().unwrap();
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    (output, stderr)
}

fn greeter() -> Truth {
    Truth::start(|_, stream| answer_once(stream, CLOSE))
}

#[test]
fn each_broken_gate_is_said_in_one_line_and_exits_with_99() {
    let server = greeter();
    let load = ["--requests=200", "--clients=2"];
    let gates = [
        "--fail-if=p50>1us",
        "--fail-if=max<1h",
        "--fail-if=failed>0.1%",
        "--fail-if=service.p90>1h",
    ];
    let (output, stderr) = hola_load(&server, &[&load[..], &gates[..]].concat());
    assert_eq!(output.status.code(), Some(99), "{stderr}");
    let lines: Vec<&str> = stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{stderr}");
    assert!(
        lines[0].starts_with("gate broken: p50>1us: p50 is "),
        "{stderr}"
    );
    assert!(
        lines[1].starts_with("gate broken: max<1h: max is "),
        "{stderr}"
    );
    assert!(
        !output.stdout.is_empty(),
        "the result is printed all the same"
    );
}

#[test]
fn a_gate_that_holds_changes_nothing() {
    let server = greeter();
    let (output, stderr) = hola_load(
        &server,
        &["--requests=200", "--clients=2", "--fail-if=max>1h"],
    );
    assert_eq!(stderr, "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_gate_on_what_the_sample_cannot_support_exits_with_4_unless_another_is_broken() {
    let server = greeter();
    let load = ["--requests=200", "--clients=2", "--fail-if=p99.9>1h"];
    let (output, stderr) = hola_load(&server, &load);
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(
        stderr,
        "gate not decided: p99.9>1h: p99.9 is unknown: the sample is too small for it\n"
    );
    let (output, _) = hola_load(&server, &[&load[..], &["--fail-if=rate>0"]].concat());
    assert_eq!(output.status.code(), Some(99));
}

#[test]
fn a_gate_on_a_lower_bound_is_broken_when_it_cannot_be_ruled_out() {
    // Every second request is never answered, so p90 is only known to be at least the timeout.
    let server = Truth::start(|id, stream| {
        if id % 2 == 0 {
            silence(stream);
        } else {
            answer_once(stream, CLOSE);
        }
    });
    let load = ["--requests=100", "--clients=50", "--timeout=100ms"];
    let (output, stderr) = hola_load(&server, &[&load[..], &["--fail-if=p90>1h"]].concat());
    assert_eq!(output.status.code(), Some(99));
    assert!(
        stderr.contains("p90>1h cannot be ruled out: p90 is at least 1"),
        "{stderr}"
    );
    let (output, stderr) = hola_load(&server, &[&load[..], &["--fail-if=p90>50ms"]].concat());
    assert_eq!(output.status.code(), Some(99));
    assert!(
        stderr.contains("gate broken: p90>50ms: p90 is at least 1"),
        "{stderr}"
    );
}

#[test]
fn arguments_that_make_no_sense_exit_with_2() {
    let server = greeter();
    for (arguments, reason) in [
        (&["--fail-if=p98>1ms"][..], "is not a condition"),
        (&["--fail-if=p99>10"], "is not a condition"),
        (&["--clients=1.5"], "is not a number of clients"),
        (&["--clients=8..1/3"], "is not a number of clients"),
        (&["--clients=1,,2"], "is not a number of clients"),
        (&["--clients=4,0"], "at least one"),
        (&["--rate=1k..2k"], "is not a rate"),
        (&["--rate=1k..2k/1"], "is not a rate"),
        (&["--rate=fast"], "is not a rate"),
        (&["--find-max"], "--slo"),
        (&["--slo=p99<1s"], "--find-max"),
        (
            &["--find-max", "--slo=p99<1s", "--rate=1,2"],
            "starts from one rate",
        ),
        (
            &["--find-max", "--slo=p99<1s", "--clients=3"],
            "cannot be used with",
        ),
        (&["--clients=1,2", "--hlog=/nowhere/a"], "keep one load"),
        (&["--interval=1ms"], "at least 100ms"),
    ] {
        let (output, stderr) = hola_load(&server, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(reason), "{arguments:?}: {stderr}");
    }
    assert_eq!(server.accepted(), 0);
}

#[test]
fn several_loads_are_a_line_each_and_one_table() {
    let server = greeter();
    let (output, stderr) = hola_load(&server, &["--clients=1,4", "--requests=150"]);
    assert_eq!(server.accepted(), 300);
    let progress: Vec<&str> = stderr.lines().collect();
    assert_eq!(progress.len(), 2, "{stderr}");
    assert!(progress[1].starts_with("[2/2] 4 clients: "), "{stderr}");
    let table = String::from_utf8(output.stdout).unwrap();
    for row in ["level", "1 clients", "4 clients"] {
        assert!(
            table.lines().any(|line| line.trim_start().starts_with(row)),
            "{table}"
        );
    }
}

#[test]
fn several_loads_have_a_row_or_an_object_each() {
    let server = greeter();
    let load = ["--rate=200..600/3", "--requests=60", "--arrivals=constant"];
    let (csv, _) = hola_load(&server, &[&load[..], &["--format=csv"]].concat());
    let csv = String::from_utf8(csv.stdout).unwrap();
    let rates: Vec<&str> = csv
        .lines()
        .map(|line| line.split(',').nth(4).unwrap())
        .collect();
    assert_eq!(rates, ["rate_per_s", "200", "400", "600"]);
    let (json, _) = hola_load(&server, &[&load[..], &["--format=json"]].concat());
    let levels: Levels = serde_json::from_slice(&json.stdout).unwrap();
    let sent: Vec<u64> = levels.levels.iter().map(|level| level.counts.ok).collect();
    assert_eq!((sent, levels.search), (vec![60; 3], None));
}

#[test]
fn a_gate_names_the_load_that_breaks_it() {
    let server = greeter();
    let load = [
        "--rate=100,800",
        "--requests=60",
        "--arrivals=constant",
        "--fail-if=rate<300",
    ];
    let (output, stderr) = hola_load(&server, &load);
    assert_eq!(output.status.code(), Some(99));
    assert!(
        stderr.contains("gate broken: 100/s: rate<300: rate is "),
        "{stderr}"
    );
    assert!(!stderr.contains("800/s: rate<300"), "{stderr}");
}

#[test]
fn a_signal_keeps_the_loads_that_were_finished() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        // The second load never gets an answer, so it cannot be over before the signal comes.
        let server = Truth::start(|id, stream| {
            if id < 300 {
                answer_once(stream, CLOSE);
            } else {
                silence(stream);
            }
        });
        let arguments = "--clients=2,3 --requests=300 --format=json --timeout=10m";
        let child = command(&server, &arguments.split(' ').collect::<Vec<_>>())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while server.accepted() < 303 {
            thread::yield_now();
        }
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        let levels: Levels = serde_json::from_slice(&output.stdout).unwrap();
        let clients: Vec<_> = levels
            .levels
            .iter()
            .map(|level: &Summary| level.plan.clients)
            .collect();
        assert_eq!(clients, [Some(2)]);
    }
}

/// A server that takes 5 ms for each request, one at a time: at most 200 requests per second.
fn slow() -> Truth {
    let turn = std::sync::Mutex::new(());
    Truth::start(move |_, mut stream| {
        if request(&mut stream) {
            let _turn = turn.lock().unwrap();
            thread::sleep(Duration::from_millis(5));
            let _ = std::io::Write::write_all(&mut stream, CLOSE);
        }
    })
}

#[test]
fn a_search_finds_a_rate_that_was_measured_to_hold() {
    let server = slow();
    let search = [
        "--find-max",
        "--slo=max<200ms,failed<1%",
        "--rate=25",
        "--arrivals=constant",
    ];
    let window = ["--duration=1s", "--format=json"];
    let (output, stderr) = hola_load(&server, &[&search[..], &window[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let levels: Levels = serde_json::from_slice(&output.stdout).unwrap();
    let search = levels.search.unwrap();
    let highest = search.highest_rate_per_s.unwrap();
    // Other load on the machine makes the server slower, never faster than its sleep.
    assert!((1.0..=300.0).contains(&highest), "{search:?}");
    assert_eq!(search.steps.len(), levels.levels.len());
    for (step, level) in search.steps.iter().zip(&levels.levels) {
        assert_eq!(Some(step.rate_per_s), level.plan.rate_per_s);
        assert_eq!(step.met, step.reasons.is_empty());
        assert!(!step.met || level.is_valid());
        assert!(!step.met || step.rate_per_s <= highest);
    }
    let failed = search.steps.iter().filter(|step| !step.met);
    let lowest = failed
        .map(|step| step.rate_per_s)
        .fold(f64::INFINITY, f64::min);
    assert!(lowest > highest && lowest / highest <= 1.05, "{search:?}");
    assert!(stderr.lines().count() == search.steps.len(), "{stderr}");
    assert!(
        search
            .conclusion
            .contains("is the highest rate that was measured to hold max<200ms, failed<1%")
    );
    assert!(search.limit != SearchLimit::Bounds);
}

#[test]
fn a_search_ends_at_once_where_no_rate_can_help() {
    let search = ["--find-max", "--slo=p99<1s", "--rate=50", "--duration=1s"];
    let server = Truth::start(|_, stream| {
        answer_once(
            stream,
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        );
    });
    let (output, stderr) = hola_load(&server, &search);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "one load: {stderr}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("at 50/s not one request succeeded (") && text.contains("status_404"),
        "{text}"
    );

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap().to_string();
    drop(nobody);
    let output = Command::new(env!("CARGO_BIN_EXE_hola-load"))
        .arg(&address)
        .args(["--find-max", "--slo=p99<1s", "--duration=1h"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        format!("error: {address} refused the connection\n")
    );
}

#[test]
fn a_search_in_which_nothing_holds_exits_with_99() {
    let server = greeter();
    let search = [
        "--find-max",
        "--slo=p50<1us",
        "--rate=4",
        "--arrivals=constant",
        "--requests=2",
    ];
    let (output, stderr) = hola_load(&server, &search);
    assert_eq!(
        output.status.code(),
        Some(4),
        "too few requests to tell: {stderr}"
    );
    let search = [
        "--find-max",
        "--slo=max<1us",
        "--rate=4",
        "--arrivals=constant",
        "--requests=2",
    ];
    let (output, stderr) = hola_load(&server, &search);
    assert_eq!(output.status.code(), Some(99), "{stderr}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("No rate was measured to hold max<1us"),
        "{text}"
    );
}
