//! Compares two measurements of the same CPU time: by the kernel's control group, and by `getrusage` after wait(2).
//! This test is alone in its file, because `RUSAGE_CHILDREN` covers the children of all tests of a process.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use hola_lab::model_server::ModelServer;
use hola_lab::pinned_program::PinnedProgram;
use hola_lab::record::CpuAccounting;
use hola_loadgen::{NoObserver, Pace, Stop, Workload};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// Tolerated difference, as a share.
const AGREEMENT: f64 = 0.05;
/// Most that getrusage(2) may lose of each thread that lives for one request, in microseconds. A debug build on a busy
/// machine is several times slower than other measurements.
const LOST_US_PER_THREAD_MAX: f64 = 100.0;

/// What a server used while it was loaded.
struct Used {
    by_cgroup_us: f64,
    by_getrusage_us: f64,
    answers: u64,
}

#[allow(clippy::cast_precision_loss)]
fn to_f64(count: impl TryInto<i64>) -> f64 {
    count.try_into().map_or(f64::NAN, |count| count as f64)
}

fn load(address: SocketAddr) {
    let workload = Workload {
        pace: Pace::Closed { clients: 16 },
        stop: Stop::After(Duration::from_secs(1)),
        warmup: Duration::ZERO,
        ..Workload::new(address)
    };
    let load = hola_loadgen::run(&workload, &NoObserver).expect("loaded");
    assert!(load.summary.counts.ok > 0);
}

fn children_us() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("usage");
    to_f64((usage.user_time() + usage.system_time()).num_microseconds())
}

/// CPU time of a process's threads so far, in microseconds.
fn threads_us(pid: i32) -> f64 {
    let tasks = procfs::process::Process::new(pid).and_then(|process| process.tasks());
    let tasks = tasks.expect("threads").flatten();
    tasks
        .map(|task| to_f64(task.schedstat().expect("schedstat").sum_exec_runtime) / 1e3)
        .sum()
}

/// `None` where there is no control group.
fn used(model: &str) -> Option<Used> {
    let program = PinnedProgram::open(Path::new(env!("CARGO_BIN_EXE_hola"))).expect("the program");
    let server = ModelServer::start(&program, model, &[], &[]).expect(model);
    if server.account().counted_by() != CpuAccounting::Cgroup {
        return None;
    }
    let (threads_at_start_us, cgroup_at_start_us) =
        (threads_us(server.pid()), server.account().cpu_us());
    load(server.address());
    let reaped_before_us = children_us();
    let by_cgroup_us = server.account().cpu_us() - cgroup_at_start_us;
    let ended = server.stop().expect(model);
    Some(Used {
        by_cgroup_us,
        by_getrusage_us: children_us() - reaped_before_us - threads_at_start_us,
        answers: ended.counters.answers,
    })
}

#[test]
fn control_group_and_getrusage_agree_but_for_the_last_moments_of_threads() {
    for model in ["fork-per-client", "pre-forked", "pre-threaded", "epoll"] {
        let Some(used) = used(model) else {
            return println!("skipped: no control group can be made here");
        };
        let ratio = used.by_getrusage_us / used.by_cgroup_us;
        assert!((ratio - 1.0).abs() <= AGREEMENT, "{model}: {ratio}");
    }
    let used = used("thread-per-client").expect("as before");
    let lost_us = used.by_cgroup_us - used.by_getrusage_us;
    let lost_us_per_thread = lost_us / to_f64(used.answers);
    println!("thread-per-client: getrusage loses {lost_us_per_thread:.1} µs of each thread");
    // The loss is the kernel's, and may disappear. The test only requires that it is small and not negative.
    assert!(
        lost_us >= -AGREEMENT * used.by_cgroup_us && lost_us_per_thread < LOST_US_PER_THREAD_MAX,
        "{lost_us} µs"
    );
}
