//! V10: a generator that lacks a resource names it, and never reports as if it had it.

use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hola_loadgen::Stop;
use hola_loadgen::summary::{Arrivals, CheckName};

use super::{Finding, Scale};
use crate::truth::plan::{Plan, Work};
use crate::truth::planned::{Planned, listen};
use crate::truth::{CLOSE, answer_once, check_of, constant, failed, load, measure, open};

pub(crate) fn causes(_scale: Scale) -> Finding {
    let mut finding = Finding::default();
    too_few_files_or_ports(&mut finding);
    files_that_somebody_else_holds(&mut finding);
    a_queue_of_one(&mut finding);
    a_server_that_lets_nobody_in(&mut finding);
    a_rate_beyond_anybody(&mut finding);
    finding
}

/// Runs the real program with a limit of `files` open files: one of these exit codes and causes must come out of it.
fn must_name(
    finding: &mut Finding,
    name: &str,
    files: u32,
    (address, arguments): (SocketAddr, &str),
    causes: &[(i32, &str)],
) {
    let script = format!("ulimit -n {files}; exec \"$0\" \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_hola-load")])
        .arg(address.to_string())
        .args(arguments.split(' '))
        .args(["--strict", "--warmup", "0s", "--duration", "600ms"])
        .output()
        .expect("a shell");
    let said = [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy);
    let said = said.concat();
    let is_seen =
        |(code, cause): &&(i32, &str)| output.status.code() == Some(*code) && said.contains(cause);
    match causes.iter().find(is_seen) {
        Some((code, cause)) => finding.note(format!("{name}: exit {code}, `{cause}`")),
        None => finding.require(false, format!("{name}: {:?} {said}", output.status)),
    }
}

/// A server that takes so long that 500 requests a second are 200 at once.
fn too_few_files_or_ports(finding: &mut Finding) {
    let server = Planned::start(Plan::delays(Work::Constant(Duration::from_millis(400))));
    // Within the system's own range: the kernel ignores others.
    let ports = "--source 127.0.0.9 --local-ports 45000-45099";
    let (files, few_ports) = ((2, "open files"), (2, "local ports"));
    for (name, limit, arguments, causes) in [
        (
            "100 clients with 64 files",
            64,
            "--clients 100".to_owned(),
            [files, files],
        ),
        (
            "200 at once with 100 files",
            100,
            "--rate 500 --timeout 2s".to_owned(),
            [files, (4, "waited for a free connection")],
        ),
        (
            "200 clients with 100 ports",
            1000,
            format!("--clients 200 {ports}"),
            [few_ports; 2],
        ),
        (
            "200 at once with 100 ports",
            1000,
            format!("--rate 500 {ports}"),
            [(4, "local_EADDRNOTAVAIL"); 2],
        ),
    ] {
        must_name(finding, name, limit, (server.address, &arguments), &causes);
    }
}

/// The plan fits the limit, but most of the limit is already in use when the process starts.
fn files_that_somebody_else_holds(finding: &mut Finding) {
    let server = Planned::start(Plan::delays(Work::Constant(Duration::from_millis(50))));
    // Without close-on-exec, so that the program inherits them.
    let null = std::fs::File::open("/dev/null").expect("it is there");
    let dup = |_| nix::unistd::dup(&null).expect("room for one more");
    let _held: Vec<_> = (0..150).map(dup).collect();
    let causes = [1, 2, 4].map(|code| ["local_EMFILE", "open files"].map(|cause| (code, cause)));
    // Connections of the other engine are not open files of the process.
    let arguments = "--clients 100 --engine readiness";
    must_name(
        finding,
        "150 of 230 files held by others",
        230,
        (server.address, arguments),
        causes.as_flattened(),
    );
}

/// A server with a backlog of one that does not accept for a while: the kernel drops what does not fit, and clients try
/// again a second later. That second is part of the connect, service and response times.
fn a_queue_of_one(finding: &mut Finding) {
    let listener = listen(([127, 0, 0, 1], 0).into(), 1).expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    listener.set_nonblocking(false).expect("a socket");
    let (served, done) = mpsc::channel();
    let server = thread::spawn(move || {
        thread::sleep(Duration::from_millis(400));
        for stream in listener.incoming() {
            let stream = stream.expect("a client");
            if done.try_recv().is_ok() {
                return;
            }
            thread::spawn(move || answer_once(stream, CLOSE));
        }
    });
    let mut workload = load(address, 1, 1);
    workload.pace = constant(50.0);
    workload.stop = Stop::After(Duration::from_millis(400));
    workload.timeout = Duration::from_secs(10);
    let summary = measure(&workload).summary;
    served.send(()).expect("the server waits for it");
    drop(TcpStream::connect(address));
    server.join().expect("the server does not panic");

    for (name, words) in [
        (CheckName::Modes, "were delayed by SYN retransmission"),
        (CheckName::KernelEvidence, "accept-queue overflows"),
    ] {
        let check = check_of(&summary, name);
        let named = !check.ok && check.detail.contains(words);
        finding.require(named, format!("a queue of one: {check:?}"));
    }
    let counted = summary.kernel.unwrap_or_default();
    finding.require(
        counted.listen_overflows > 0 && counted.syn_retransmissions > 0,
        format!("a queue of one: {counted:?}"),
    );
    let latency = &summary.latency_us;
    let [connect_s, service_s, response_s] =
        [&latency.connect, &latency.service, &latency.response]
            .map(|distribution| distribution.max.unwrap_or(0.0) / 1e6);
    let text = format!("a queue of one: connecting took {connect_s:.2} s");
    finding.expect(connect_s > 0.9, text);
    for (name, longest_s) in [("service", service_s), ("response", response_s)] {
        finding.require(
            longest_s > connect_s * 0.999,
            format!("{name} of {longest_s:.2} s holds {connect_s:.2} s of connecting"),
        );
    }
}

/// A server that never accepts, with a backlog of one: connections in the accept queue wait for an answer, the others
/// for the handshake.
fn a_server_that_lets_nobody_in(finding: &mut Finding) {
    let listener = listen(([127, 0, 0, 1], 0).into(), 1).expect("a free port");
    let mut workload = load(listener.local_addr().expect("it is bound"), 12, 12);
    workload.timeout = Duration::from_millis(300);
    let measurement = measure(&workload);
    let in_queue = failed(&measurement, "timeout", "before_first_byte");
    let outside = failed(&measurement, "timeout", "connect");
    let text = format!("nobody let in: {in_queue} timeouts in the queue, {outside} connecting");
    // The kernel queues one more than the backlog.
    finding.expect(in_queue == 2 && outside == 10, text);
}

fn a_rate_beyond_anybody(finding: &mut Finding) {
    let server = Planned::start(Plan::delays(Work::Constant(Duration::ZERO)));
    let mut workload = load(server.address, 1, 1);
    workload.pace = open(1_000_000.0, Arrivals::Poisson);
    workload.stop = Stop::After(Duration::from_millis(300));
    workload.timeout = Duration::from_millis(300);
    workload.max_in_flight = Some(100);
    let summary = measure(&workload).summary;
    let causes = [CheckName::Offered, CheckName::Generator];
    let failed: Vec<CheckName> = causes
        .into_iter()
        .filter(|name| !check_of(&summary, *name).ok)
        .collect();
    let text = format!("1,000,000/s: {} fails", CheckName::join(&failed, ", "));
    finding.expect(!failed.is_empty(), text);
}
