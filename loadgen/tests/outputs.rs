//! What the program writes besides its result: interval logs, percentile files, lines of NDJSON, the live line.

mod truth;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use hola_loadgen::Histograms;
use hola_loadgen::summary::{Line, Summary};
use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use truth::{CLOSE, Truth, answer_once};

fn greeter() -> Truth {
    Truth::start(|_, stream| answer_once(stream, CLOSE))
}

fn hola_load(server: &Truth, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hola-load"));
    command
        .args([&server.address.to_string(), "--warmup=0s", "--clients=3"])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn interrupt(child: &Child) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
    kill(pid, Signal::SIGINT).unwrap();
}

/// Reads an interval log: the sum of each tag's histograms, and the bounds of its intervals in milliseconds.
fn read_log(path: &Path) -> BTreeMap<String, (Histogram<u64>, Vec<[u128; 2]>)> {
    let text = fs::read(path).unwrap();
    let mut tags = BTreeMap::new();
    let (mut started, mut based) = (None, None);
    for entry in IntervalLogIterator::new(&text) {
        match entry.unwrap() {
            LogEntry::StartTime(time) => started = Some(time),
            LogEntry::BaseTime(time) => based = Some(time),
            LogEntry::Interval(interval) => {
                let histogram = Histograms::decode(interval.encoded_histogram()).unwrap();
                let max_ms = f64::from(u32::try_from(histogram.max() / 1000).unwrap()) / 1000.0;
                assert!((interval.max() - max_ms).abs() < 0.002);
                let tag = interval.tag().unwrap().to_string();
                let (sum, bounds): &mut (Histogram<u64>, Vec<_>) = tags
                    .entry(tag)
                    .or_insert_with(|| (Histograms::new().response, Vec::new()));
                sum.add(&histogram).unwrap();
                let start = interval.start_timestamp();
                bounds.push([start, start + interval.duration()].map(|at| at.as_millis()));
            }
        }
    }
    assert!(
        started.is_some() && started == based,
        "plotters look for the start"
    );
    tags
}

/// The log holds exactly the distributions of `summary`.
fn assert_whole(path: &Path, summary: &Summary) {
    let mut tags = read_log(path);
    let mut histograms = Histograms::new();
    let (response, response_bounds) = tags.remove("response").unwrap();
    let (service, service_bounds) = tags.remove("service").unwrap();
    assert!(tags.is_empty() && response_bounds == service_bounds);
    for pair in response_bounds.windows(2) {
        assert_eq!(pair[0][1], pair[1][0], "no gap and no overlap");
    }
    (histograms.response, histograms.service) = (response, service);
    let latencies = histograms.latencies();
    assert_eq!(latencies.response, summary.latency_us.response);
    assert_eq!(latencies.service, summary.latency_us.service);
}

#[test]
fn the_interval_log_and_the_percentiles_hold_exactly_what_was_measured() {
    let server = greeter();
    let folder = tempfile::tempdir().unwrap();
    let [hlog, hgrm] = ["load.hlog", "load.hgrm"].map(|name| folder.path().join(name));
    let output = hola_load(
        &server,
        &["--duration=350ms", "--interval=100ms", "--format=json"],
    )
    .arg("--hlog")
    .arg(&hlog)
    .arg("--hgrm")
    .arg(&hgrm)
    .output()
    .unwrap();
    let summary: Summary = serde_json::from_slice(&output.stdout).unwrap();
    assert_whole(&hlog, &summary);
    let (_, bounds) = &read_log(&hlog)["response"];
    assert_eq!(bounds[..3], [[0, 100], [100, 200], [200, 300]]);
    let percentiles = fs::read_to_string(&hgrm).unwrap();
    let last = percentiles
        .lines()
        .rfind(|line| !line.starts_with('#'))
        .unwrap();
    let last: Vec<f64> = last
        .split_whitespace()
        .map(|cell| cell.parse().unwrap())
        .collect();
    let response = &summary.latency_us.response;
    assert!(
        (last[0] * 1e3 - response.max.unwrap()).abs() < 1.0,
        "{last:?}"
    );
    assert_eq!(last[2].to_string(), response.count.to_string());
}

#[test]
fn ctrl_c_loses_nothing_of_the_logs() {
    let server = greeter();
    let folder = tempfile::tempdir().unwrap();
    let [hlog, hgrm] = ["load.hlog", "load.hgrm"].map(|name| folder.path().join(name));
    let child = hola_load(
        &server,
        &["--duration=10m", "--interval=100ms", "--format=json"],
    )
    .arg("--hlog")
    .arg(&hlog)
    .arg("--hgrm")
    .arg(&hgrm)
    .spawn()
    .unwrap();
    while server.accepted() < 200 {
        std::thread::yield_now();
    }
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let summary: Summary = serde_json::from_slice(&output.stdout).unwrap();
    assert_whole(&hlog, &summary);
    let percentiles = fs::read_to_string(&hgrm).unwrap();
    let total = format!("Total count    = {:12}]", summary.latency_us.response.count);
    assert!(percentiles.contains(&total), "{percentiles}");
}

#[test]
fn lines_come_while_it_happens_and_add_up_to_the_last_one() {
    let server = greeter();
    let mut child = hola_load(
        &server,
        &["--duration=10m", "--interval=100ms", "--format=ndjson"],
    )
    .spawn()
    .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut intervals = Vec::new();
    let mut summary = None;
    while let Some(Ok(line)) = lines.next() {
        match serde_json::from_str(&line).unwrap() {
            Line::Interval(interval) => intervals.push(interval),
            Line::Summary(last) => summary = Some(last),
            Line::Search(_) => panic!("nobody asked for a search"),
        }
        // Only the lines that have arrived decide when to stop.
        if intervals.len() == 2 && summary.is_none() {
            interrupt(&child);
        }
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let counts = summary.unwrap().counts;
    assert_eq!(
        intervals.iter().map(|interval| interval.ok).sum::<u64>(),
        counts.ok
    );
    assert_eq!(
        intervals.iter().map(|interval| interval.sent).sum::<u64>(),
        counts.sent
    );
}

#[test]
fn no_file_is_overwritten_and_none_is_left_behind() {
    let server = greeter();
    let folder = tempfile::tempdir().unwrap();
    let [taken, new] = ["taken", "new"].map(|name| folder.path().join(name));
    fs::write(&taken, "precious").unwrap();
    for (first, second) in [("--hlog", "--hgrm"), ("--output", "--hlog")] {
        let output = hola_load(&server, &["--requests=10"])
            .arg(first)
            .arg(&new)
            .arg(second)
            .arg(&taken)
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(
            stderr.contains("taken") && stderr.lines().count() == 1,
            "{stderr}"
        );
        assert!(!new.exists());
        assert_eq!(fs::read_to_string(&taken).unwrap(), "precious");
    }
    assert_eq!(
        server.accepted(),
        0,
        "nothing is measured that cannot be kept"
    );
}

/// An address without a listener.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn a_file_appears_when_there_is_something_to_write_and_nothing_is_beside_it() {
    let server = greeter();
    let folder = tempfile::tempdir().unwrap();
    let [result, hlog, hgrm] = ["o.json", "o.hlog", "o.hgrm"].map(|name| folder.path().join(name));
    let with_files = |command: &mut Command| {
        command.arg("--output").arg(&result);
        command.arg("--hlog").arg(&hlog).arg("--hgrm").arg(&hgrm);
        command.output().unwrap()
    };
    // A run that never starts: the kernel does not know so many CPUs.
    let mut impossible = hola_load(&server, &["--requests=10", "--cpus=1023"]);
    assert_eq!(with_files(&mut impossible).status.code(), Some(1));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let mut retry = hola_load(&server, &["--requests=10", "--format=json"]);
    assert_eq!(with_files(&mut retry).status.code(), Some(0));
    let text = fs::read(&result).unwrap();
    assert_eq!(
        serde_json::from_slice::<Summary>(&text).unwrap().counts.ok,
        10
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[test]
fn files_of_results_are_readable_by_their_owner_alone() {
    let server = greeter();
    let folder = tempfile::tempdir().unwrap();
    // JSON is written as a whole, NDJSON in parts.
    for format in ["json", "ndjson"] {
        let [result, hlog, hgrm] =
            ["o", "hlog", "hgrm"].map(|name| folder.path().join(format!("{format}.{name}")));
        let load = hola_load(&server, &["--requests=10", "--format", format])
            .arg("--output")
            .arg(&result)
            .arg("--hlog")
            .arg(&hlog)
            .arg("--hgrm")
            .arg(&hgrm)
            .output()
            .unwrap();
        assert!(load.status.success(), "{load:?}");
        for file in [result, hlog, hgrm] {
            let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o7777;
            assert_eq!(mode, 0o600, "{}", file.display());
        }
    }
}

#[test]
fn a_result_with_its_cause_of_failure_is_written_whole() {
    let folder = tempfile::tempdir().unwrap();
    let result = folder.path().join("o.json");
    let output = Command::new(env!("CARGO_BIN_EXE_hola-load"))
        .args([&nobody(), "--warmup=0s", "--requests=4", "--clients=2"])
        .args(["--format=json", "--output"])
        .arg(&result)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let summary: Summary = serde_json::from_slice(&fs::read(&result).unwrap()).unwrap();
    assert_eq!(summary.counts.failed["refused"]["connect"], 4);
}

#[test]
fn what_cannot_be_kept_is_refused_before_the_load() {
    let server = greeter();
    let folder = tempfile::tempdir().unwrap();
    let [link, twice] = ["link", "twice"].map(|name| folder.path().join(name));
    std::os::unix::fs::symlink("/nowhere/else", &link).unwrap();
    let twice = twice.to_str().unwrap();
    for (arguments, words) in [
        (["--output", "/nowhere/o.json"], "/nowhere/o.json"),
        (["--hlog", link.to_str().unwrap()], "leads nowhere"),
        (["--hgrm", folder.path().to_str().unwrap()], "exists"),
        (["--hlog", twice], "twice is named twice"),
    ] {
        let mut command = hola_load(&server, &["--requests=10"]);
        command.args(arguments);
        if arguments[1] == twice {
            command.args(["--output", twice]);
        }
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
        assert!(
            stderr.contains(words) && stderr.lines().count() == 1,
            "{arguments:?}: {stderr}"
        );
    }
    assert_eq!(server.accepted(), 0);
}

#[test]
fn devices_and_pipes_take_results() {
    let server = greeter();
    let null = ["--output=/dev/null", "--hlog=/dev/null", "--hgrm=/dev/null"];
    let output = hola_load(&server, &["--requests=10"])
        .args(null)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stdout.is_empty() && output.stderr.is_empty());

    // Standard output as a pipe, and as a file that has something in it already.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all");
    fs::write(&path, "before\n").unwrap();
    let file = File::options().append(true).open(&path).unwrap();
    for stdout in [Stdio::piped(), Stdio::from(file)] {
        let output = hola_load(&server, &["--requests=10", "--hlog=/dev/stdout"])
            .arg("--output=/dev/null")
            .stdout(stdout)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let log = match output.stdout.is_empty() {
            true => fs::read_to_string(&path).unwrap(),
            false => format!("before\n{}", String::from_utf8(output.stdout).unwrap()),
        };
        assert!(log.starts_with("before\n#["), "{log}");
        assert!(log.contains("Tag=response,"), "{log}");
    }

    let pipe = folder.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let load = hola_load(&server, &["--requests=10", "--format=json"])
        .arg("--output")
        .arg(&pipe)
        .spawn()
        .unwrap();
    let summary: Summary = serde_json::from_reader(File::open(&pipe).unwrap()).unwrap();
    assert_eq!(summary.counts.ok, 10);
    assert!(load.wait_with_output().unwrap().status.success());
}

#[test]
fn a_full_disk_is_named_and_loses_nothing_that_was_measured() {
    let server = greeter();
    let load = ["--duration=300ms", "--interval=100ms"];
    for (full, format) in [
        ("--hlog", "json"),
        ("--hgrm", "json"),
        ("--output", "json"),
        ("--output", "ndjson"),
    ] {
        let output = hola_load(&server, &load)
            .args(["--format", format, full, "/dev/full"])
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{full}: {stderr}");
        assert!(
            stderr.starts_with("error: cannot write /dev/full: No space left"),
            "{full}: {stderr}"
        );
        assert_eq!(stderr.lines().count(), 1, "{full}: {stderr}");
        let stdout = String::from_utf8(output.stdout).unwrap();
        let counts = match format {
            "json" => serde_json::from_str::<Summary>(&stdout).unwrap().counts,
            _ => match serde_json::from_str(stdout.lines().last().unwrap()).unwrap() {
                Line::Summary(summary) => summary.counts,
                line => panic!("{line:?}"),
            },
        };
        assert!(counts.ok > 0, "{full}: {stdout}");
    }
}

#[test]
fn a_full_standard_output_is_one_line_and_exit_code_1() {
    let server = greeter();
    for format in ["text", "json", "csv", "markdown", "ndjson"] {
        for load in ["--clients=1", "--clients=1,2"] {
            // Not with `hola_load`, which sets a number of clients itself.
            let mut command = Command::new(env!("CARGO_BIN_EXE_hola-load"));
            let output = command
                .args([&server.address.to_string(), "--warmup=0s", load])
                .args(["--requests=10", "--format", format])
                .stdout(File::options().write(true).open("/dev/full").unwrap())
                .stderr(Stdio::piped())
                .output()
                .unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{format}: {stderr}");
            let errors: Vec<&str> = stderr
                .lines()
                .filter(|line| !line.starts_with('['))
                .collect();
            assert_eq!(errors.len(), 1, "{format}: {stderr}");
            assert!(
                errors[0].starts_with("error: cannot write to standard output: No space left"),
                "{format}: {stderr}"
            );
        }
    }
}

#[test]
fn a_closed_standard_output_ends_quietly() {
    let server = greeter();
    for format in ["text", "json", "csv", "markdown"] {
        let mut child = hola_load(&server, &["--requests=10", "--format", format])
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{format}: {output:?}");
        assert!(output.stderr.is_empty(), "{format}: {output:?}");
    }
    // A reader that closes after the first line ends the load.
    let mut child = hola_load(
        &server,
        &["--duration=10m", "--interval=100ms", "--format=ndjson"],
    )
    .spawn()
    .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    assert!(first.starts_with("{\"kind\":\"interval\""), "{first}");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn messages_that_nobody_can_be_told_change_nothing() {
    let server = greeter();
    let output = hola_load(&server, &["--requests=10", "--fail-if=max>1us"])
        .stderr(File::options().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(99));
    assert!(!output.stdout.is_empty());
}

#[test]
fn a_report_is_a_page_of_tables() {
    let server = Truth::start(|id, stream| answer_once(stream, if id == 7 { b"" } else { CLOSE }));
    let output = hola_load(&server, &["--requests=50", "--format=markdown"])
        .output()
        .unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(
        report.starts_with("### Load: http://127.0.0.1:"),
        "{report}"
    );
    for expected in [
        "| 1 | closed_early | before first byte |",
        "| | response | service |",
        "| p90 |",
    ] {
        assert!(report.contains(expected), "{expected}: {report}");
    }
    for table in report.split("\n\n").filter(|part| part.starts_with('|')) {
        let cells = |line: &str| line.matches('|').count();
        let width = cells(table.lines().next().unwrap());
        assert!(table.lines().all(|line| cells(line) == width), "{table}");
    }
}

/// Runs a load with a terminal for standard error, and returns what it wrote there.
fn on_terminal(variables: &[(&str, &str)], arguments: &[&str]) -> String {
    let server =
        Truth::start(|id, stream| answer_once(stream, if id % 9 == 8 { b"" } else { CLOSE }));
    let size = Winsize {
        ws_row: 24,
        ws_col: 120,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let terminal = openpty(&size, None).unwrap();
    let mut child = hola_load(&server, arguments)
        .env_remove("NO_COLOR")
        .env("TERM", "xterm")
        .envs(variables.iter().copied())
        .stdout(Stdio::null())
        .stderr(terminal.slave)
        .spawn()
        .unwrap();
    let mut written = Vec::new();
    // If the other side of a terminal is closed, a read ends with an error.
    let _ = File::from(terminal.master).read_to_end(&mut written);
    child.wait().unwrap();
    String::from_utf8(written).unwrap()
}

/// The line that a terminal shows after `written`; understands only the sequences that the program uses.
fn screen(written: &str) -> String {
    let mut line: Vec<char> = Vec::new();
    let mut column = 0;
    let plain = written
        .replace("\x1b[31m", "")
        .replace("\x1b[0m", "")
        .replace("\x1b[K", "\u{1}");
    for character in plain.chars() {
        match character {
            '\r' => column = 0,
            '\u{1}' => line.truncate(column),
            '\n' => line.clear(),
            character => {
                line.resize(line.len().max(column + 1), ' ');
                line[column] = character;
                column += 1;
            }
        }
    }
    line.iter().collect::<String>().trim_end().to_owned()
}

#[test]
fn the_live_line_shows_how_it_goes_and_leaves_nothing_behind() {
    let began = Instant::now();
    let written = on_terminal(&[], &["--duration=1300ms"]);
    for expected in ["\x1b[31m", "closed_early", "p50", "p99", "lag", "in flight"] {
        assert!(written.contains(expected), "{written:?}");
    }
    assert_eq!(screen(&written), "", "{written:?}");
    // Besides two drawings per second, one more clears the line.
    let drawings = u32::try_from(written.matches('\r').count()).unwrap();
    let most = began.elapsed().div_duration_f64(Duration::from_millis(500)) + 1.0;
    assert!(
        f64::from(drawings) <= most,
        "{drawings} drawings: {written:?}"
    );
}

#[test]
fn the_live_line_does_not_keep_intervals_from_their_length() {
    let folder = tempfile::tempdir().unwrap();
    let hlog = folder.path().join("load.hlog");
    let path = hlog.to_str().unwrap();
    on_terminal(&[], &["--duration=2s", "--interval=1s", "--hlog", path]);
    let (_, bounds) = &read_log(&hlog)["response"];
    assert_eq!(bounds[..2], [[0, 1000], [1000, 2000]]);
}

#[test]
fn the_live_line_does_without_colour_and_without_control_sequences() {
    let plain = on_terminal(&[("NO_COLOR", "1")], &["--duration=700ms"]);
    assert!(
        plain.contains("closed_early") && !plain.contains("\x1b[3"),
        "{plain:?}"
    );
    let dumb = on_terminal(&[("TERM", "dumb")], &["--duration=700ms"]);
    assert!(
        dumb.contains("closed_early") && !dumb.contains('\x1b'),
        "{dumb:?}"
    );
    assert_eq!(screen(&dumb), "", "{dumb:?}");
}

#[test]
fn nothing_but_complaints_is_written_where_nobody_watches() {
    let server = greeter();
    let output = hola_load(&server, &["--duration=700ms"]).output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
