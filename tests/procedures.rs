//! Small runs of the lab's procedures, on the real program.
//!
//! A binary of its own: it measures memory, and moves itself to a control group.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{PoisonError, RwLock};

use hola_lab::block::Lab;
use hola_lab::metric::Metric;
use hola_lab::pinned_program::PinnedProgram;
use hola_lab::plan::{Death, Network, Participant, Procedure, SharedResource};
use hola_lab::procedures::{self, FreshServer, ProcedureResult};
use hola_lab::target::Targets;

use self::support::{HOLA, printed, refused};

/// A page of the program counts in part for each process that maps it, so every other server that starts or ends
/// changes the memory per client. Tests that measure it hold this lock exclusively.
static MEMORY: RwLock<()> = RwLock::new(());

fn try_to_run(
    interrupted: bool,
    procedure: &Procedure,
    model: &str,
    options: &[&str],
) -> Result<ProcedureResult, String> {
    let participant = Participant {
        options: options.iter().map(|&option| option.to_owned()).collect(),
        ..Participant::named(model)
    };
    measure(interrupted, procedure, &participant)
}

fn measure(
    interrupted: bool,
    procedure: &Procedure,
    participant: &Participant,
) -> Result<ProcedureResult, String> {
    let hola = Path::new(HOLA);
    let lab = Lab {
        program: &PinnedProgram::open(hola).expect("the program"),
        targets: &Targets::with_no_targets(hola),
        seed: 1,
        planted_percent: 0.0,
        interrupted: &AtomicBool::new(interrupted),
    };
    let fresh = FreshServer {
        lab: &lab,
        participant,
        server_cpus: &[],
        generator_cpus: &[],
        seed: 1,
    };
    procedures::run(procedure, &fresh)
}

fn run(procedure: &Procedure, model: &str, options: &[&str]) -> ProcedureResult {
    let _others_may_run = MEMORY.read().unwrap_or_else(PoisonError::into_inner);
    try_to_run(false, procedure, model, options).expect(model)
}

fn run_alone(procedure: &Procedure, model: &str, options: &[&str]) -> ProcedureResult {
    let _alone = MEMORY.write().unwrap_or_else(PoisonError::into_inner);
    try_to_run(false, procedure, model, options).expect(model)
}

/// Why a procedure measures nothing.
fn refusal(interrupted: bool, procedure: &Procedure, model: &str) -> String {
    let found = try_to_run(interrupted, procedure, model, &[]);
    found.expect_err("nothing is measured")
}

fn figure(found: &ProcedureResult, metric: Metric) -> f64 {
    assert!(found.failed_checks.is_empty(), "{found:?}");
    let value = found.figures.get(&metric).copied();
    value.unwrap_or_else(|| panic!("no {metric} in {found:?}"))
}

fn assert_count(found: &ProcedureResult, metric: Metric, count: u32) {
    let value = figure(found, metric);
    assert!(
        (value - f64::from(count)).abs() < 1e-9,
        "{metric} is not {count} in {found:?}"
    );
}

// --- Backlog ---------------------------------------------------------------------------------------------------------

#[test]
fn a_backlog_lets_one_client_more_connect_and_delays_the_others_by_a_second() {
    for (backlog, delayed_min, delayed_max) in [(5, 0.8, 63.0 / 69.0), (128, 0.25, 1.0)] {
        let found = run(&Procedure::Backlog { backlog }, "iterative", &[]);
        assert_count(&found, Metric::ClientsConnected, backlog + 1);
        let delayed = figure(&found, Metric::ConnectsAfter1S);
        let is_possible = (delayed_min..=delayed_max + 1e-9).contains(&delayed);
        assert!(is_possible, "{found:?}");
        assert_eq!(found.notes["backlog"], backlog.to_string());
    }
}

#[test]
fn a_server_that_goes_on_accepting_gives_no_figures_of_a_backlog_and_says_why() {
    let found = run(&Procedure::Backlog { backlog: 5 }, "epoll", &[]);
    assert!(found.figures.is_empty(), "{found:?}");
    let mut failed = found.failed_checks.iter();
    assert!(failed.any(|check| check == "acceptor_stalled"), "{found:?}");
    let note = &found.notes["acceptor_stalled"];
    assert!(note.contains("waited to be accepted"), "{note}");
}

// --- Spawn -----------------------------------------------------------------------------------------------------------

#[test]
fn a_task_costs_less_than_a_thread_and_a_thread_less_than_a_process() {
    let spawn_us = |model: &str| {
        let found = run(&Procedure::Spawn { count: 1_000 }, model, &[]);
        figure(&found, Metric::SpawnTime)
    };
    let (task, thread) = (spawn_us("tokio"), spawn_us("thread-per-client"));
    let process = spawn_us("fork-per-client");
    assert!(
        task < thread && thread < process,
        "{task}, {thread}, {process} µs"
    );
}

#[test]
fn the_price_of_a_process_is_printed_as_json_and_too_few_give_no_percentile() {
    let said = printed(&["spawn", "process", "--count", "20", "--ballast", "1M"]);
    let said: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    for (name, value) in [
        ("kind", "process".into()),
        ("count", 20.into()),
        ("ballast_bytes", (1 << 20).into()),
        ("spawn_us_p99", serde_json::Value::Null),
    ] {
        assert_eq!(said[name], value, "{name}");
    }
    assert!(said["spawn_us"].as_f64() > Some(0.0));
    refused(2, &["spawn", "fibre"]);
    let help = printed(&["--help"]);
    assert!(!help.contains("spawn"), "{help}");
}

// --- Share -----------------------------------------------------------------------------------------------------------

#[test]
fn an_addition_takes_far_less_than_a_message_between_threads_and_between_processes() {
    for model in ["thread-per-client", "fork-per-client"] {
        let shared_us = |shared, count| {
            let found = run(&Procedure::Share { shared, count }, model, &[]);
            figure(&found, Metric::SharedOperation)
        };
        let (counter, message) = (
            shared_us(SharedResource::Counter, 100_000),
            shared_us(SharedResource::Message, 500),
        );
        assert!(
            0.0 < counter && counter * 5.0 < message,
            "{model}: {counter}, {message} µs"
        );
    }
}

// --- Crash -----------------------------------------------------------------------------------------------------------

fn crash(death: Death) -> Procedure {
    Procedure::Crash {
        death,
        window_ms: 1_000,
    }
}

#[test]
fn a_process_dies_alone_and_recovers_and_a_thread_takes_the_server_along() {
    for (death, model, options, survived, others_failed) in [
        (Death::Abort, "fork-per-client", &[][..], 1, 0.0..0.2),
        (Death::Abort, "pre-forked", &["--workers", "3"], 1, 0.0..1.1),
        (Death::Segv, "thread-per-client", &[], 0, 0.5..1.1),
    ] {
        let found = run(&crash(death), model, options);
        assert_count(&found, Metric::Survived, survived);
        let failed = figure(&found, Metric::OthersFailed);
        assert!(others_failed.contains(&failed), "{model}: {found:?}");
        match survived {
            0 => {
                assert!(!found.figures.contains_key(&Metric::RecoveryTime));
                assert_eq!(found.notes["crashes"], "1 of 1 handlers died");
            }
            _ => assert!(figure(&found, Metric::RecoveryTime) > 0.0, "{found:?}"),
        }
    }
}

// --- Overload --------------------------------------------------------------------------------------------------------

#[test]
fn twice_its_capacity_leaves_an_event_loop_some_of_it() {
    let overload = Procedure::Overload {
        of_capacity: 2.0,
        duration_s: 2,
        deadline_of_queue: 2.0,
    };
    // The generator shares the CPUs with other tests here, so the goodput is not predictable.
    let _others_may_run = MEMORY.read().unwrap_or_else(PoisonError::into_inner);
    let found = try_to_run(false, &overload, "epoll", &[]).expect("measured");
    assert!(found.notes.contains_key("capacity_per_s"), "{found:?}");
    match found.figures.get(&Metric::GoodputOfCapacity) {
        // No more than was offered; a few more Poisson arrivals than planned are possible.
        Some(&share) => assert!((0.0..2.4).contains(&share), "{found:?}"),
        None => assert!(!found.failed_checks.is_empty(), "{found:?}"),
    }
}

// --- Crowd -----------------------------------------------------------------------------------------------------------

#[test]
fn an_event_loop_serves_all_clients_that_keep_asking() {
    let found = run_alone(&Procedure::Crowd { clients_max: 256 }, "epoll", &[]);
    assert_count(&found, Metric::ClientsHeld, 256);
    assert!(figure(&found, Metric::CrowdGoodput) > 0.0, "{found:?}");
    assert_eq!(found.notes["limit"], "asked");
    assert!(
        found.notes.contains_key("goodput_per_s_64")
            && found.notes.contains_key("goodput_per_s_256")
    );
}

#[test]
fn a_server_behind_a_link_is_measured_as_one_on_loopback_is() {
    let behind_a_link = Participant {
        network: Network::Veth,
        ..Participant::named("epoll")
    };
    let _alone = MEMORY.write().unwrap_or_else(PoisonError::into_inner);
    let crowd = Procedure::Crowd { clients_max: 64 };
    match measure(false, &crowd, &behind_a_link) {
        Ok(found) => assert_count(&found, Metric::ClientsHeld, 64),
        // Only root may make a network namespace, and only with iproute2.
        Err(reason) if reason.starts_with("ip ") || reason.starts_with("cannot run ip") => {
            println!("skipped: {reason}");
        }
        Err(reason) => panic!("{reason}"),
    }
}

#[test]
fn clients_beyond_a_cap_of_its_own_are_not_served() {
    let options = ["--max-clients", "100"];
    let crowd = Procedure::Crowd { clients_max: 256 };
    let found = run_alone(&crowd, "thread-per-client", &options);
    assert_count(&found, Metric::ClientsHeld, 64);
    assert!(found.notes.contains_key("unserved_256"), "{found:?}");
    assert_ne!(found.notes["limit"], "asked");
}

// --- Idle ------------------------------------------------------------------------------------------------------------

const IDLE: Procedure = Procedure::Idle { clients_max: 160 };

#[test]
fn an_idle_client_of_a_thread_takes_more_than_one_of_a_loop_and_less_than_a_process() {
    let memory = |model: &str| {
        let found = run_alone(&IDLE, model, &[]);
        assert_count(&found, Metric::ClientsHeld, 160);
        assert_eq!(found.notes["limit"], "asked");
        let kernel = found.figures.get(&Metric::KernelMemoryPerClient).copied();
        // The kernel memory of the whole system includes that of other processes; a control group's is the server's
        // own.
        let kernel = kernel.filter(|_| found.notes["kernel_memory"].contains("control group"));
        (figure(&found, Metric::MemoryPerClient), kernel)
    };
    let (epoll, epoll_kernel) = memory("epoll");
    let (thread, thread_kernel) = memory("thread-per-client");
    let (process, process_kernel) = memory("fork-per-client");
    assert!(
        0.5 < epoll && epoll < thread && thread < process,
        "{epoll}, {thread}, {process} KiB"
    );
    match (epoll_kernel, thread_kernel, process_kernel) {
        (Some(epoll), Some(thread), Some(process)) => assert!(
            epoll < thread && thread < process,
            "{epoll}, {thread}, {process} KiB of the kernel"
        ),
        missing => println!("skipped: no control group tells the kernel's memory: {missing:?}"),
    }
}

#[test]
fn a_cap_that_is_only_the_models_own_is_lifted() {
    let more_than_256 = Procedure::Idle { clients_max: 300 };
    let found = run_alone(&more_than_256, "fork-per-client", &[]);
    assert_count(&found, Metric::ClientsHeld, 300);
    assert_eq!(found.notes["limit"], "asked");
}

#[test]
fn idle_clients_end_where_a_fresh_one_is_not_served() {
    let found = run_alone(&IDLE, "pre-threaded", &["--workers", "4"]);
    assert_count(&found, Metric::ClientsHeld, 3);
    assert_eq!(found.notes["limit"], "not_served");
    assert!(found.notes["limit_detail"].starts_with("beside 4 idle clients"));
    assert!(!found.figures.contains_key(&Metric::MemoryPerClient));
    let found = run_alone(&IDLE, "iterative", &[]);
    assert!(found.figures.is_empty() && found.failed_checks.is_empty());
    assert!(found.notes["limit_detail"].starts_with("beside 1 idle clients"));
}

#[test]
fn a_limit_of_the_kernel_on_threads_is_named() {
    let _alone = MEMORY.write().unwrap_or_else(PoisonError::into_inner);
    let Some(group) = PidsGroup::new(100) else {
        return println!("skipped: no control group limits processes here");
    };
    let found = try_to_run(false, &IDLE, "thread-per-client", &[]);
    drop(group);
    let found = found.expect("measured");
    assert_eq!(found.notes["limit"], "pids.max", "{found:?}");
    let held = figure(&found, Metric::ClientsHeld);
    assert!((60.0..=100.0).contains(&held), "{found:?}");
}

/// A version 1 control group that limits this process and its children to `more` additional threads. Dropping it leaves
/// and removes it.
struct PidsGroup {
    folder: PathBuf,
    before: PathBuf,
}

impl PidsGroup {
    fn new(more: usize) -> Option<Self> {
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let own = own
            .lines()
            .find_map(|line| line.split_once(":pids:").map(|(_, path)| path.to_owned()))?;
        let before = Path::new("/sys/fs/cgroup/pids").join(own.trim_start_matches('/'));
        let folder = before.join(format!("hola-test-{}", std::process::id()));
        fs::create_dir(&folder).ok()?;
        let group = PidsGroup { folder, before };
        let threads = fs::read_dir("/proc/self/task").ok()?.count();
        fs::write(group.folder.join("pids.max"), (threads + more).to_string()).ok()?;
        fs::write(group.folder.join("cgroup.procs"), "0").ok()?;
        Some(group)
    }
}

impl Drop for PidsGroup {
    fn drop(&mut self) {
        let _ = fs::write(self.before.join("cgroup.procs"), "0");
        let _ = fs::remove_dir(&self.folder);
    }
}

// --- All -------------------------------------------------------------------------------------------------------------

#[test]
fn a_procedure_that_measures_nothing_says_why() {
    let spawn = Procedure::Spawn { count: 10 };
    let share = Procedure::Share {
        shared: SharedResource::Counter,
        count: 10,
    };
    for (procedure, model, reason) in [
        (spawn, "pre-forked", "makes nothing"),
        (share, "epoll", "neither threads nor processes"),
    ] {
        let refusal = refusal(false, &procedure, model);
        assert!(refusal.contains(reason), "{procedure:?}: {refusal}");
    }
    for (procedure, model) in [
        (IDLE, "epoll"),
        (Procedure::Crowd { clients_max: 64 }, "epoll"),
        (Procedure::Backlog { backlog: 5 }, "iterative"),
        (Procedure::Spawn { count: 10 }, "tokio"),
        (crash(Death::Panic), "epoll"),
    ] {
        assert_eq!(refusal(true, &procedure, model), "interrupted");
    }
}
