//! Steadiness is judged over the whole window: by a trend of the response times, with any observer, and by time in
//! which nothing happened.

mod truth;

use std::fs;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hola_loadgen::summary::{Check, CheckName, Summary};
use hola_loadgen::{Measurement, NoObserver, Observer, Stop, Workload};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use truth::{CLOSE, Truth, answer_all, answer_once, load};

fn named(summary: &Summary, name: CheckName) -> &Check {
    let mut checks = summary.validity.iter();
    checks.find(|check| check.check == name).unwrap()
}

fn steady_state(measurement: &Measurement) -> &Check {
    named(&measurement.summary, CheckName::SteadyState)
}

fn closed(server: &Truth, window: Duration) -> Workload {
    let mut workload = load(server.address, 8, 1);
    workload.stop = Stop::After(window);
    workload.requests_per_connection = None;
    workload
}

/// A server that takes 20 ms at first and 1 ms less with every tenth of a second, down to 1 ms.
fn warming() -> Truth {
    const SLOWEST_MS: u128 = 20;
    let born = Instant::now();
    Truth::start(move |_, stream| {
        answer_all(stream, || {
            let ms = SLOWEST_MS.saturating_sub(born.elapsed().as_millis() / 100);
            thread::sleep(Duration::from_millis(u64::try_from(ms.max(1)).unwrap()));
        });
    })
}

/// Asks for intervals, as a live line does.
struct Following;

impl Observer for Following {
    fn interval_length(&self) -> Option<Duration> {
        Some(Duration::from_millis(200))
    }
}

#[test]
fn a_server_that_warms_up_in_the_window_is_named_whoever_follows_the_run() {
    for observer in [&NoObserver as &dyn Observer, &Following] {
        let server = warming();
        let workload = closed(&server, Duration::from_millis(2_200));
        let measurement = hola_loadgen::run(&workload, observer).unwrap();
        let check = steady_state(&measurement);
        assert!(
            !check.ok && check.detail.contains("the median moved by -"),
            "{}",
            check.detail
        );
    }
}

#[test]
fn a_short_trial_is_not_judged() {
    let server = warming();
    let workload = closed(&server, Duration::from_millis(700));
    let measurement = hola_loadgen::run(&workload, &NoObserver).unwrap();
    let check = steady_state(&measurement);
    assert!(
        check.ok && check.detail.starts_with("not judged"),
        "{}",
        check.detail
    );
}

/// The program with these arguments on this server, and its result as JSON on standard output.
fn hola_load(program: &mut Command, server: &Truth, arguments: &str) -> Command {
    let mut command = Command::new(program.get_program());
    command
        .args(program.get_args())
        .arg(server.address.to_string())
        .args(["--warmup=0s", "--format=json", "--strict"])
        .args(arguments.split(' '))
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

#[test]
fn a_generator_that_was_stopped_for_a_while_says_so() {
    let server = Truth::start(|_, stream| answer_once(stream, CLOSE));
    for arguments in [
        "--clients=4 --duration=2s",
        "--rate=100 --duration=2s",
        "--clients=2 --duration=2s --threads=2",
    ] {
        let before = server.accepted();
        let mut program = Command::new(env!("CARGO_BIN_EXE_hola-load"));
        let child = hola_load(&mut program, &server, arguments).spawn().unwrap();
        while server.accepted() < before + 20 {
            thread::yield_now();
        }
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
        kill(pid, Signal::SIGSTOP).unwrap();
        // This is the lost time that the check must report, not a wait for an event.
        thread::sleep(Duration::from_secs(1));
        kill(pid, Signal::SIGCONT).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{arguments}");
        let summary: Summary = serde_json::from_slice(&output.stdout).unwrap();
        let check = named(&summary, CheckName::TimeAway);
        assert!(
            !check.ok && check.detail.contains("did not run for"),
            "{arguments}: {}",
            check.detail
        );
    }
}

/// A server that answers `requests` requests on kept connections, then closes them and its listener.
fn mortal(requests: u64) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answered = Arc::new(AtomicU64::new(0));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if answered.load(Ordering::SeqCst) >= requests {
                return;
            }
            let answered = Arc::clone(&answered);
            thread::spawn(move || {
                let last = stream.try_clone().unwrap();
                answer_all(stream, || {
                    if answered.fetch_add(1, Ordering::SeqCst) >= requests {
                        last.shutdown(Shutdown::Both).ok();
                        // Wakes the acceptor, which ends and closes the listener.
                        TcpStream::connect(address).ok();
                    }
                });
            });
        }
    });
    address
}

#[test]
fn a_server_that_is_gone_for_most_of_the_window_is_named_though_few_requests_fail() {
    let mut workload = load(mortal(2_000), 4, 1);
    workload.stop = Stop::After(Duration::from_secs(3));
    workload.requests_per_connection = None;
    let measurement = hola_loadgen::run(&workload, &NoObserver).unwrap();
    for name in [CheckName::BackOff, CheckName::Throughput] {
        let check = named(&measurement.summary, name);
        assert!(!check.ok, "{name}: {}", check.detail);
    }
}

#[test]
fn a_server_that_is_slow_throughout_does_not_break_off() {
    let slow = || thread::sleep(Duration::from_millis(400));
    let server = Truth::start(move |_, stream| answer_all(stream, slow));
    for clients in [4, 30] {
        let mut workload = load(server.address, clients, 1);
        workload.stop = Stop::After(Duration::from_millis(2_500));
        workload.requests_per_connection = None;
        let measurement = hola_loadgen::run(&workload, &NoObserver).unwrap();
        for name in [CheckName::BackOff, CheckName::Throughput] {
            let check = named(&measurement.summary, name);
            assert!(check.ok, "{clients} clients: {name}: {}", check.detail);
        }
    }
}

/// A control group that gets a tenth of a CPU; removed when dropped.
struct Quota(PathBuf);

impl Quota {
    /// Creates one, in either version of control groups.
    fn new() -> Result<Self, String> {
        let first = [
            ("cpu.cfs_period_us", "100000"),
            ("cpu.cfs_quota_us", "10000"),
        ];
        let second = [("cpu.max", "10000 100000")];
        let mut why_not = String::new();
        for (parent, limits) in [
            ("/sys/fs/cgroup/cpu", &first[..]),
            ("/sys/fs/cgroup", &second[..]),
        ] {
            let group = Path::new(parent).join(format!("hola-load-{}", std::process::id()));
            if let Err(error) = fs::create_dir(&group) {
                why_not += &format!(" {parent}: {error}");
                continue;
            }
            let quota = Self(group);
            let limit = |(file, limit): &(&str, &str)| {
                let file = quota.0.join(file);
                file.exists() && fs::write(file, limit).is_ok()
            };
            if limits.iter().all(limit) {
                return Ok(quota);
            }
            why_not += &format!(" {parent}: no CPU controller");
        }
        Err(why_not)
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        // If it cannot be removed, an empty group stays, which costs nothing.
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn a_cpu_quota_that_holds_the_generator_up_is_named() {
    let quota = match Quota::new() {
        Ok(quota) => quota,
        Err(reason) => return println!("skipped: no control group with a quota:{reason}"),
    };
    let server = Truth::start(|_, stream| answer_once(stream, CLOSE));
    let mut program = Command::new("sh");
    program
        .args(["-c", "echo $$ > \"$0/cgroup.procs\"; exec \"$@\""])
        .arg(&quota.0)
        .arg(env!("CARGO_BIN_EXE_hola-load"));
    // A thread that spins always wants its CPU.
    let arguments = "--rate=50 --pace=spin --duration=2s";
    let output = hola_load(&mut program, &server, arguments)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4));
    let summary: Summary = serde_json::from_slice(&output.stdout).unwrap();
    let check = named(&summary, CheckName::Throttling);
    assert!(!check.ok, "{}", check.detail);
}
