//! V10: a generator that lacks a resource names it, and never reports as if it had it.

use std::io::Write;
use std::process::{Command, Output};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hola_loadgen::summary::{Arrivals, CheckName, Summary};
use hola_loadgen::{Pace, Stop};

use super::{Finding, Scale};
use crate::truth::plan::{Plan, Work};
use crate::truth::planned::{Planned, listen};
use crate::truth::{CLOSE, failed, load, measure, request};

pub(crate) fn causes(_scale: Scale) -> Finding {
    let mut finding = Finding::default();
    too_few_files_for_clients(&mut finding);
    too_few_files_for_a_rate(&mut finding);
    files_that_somebody_else_holds(&mut finding);
    too_few_ports(&mut finding);
    a_queue_of_one(&mut finding);
    a_server_that_lets_nobody_in(&mut finding);
    a_rate_beyond_anybody(&mut finding);
    finding
}

/// Runs the real program with a limit of `files` open files.
fn hola_load(files: u32, arguments: &[&str]) -> Output {
    let script = format!("ulimit -n {files}; exec \"$0\" \"$@\"");
    Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_hola-load")])
        .args(arguments)
        .arg("--strict")
        .output()
        .expect("a shell")
}

fn words(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]]
        .map(String::from_utf8_lossy)
        .concat()
}

fn too_few_files_for_clients(finding: &mut Finding) {
    let output = hola_load(
        64,
        &["127.0.0.1:9", "--clients", "100", "--requests", "100"],
    );
    let words = words(&output);
    finding.require(
        output.status.code() == Some(2) && words.contains("open files"),
        format!("64 files for 100 clients: {:?} {words}", output.status),
    );
    finding.note("100 clients with 64 files: refused, `open files`");
}

/// 500 requests a second that take 0.4 s each are 200 at once.
fn too_few_files_for_a_rate(finding: &mut Finding) {
    let server = Planned::start(Plan::delays(Work::Constant(Duration::from_millis(400))));
    let url = server.address.to_string();
    let output = hola_load(
        100,
        &[
            &url,
            "--rate",
            "500",
            "--duration",
            "600ms",
            "--warmup",
            "0s",
            "--timeout",
            "2s",
        ],
    );
    let words = words(&output);
    let refused = output.status.code() == Some(2) && words.contains("open files");
    let named = output.status.code() == Some(4) && words.contains("waited for a free connection");
    finding.require(
        refused || named,
        format!(
            "100 files for a rate that needs 200: {:?} {words}",
            output.status
        ),
    );
    finding.note("200 at once with 100 files: not valid, `waited for a free connection`");
}

/// The plan fits the limit, but most of the limit is already in use when the process starts.
fn files_that_somebody_else_holds(finding: &mut Finding) {
    let server = Planned::start(Plan::delays(Work::Constant(Duration::from_millis(50))));
    let url = server.address.to_string();
    // Without close-on-exec, so that the program inherits them.
    let null = std::fs::File::open("/dev/null").expect("it is there");
    let held: Vec<_> = (0..150)
        .map(|_| nix::unistd::dup(&null).expect("room for one more"))
        .collect();
    let output = hola_load(
        230,
        &[
            &url,
            "--clients",
            "100",
            "--duration",
            "300ms",
            "--warmup",
            "0s",
            // Connections of the other engine are not open files of the process.
            "--engine",
            "readiness",
        ],
    );
    drop(held);
    let words = words(&output);
    let named = words.contains("local_EMFILE") || words.contains("open files");
    finding.require(
        matches!(output.status.code(), Some(1 | 2 | 4)) && named,
        format!(
            "150 of 230 files held by others: {:?} {words}",
            output.status
        ),
    );
    finding.note("150 of 230 files held by others: not valid, `EMFILE` or `open files`");
}

/// A hundred ports, for two hundred clients and for a rate that has two hundred requests under way.
fn too_few_ports(finding: &mut Finding) {
    let server = Planned::start(Plan::delays(Work::Constant(Duration::from_millis(400))));
    let url = server.address.to_string();
    // Within the system's own range: the kernel ignores others.
    let ports = ["--source", "127.0.0.9", "--local-ports", "45000-45099"];
    let run = |pace: &[&str]| {
        let window = ["--duration", "600ms", "--warmup", "0s"];
        hola_load(1000, &[&[url.as_str()], &ports[..], pace, &window].concat())
    };
    let (clients, rate) = (run(&["--clients", "200"]), run(&["--rate", "500"]));
    let (of_clients, of_rate) = (words(&clients), words(&rate));
    finding.require(
        clients.status.code() == Some(2) && of_clients.contains("local ports"),
        format!(
            "100 ports for 200 clients: {:?} {of_clients}",
            clients.status
        ),
    );
    finding.require(
        rate.status.code() == Some(4) && of_rate.contains("local_EADDRNOTAVAIL"),
        format!(
            "100 ports for a rate that needs 200: {:?} {of_rate}",
            rate.status
        ),
    );
    finding
        .note("100 ports for 200 at once: refused, `local ports`, or not valid, `EADDRNOTAVAIL`");
}

/// A server with a backlog of one that does not accept for a while: the kernel drops what does not fit, and clients try
/// again a second later. That second is part of the connect, service and response times.
fn a_queue_of_one(finding: &mut Finding) {
    let listener_address = listen(([127, 0, 0, 1], 0).into(), 1).expect("a free port");
    let address = listener_address.local_addr().expect("it is bound");
    listener_address.set_nonblocking(false).expect("a socket");
    let (served, done) = mpsc::channel();
    let server = thread::spawn(move || {
        thread::sleep(Duration::from_millis(400));
        for stream in listener_address.incoming() {
            let mut stream = stream.expect("a client");
            if done.try_recv().is_ok() {
                return;
            }
            thread::spawn(move || {
                if request(&mut stream) {
                    let _ = stream.write_all(CLOSE);
                }
            });
        }
    });
    let mut workload = load(address, 1, 1);
    workload.pace = Pace::Open {
        rate_per_s: 50.0,
        arrivals: Arrivals::Constant,
    };
    workload.stop = Stop::After(Duration::from_millis(400));
    workload.timeout = Duration::from_secs(10);
    let measurement = measure(&workload);
    served.send(()).expect("the server waits for it");
    drop(std::net::TcpStream::connect(address));
    server.join().expect("the server does not panic");

    let named = failed_checks(&measurement.summary);
    finding.require(
        named
            .iter()
            .any(|name| [CheckName::Modes, CheckName::KernelEvidence].contains(name)),
        format!("a queue of one: {named:?} do not hold"),
    );
    let latency = &measurement.summary.latency_us;
    let longest = |figure: Option<f64>| figure.unwrap_or(0.0) / 1e6;
    let connect_s = longest(latency.connect.max);
    let text = format!("a queue of one: connecting took {connect_s:.2} s");
    finding.require(connect_s > 0.9, text.clone());
    finding.note(text);
    for (name, figure) in [
        ("service", latency.service.max),
        ("response", latency.response.max),
    ] {
        finding.require(
            longest(figure) > connect_s * 0.999,
            format!(
                "{name} of {:.2} s holds {connect_s:.2} s of connecting",
                longest(figure)
            ),
        );
    }
}

/// A server that never accepts, with a backlog of one: connections in the accept queue wait for an answer, the others
/// for the handshake.
fn a_server_that_lets_nobody_in(finding: &mut Finding) {
    let listener_address = listen(([127, 0, 0, 1], 0).into(), 1).expect("a free port");
    let mut workload = load(listener_address.local_addr().expect("it is bound"), 12, 12);
    workload.timeout = Duration::from_millis(300);
    let measurement = measure(&workload);
    let in_queue = failed(&measurement, "timeout", "before_first_byte");
    let outside = failed(&measurement, "timeout", "connect");
    let text = format!("nobody let in: {in_queue} timeouts in the queue, {outside} connecting");
    // The kernel queues one more than the backlog.
    finding.require(in_queue == 2 && outside == 10, text.clone());
    finding.note(text);
}

fn a_rate_beyond_anybody(finding: &mut Finding) {
    let server = Planned::start(Plan::delays(Work::Constant(Duration::ZERO)));
    let mut workload = load(server.address, 1, 1);
    workload.pace = Pace::Open {
        rate_per_s: 1_000_000.0,
        arrivals: Arrivals::Poisson,
    };
    workload.stop = Stop::After(Duration::from_millis(300));
    workload.timeout = Duration::from_millis(300);
    workload.max_in_flight = Some(100);
    let measurement = measure(&workload);
    let named = failed_checks(&measurement.summary);
    let names: Vec<_> = named.iter().map(|name| name.name()).collect();
    let text = format!("1,000,000/s: {} does not hold", names.join(", "));
    let causes = [CheckName::Offered, CheckName::Generator];
    finding.require(named.iter().any(|name| causes.contains(name)), text.clone());
    finding.note(text);
}

fn failed_checks(summary: &Summary) -> Vec<CheckName> {
    let failed = summary.validity.iter().filter(|check| !check.ok);
    failed.map(|check| check.check).collect()
}
