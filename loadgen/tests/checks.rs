//! The checks name what spoils a measurement: a drift, a break, lost time, delayed acknowledgements. A program of its
//! own, because these tests depend on the CPU time that others leave them.

mod truth;

use std::fs;
use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hola_loadgen::summary::{CheckName, Summary};
use hola_loadgen::{Measurement, NoObserver, Observer, Stop, Workload};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use truth::{KEEP, Truth, answer_all, check_of, greeter, load, request};

/// The check has this result, and its detail contains these words.
fn assert_check(summary: &Summary, name: CheckName, ok: bool, words: &str) {
    let check = check_of(summary, name);
    assert!(
        check.ok == ok && check.detail.contains(words),
        "{name}: {check:?} {:?}",
        summary.latency_us
    );
}

/// Clients of a closed loop that keep their connections.
fn closed(address: SocketAddr, clients: u32, window: Duration) -> Workload {
    let mut workload = load(address, clients, 1);
    workload.stop = Stop::After(window);
    workload.requests_per_connection = None;
    workload
}

fn run(workload: &Workload, observer: &dyn Observer) -> Measurement {
    hola_loadgen::run(workload, observer).unwrap()
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
fn a_server_that_warms_up_in_the_window_is_named_whatever_follows_the_run() {
    for (observer, window_ms, ok, words) in [
        (
            &NoObserver as &dyn Observer,
            2_200,
            false,
            "the median moved by -",
        ),
        (&Following, 2_200, false, "the median moved by -"),
        // A short trial is not judged.
        (&NoObserver, 700, true, "not judged"),
    ] {
        let server = warming();
        let workload = closed(server.address, 8, Duration::from_millis(window_ms));
        let summary = run(&workload, observer).summary;
        assert_check(&summary, CheckName::SteadyState, ok, words);
    }
}

/// The program with these arguments on this server, and its result as JSON on standard output.
fn hola_load(mut program: Command, server: &Truth, arguments: &str) -> Command {
    program
        .arg(server.address.to_string())
        .args(["--warmup=0s", "--format=json", "--strict"])
        .args(arguments.split(' '))
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    program
}

#[test]
fn a_generator_that_was_stopped_for_a_while_says_so() {
    let server = greeter();
    for arguments in [
        "--clients=4 --duration=2s",
        "--rate=100 --duration=2s",
        "--clients=2 --duration=2s --threads=2",
    ] {
        let before = server.accepted();
        let program = Command::new(env!("CARGO_BIN_EXE_hola-load"));
        let child = hola_load(program, &server, arguments).spawn().unwrap();
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
        let summary = serde_json::from_slice(&output.stdout).unwrap();
        assert_check(&summary, CheckName::TimeAway, false, "did not run for");
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
    let workload = closed(mortal(2_000), 4, Duration::from_secs(3));
    let summary = run(&workload, &NoObserver).summary;
    assert_check(&summary, CheckName::BackOff, false, "");
    assert_check(&summary, CheckName::Throughput, false, "");
}

#[test]
fn a_server_that_is_slow_throughout_does_not_break_off() {
    let slow = || thread::sleep(Duration::from_millis(400));
    let server = Truth::start(move |_, stream| answer_all(stream, slow));
    for clients in [4, 30] {
        let workload = closed(server.address, clients, Duration::from_millis(2_500));
        let summary = run(&workload, &NoObserver).summary;
        assert_check(&summary, CheckName::BackOff, true, "");
        assert_check(&summary, CheckName::Throughput, true, "");
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
    let server = greeter();
    let mut program = Command::new("sh");
    program
        .args(["-c", "echo $$ > \"$0/cgroup.procs\"; exec \"$@\""])
        .arg(&quota.0)
        .arg(env!("CARGO_BIN_EXE_hola-load"));
    // A thread that spins always wants its CPU.
    let arguments = "--rate=50 --pace=spin --duration=2s";
    let output = hola_load(program, &server, arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let summary = serde_json::from_slice(&output.stdout).unwrap();
    assert_check(&summary, CheckName::Throttling, false, "");
}

#[test]
fn answers_held_back_by_nagles_algorithm_are_named_with_their_share() {
    let (head, body) = KEEP.split_at(KEEP.len() - 14);
    let server = Truth::start(move |_, mut stream| {
        // Two small writes, and the second waits for the first one's acknowledgement.
        stream.set_nodelay(false).unwrap();
        while request(&mut stream) {
            let written = stream.write_all(head);
            if written.and_then(|()| stream.write_all(body)).is_err() {
                return;
            }
        }
    });
    let mut workload = load(server.address, 4, 160);
    workload.requests_per_connection = None;
    let summary = truth::measure(&workload).summary;
    let words = "40 ms late with their last byte: delayed acknowledgements (Nagle)";
    assert_check(&summary, CheckName::Modes, true, words);
}
