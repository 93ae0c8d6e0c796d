//! The procedures and disturbances of the lab, small, on the real program.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use hola::lab::procedures::crashes::{Crashes, Death};
use hola::lab::procedures::heavy::HeavyRequest;
use hola::lab::procedures::slow::{Pace, SlowClients};
use hola::lab::procedures::{Procedure, backlog, idle, spawn};

use self::support::{HOLA, Server, WORKERS, eventually, hola};

static GOING_ON: AtomicBool = AtomicBool::new(false);
static INTERRUPTED: AtomicBool = AtomicBool::new(true);

fn figure(found: &Procedure, name: &str) -> f64 {
    let value = found.figures.get(name).copied();
    value.unwrap_or_else(|| panic!("no {name} in {found:?}"))
}

fn count(found: &Procedure, name: &str) -> usize {
    let value = figure(found, name);
    assert!(value >= 0.0 && value.fract() == 0.0, "{name}: {value}");
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let count = value as usize;
    count
}

fn assert_valid(found: &Procedure) {
    assert!(found.validity.iter().all(|check| check.ok), "{found:?}");
}

// --- Backlog ----------------------------------------------------------------------------------------------------------

#[test]
fn a_backlog_of_five_lets_six_clients_connect_and_puts_the_others_off_by_seconds() {
    let found =
        backlog::measure(Path::new(HOLA), "iterative", 5, &[], &GOING_ON).expect("measured");
    assert_valid(&found);
    assert_eq!(count(&found, "clients_connected"), 6, "{found:?}");
    assert!(count(&found, "listen_overflows") >= 63, "{found:?}");
    let put_off = count(&found, "connects_after_1s") + count(&found, "connects_after_3s");
    assert!(put_off >= 6, "{found:?}");
    assert!(figure(&found, "connect_us_p99") > 900_000.0, "{found:?}");
}

#[test]
fn a_backlog_of_128_lets_129_clients_connect_and_they_are_all_answered() {
    let found =
        backlog::measure(Path::new(HOLA), "iterative", 128, &[], &GOING_ON).expect("measured");
    assert_valid(&found);
    assert_eq!(count(&found, "clients_connected"), 129, "{found:?}");
    assert!(count(&found, "clients_answered") >= 129, "{found:?}");
}

#[test]
fn a_server_that_goes_on_accepting_is_no_measure_of_a_backlog() {
    let found = backlog::measure(Path::new(HOLA), "epoll", 5, &[], &GOING_ON).expect("measured");
    let stalled = found
        .validity
        .iter()
        .find(|check| check.check == "acceptor_stalled");
    assert!(stalled.is_some_and(|check| !check.ok), "{found:?}");
}

// --- Spawn ------------------------------------------------------------------------------------------------------------

#[test]
fn a_task_costs_less_than_a_thread_and_a_thread_less_than_a_process_with_ballast() {
    let spawn_us = |model: &str, ballast| {
        let found = spawn::measure(Path::new(HOLA), model, 1_000, ballast, &[], &GOING_ON);
        let found = found.expect(model);
        assert_valid(&found);
        assert!(figure(&found, "spawn_us_p99") >= figure(&found, "spawn_us"));
        figure(&found, "spawn_us")
    };
    let (task, thread) = (spawn_us("tokio", 0), spawn_us("thread-per-client", 0));
    let process = spawn_us("fork-per-client", 20 << 20);
    assert!(
        0.0 < task && task < thread && thread < process,
        "{task}, {thread}, {process} µs"
    );
}

#[test]
fn a_model_that_makes_nothing_for_a_client_has_no_price_of_it() {
    let refused = spawn::measure(Path::new(HOLA), "pre-forked", 10, 0, &[], &GOING_ON);
    let reason = refused.expect_err("a pool");
    assert!(reason.contains("makes nothing"), "{reason}");
}

#[test]
fn the_price_of_a_process_is_printed_as_json_and_too_few_give_no_percentile() {
    let (status, stdout, stderr) = hola(&["spawn", "process", "--count", "20", "--ballast", "1M"]);
    assert!(status.success(), "{stderr}");
    let said: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(
        (&said["kind"], &said["count"], &said["ballast_octets"]),
        (&"process".into(), &20.into(), &(1 << 20).into())
    );
    assert!(said["spawn_us"].as_f64() > Some(0.0) && said["spawn_us_p99"].is_null());
    let (status, _, stderr) = hola(&["spawn", "fibre"]);
    assert_eq!(status.code(), Some(2), "{stderr}");
    let (_, help, _) = hola(&["--help"]);
    assert!(!help.contains("spawn"), "{help}");
}

#[test]
fn a_procedure_that_is_interrupted_says_so_and_leaves_no_server() {
    let hola = Path::new(HOLA);
    for ended in [
        idle::measure(hola, "epoll", 64, &[], &INTERRUPTED),
        backlog::measure(hola, "iterative", 5, &[], &INTERRUPTED),
        spawn::measure(hola, "tokio", 10, 0, &[], &INTERRUPTED),
    ] {
        assert_eq!(ended.expect_err("interrupted"), "interrupted");
    }
}

// --- Disturbances -----------------------------------------------------------------------------------------------------

#[test]
fn slow_clients_hold_the_attention_they_get_until_they_are_let_go() {
    let server = Server::start("pre-threaded");
    // One more would be one too many.
    let slow = SlowClients::start(server.address, WORKERS - 1, Pace::Silent, &[]).expect("there");
    server.greets();
    let counts = slow.finish();
    assert_eq!(
        (counts.connected, counts.ended_by_server, counts.dripped),
        (WORKERS - 1, 0, 0)
    );
    assert!(counts.figures().contains_key("slow_clients_connected"));
    let counters = server.stop();
    assert_eq!(counters["accepted"], WORKERS, "{counters}");
}

#[test]
fn a_dripping_client_gets_no_more_time_than_a_silent_one_and_comes_again() {
    let server = Server::start("epoll");
    let pace = Pace::Dripping(Duration::from_millis(200));
    let slow = SlowClients::start(server.address, 3, pace, &[]).expect("there");
    let held = || sockets(&server).len() == 4;
    eventually("the listener and three clients are there", held);
    let first = sockets(&server);
    // The deadline for a head is 5 s, whatever comes in between.
    eventually("three others have come instead", || {
        held() && sockets(&server).intersection(&first).count() == 1
    });
    let counts = slow.finish();
    assert_eq!(
        (counts.connected, counts.ended_by_server),
        (6, 3),
        "{counts:?}"
    );
    assert!(
        counts.dripped >= 3 && counts.not_connected == 0,
        "{counts:?}"
    );
    let counters = server.stop();
    assert_eq!(counters["expired"], 3, "{counters}");
}

/// The sockets that a server's own process has open.
fn sockets(server: &Server) -> BTreeSet<PathBuf> {
    let descriptors = fs::read_dir(format!("/proc/{}/fd", server.pid())).expect("it is there");
    let targets = descriptors
        .flatten()
        .flat_map(|fd| fs::read_link(fd.path()));
    targets
        .filter(|target| target.to_string_lossy().starts_with("socket:"))
        .collect()
}

#[test]
fn slow_clients_of_nobody_are_an_error_and_not_a_wait_without_end() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let refused = SlowClients::start(address, 1, Pace::Silent, &[]);
    assert!(refused.expect_err("nobody").contains("do not all find"));
}

#[test]
fn a_heavy_request_is_always_under_way_until_it_is_broken_off() {
    let server = Server::start("thread-per-client");
    let heavy = HeavyRequest::start(server.address, "/count", &[]).expect("started");
    let mut asked_here = 0;
    eventually("ten were answered", || {
        asked_here += 1;
        server.get("/count").number() >= asked_here + 10
    });
    let counts = heavy.finish();
    assert!(counts.answered >= 10 && counts.failed == 0, "{counts:?}");
    assert!(counts.figures()["heavy_response_us"] > 0.0);
    // One that never ends is broken off at once.
    let endless = HeavyRequest::start(server.address, "/wait/10000", &[]).expect("started");
    eventually("it is under way", || server.count("task") > 1);
    let begun = std::time::Instant::now();
    assert_eq!(endless.finish().answered, 0);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn crashes_are_counted_and_recovery_is_timed_where_there_is_one() {
    let server = Server::start_whole("pre-forked", &["--allow-crash"]);
    let interval = Duration::from_millis(20);
    let crashes = Crashes::start(server.address, Death::Abort, interval, &[]).expect("started");
    let mut workers = BTreeSet::new();
    eventually("three have been replaced", || {
        workers.extend(server.child_ids());
        workers.len() >= WORKERS + 3
    });
    let counts = crashes.finish();
    assert_eq!(counts.not_recovered, 0, "{counts:?}");
    assert!(counts.died >= 3 && counts.recoveries.len() + 1 >= counts.died);
    let figures = counts.figures();
    assert!(figures["recovery_us_max"] >= figures["recovery_us"]);
    let counters = server.stop();
    assert!(counters["crashed"].as_u64() >= Some(3), "{counters}");
}

#[test]
fn after_a_crash_that_takes_the_server_along_there_is_no_recovery_and_no_further_crash() {
    let server = Server::start_whole("thread-per-client", &["--allow-crash"]);
    let interval = Duration::from_millis(5);
    let crashes = Crashes::start(server.address, Death::Segv, interval, &[]).expect("started");
    server.wait();
    eventually("there is nobody left to ask", || crashes.is_over());
    let counts = crashes.finish();
    assert_eq!(
        (counts.asked, counts.died, counts.not_recovered),
        (1, 1, 1),
        "{counts:?}"
    );
}
