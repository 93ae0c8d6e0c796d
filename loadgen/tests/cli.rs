//! The program as scripts see it: exit codes, streams and formats.

mod truth;

use std::process::{Command, Output, Stdio};

use hola_loadgen::summary::Summary;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use truth::{CLOSE, Truth, answer_once};

fn hola_load(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hola-load"))
        // What this machine was calibrated for is none of a test's business.
        .env("HOLA_CALIBRATION", "/nowhere/calibration.json")
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
    // Whether a busy neighbour made the generator the limit is for the checks to say.
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
        (&["127.0.0.1:9", "--cpus", "3-1"], "not a list of CPUs"),
        (&["127.0.0.1:9", "--clients", "0"], "at least one"),
        (
            &["127.0.0.1:9", "--requests-per-connection", "0"],
            "unlimited",
        ),
        (&["127.0.0.1:9", "--clients", "4000000000"], "open files"),
        (
            &["127.0.0.1:9/caña?q=ñ"],
            "percent-encode it, as `/ca%C3%B1a?q=%C3%B1`",
        ),
        (&["127.0.0.1:9/a b"], "percent-encode it, as `/a%20b`"),
        (
            &["127.0.0.1:9", "--clients", "4", "--rate", "5"],
            "cannot be used with",
        ),
    ] {
        let output = hola_load(arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(reason), "{arguments:?}: {stderr}");
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

#[test]
fn a_failed_check_is_said_and_with_strict_exits_with_4() {
    let server =
        Truth::start(|id, stream| answer_once(stream, if id % 2 == 0 { CLOSE } else { b"" }));
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

#[test]
fn ctrl_c_prints_what_was_measured_and_exits_with_130() {
    let (server, url) = greeter();
    let child = Command::new(env!("CARGO_BIN_EXE_hola-load"))
        .args([
            &url,
            "--warmup",
            "0s",
            "--duration",
            "10m",
            "--clients",
            "2",
            "--format",
            "json",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    while server.accepted() < 20 {
        std::thread::yield_now();
    }
    kill(
        Pid::from_raw(i32::try_from(child.id()).unwrap()),
        Signal::SIGINT,
    )
    .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let summary: Summary = serde_json::from_slice(&output.stdout).unwrap();
    assert!(summary.counts.ok >= 10 && summary.counts.not_sent == 0);
}
