//! Two accounts of the same CPU time: the kernel's control group, and what wait(2) hands over (`getrusage`). Alone in its
//! file, because the account of a process's children is one for all of a process's tests.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use hola::lab::cgroup::{Account, Cgroup};
use hola::lab::server_process::{Bill, ServerProcess};
use hola::lab::target::{Places, Target};
use hola_loadgen::{Pace, Stop, Unobserved, Workload};

/// Difference that is put up with, as a share.
const AGREEMENT: f64 = 0.05;
/// Most that getrusage(2) may lose of each thread that lives for one request, in microseconds: a debug build on a busy
/// machine is several times slower than what is measured elsewhere.
const LOST_US_PER_THREAD_MAX: f64 = 100.0;

fn load(address: SocketAddr) {
    let workload = Workload {
        pace: Pace::Closed { clients: 16 },
        stop: Stop::After(Duration::from_secs(1)),
        warmup: Duration::ZERO,
        ..Workload::new(address)
    };
    let load = hola_loadgen::run(&workload, &Unobserved).expect("loaded");
    assert!(load.summary.counts.ok > 0);
}

/// What a model's server cost under a load.
fn bill(model: &str) -> Bill {
    let hola = Path::new(env!("CARGO_BIN_EXE_hola"));
    let server = ServerProcess::start(hola, model, &[], &[]).expect(model);
    load(server.address());
    let bill = server.stop().expect(model);
    assert_eq!(bill.accounted_by, Account::Cgroup);
    bill
}

fn assert_agree(name: &str, by_cgroup_us: u64, by_getrusage_us: u64) {
    println!("{name}: {by_cgroup_us} µs by cgroup, {by_getrusage_us} µs by getrusage");
    let ratio = to_f64(by_getrusage_us) / to_f64(by_cgroup_us);
    assert!((ratio - 1.0).abs() <= AGREEMENT, "{name}: {ratio}");
}

#[allow(clippy::cast_precision_loss)]
fn to_f64(count: u64) -> f64 {
    count as f64
}

#[test]
fn control_group_and_getrusage_agree_but_for_the_last_moments_of_threads() {
    if let Err(reason) = Cgroup::new() {
        return println!("skipped: {reason}");
    }
    for model in ["fork-per-client", "pre-forked", "pre-threaded", "epoll"] {
        let bill = bill(model);
        assert_agree(model, bill.cpu_us, bill.cpu_by_getrusage_us);
    }
    let bill = bill("thread-per-client");
    let lost_us = to_f64(bill.cpu_us) - to_f64(bill.cpu_by_getrusage_us);
    let lost_us_per_thread = lost_us / to_f64(bill.counters.closed);
    println!("thread-per-client: getrusage loses {lost_us_per_thread:.1} µs of each thread");
    // That there is something to lose is the kernel's affair and may end; that it is not gained, and little, is ours.
    assert!(
        lost_us >= -AGREEMENT * to_f64(bill.cpu_us) && lost_us_per_thread < LOST_US_PER_THREAD_MAX,
        "{bill:?}"
    );
    targets_agree();
}

fn targets_agree() {
    let places = Places::beside_source(Path::new(env!("CARGO_BIN_EXE_hola")));
    // Processes for each client, and processes and threads that stay.
    for name in ["python-processes", "apache-worker", "nginx"] {
        let targets = places.targets().expect("a list");
        let spec = targets.iter().find(|spec| spec.name == name);
        let spec = spec.expect("it is listed");
        if let Err(reason) = spec.program(&places) {
            println!("skipped: {reason}");
            continue;
        }
        let target = Target::start(spec, &places, &[]).expect("started");
        load(target.address());
        let cost = target.stop().expect("stopped");
        assert_eq!(cost.accounted_by, Account::Cgroup);
        assert_agree(name, cost.cpu_us, cost.cpu_by_getrusage_us);
    }
}
