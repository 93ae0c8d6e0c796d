//! Whose fault reaches whom: panics, deaths of processes, and workers that cannot even start.

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hola_servers::models::Attention;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use self::support::{
    ASK, ASK_AND_CLOSE, Answer, Server, WORKERS, ask, children_at_rest, end_stall, eventually,
    for_each, for_each_model, rest, serves_at_once, settled, table, ways_with_processes,
};

#[test]
fn a_panic_costs_one_client_its_answer_and_nobody_else_anything() {
    const PANICS: usize = 20;
    for_each_model(|model| {
        let server = Server::start_whole(model, &["--allow-crash"]);
        server.greets();
        let crew = || (server.child_ids(), server.count("task"), server.count("fd"));
        let before = settled(crew);
        for turn in 0..PANICS {
            // Where one client is served at a time, there is nobody to be affected.
            let bystander = (serves_at_once(model) != Some(1)).then(|| server.stalled());
            let mut victim = server.connect();
            if turn % 2 == 1 {
                // Behind a request that still gets its answer.
                victim.write_all(ASK).expect("sent");
            }
            ask(&mut victim, "/crash/panic");
            let answers = String::from_utf8(rest(victim)).expect("text");
            let statuses = support::statuses(&answers);
            let (earlier, last) = statuses.split_at(statuses.len().min(turn % 2));
            assert_eq!(earlier, &[200][..turn % 2], "{model}: {answers}");
            assert!(matches!(last, [] | [500]), "{model}: {answers}");
            bystander.into_iter().for_each(end_stall);
            server.greets();
        }
        eventually(&format!("{model} is as it was: {before:?}"), || {
            crew() == before
        });
        let counters = server.stop();
        assert_eq!(counters["crashed"], PANICS, "{model}: {counters}");
        assert_eq!(counters["accepted"], counters["closed"], "{model}");
    });
}

#[test]
fn a_client_that_ends_the_process_it_is_held_by_ends_no_other() {
    for_each(&ways_with_processes(), |(model, arguments)| {
        let arguments = [arguments.as_slice(), &["--allow-crash"]].concat();
        let server = Server::start_whole(model, &arguments);
        for how in ["abort", "segv"] {
            let (bystander, spared) = server.held(Server::stalled);
            let (mut victim, doomed) = held_by_another(&server, spared);
            ask(&mut victim, &format!("/crash/{how}"));
            assert!(rest(victim).is_empty(), "{model}: the dead do not answer");
            eventually("the dead are buried", || {
                !server.child_ids().contains(&doomed)
            });
            assert!(server.child_ids().contains(&spared), "{model}");
            end_stall(bystander);
            eventually("all workers are there again", || {
                server.children() == children_at_rest(model, &arguments)
            });
            server.greets();
        }
        let counters = server.stop();
        assert_eq!(counters["crashed"], 2, "{model}: {counters}");
        assert_eq!(
            counters["accepted"], counters["closed"],
            "{model}: {counters}"
        );
    });
}

/// A client of a process other than that one, and which process that is.
fn held_by_another(server: &Server, process: i32) -> (TcpStream, i32) {
    loop {
        let (client, holder) = server.held(Server::connect);
        if holder != process {
            return (client, holder);
        }
    }
}

#[test]
fn a_client_that_ends_the_process_of_all_ends_the_server() {
    let shared: Vec<_> = table()
        .filter(|model| model.attention != Attention::Process)
        .map(|model| model.name)
        .collect();
    for_each(&shared, |model| {
        for (how, signal) in [("abort", Signal::SIGABRT), ("segv", Signal::SIGSEGV)] {
            let server = Server::start_whole(model, &["--allow-crash"]);
            let bystander = (serves_at_once(model) != Some(1)).then(|| server.stalled());
            let mut victim = server.connect();
            ask(&mut victim, &format!("/crash/{how}"));
            assert!(rest(victim).is_empty(), "{model}: the dead do not answer");
            assert!(
                bystander.is_none_or(|client| rest(client).is_empty()),
                "{model}"
            );
            let (status, words) = server.wait();
            let fatal = std::os::unix::process::ExitStatusExt::signal(&status);
            assert_eq!(fatal, Some(signal as i32), "{model}: {status}: {words}");
        }
    });
}

#[test]
fn a_worker_killed_under_load_is_replaced_sixty_times_out_of_sixty() {
    const KILLS: u32 = 60;
    const CLIENTS: u32 = 4;
    /// Far above what a replacement takes, and far below what anybody would call replaced.
    const SLOWEST: Duration = Duration::from_secs(2);
    // One after another: each loads the machine as far as it goes.
    for (model, arguments) in ways_with_processes() {
        if children_at_rest(model, &arguments) == 0 {
            continue;
        }
        let server = Server::start_whole(model, &arguments);
        server.greets();
        let (ends, answered) = (AtomicBool::new(false), AtomicU32::new(0));
        let mut slowest = Duration::ZERO;
        thread::scope(|scope| {
            // Lowered by a failure too, so that the failure shows.
            let _stops = Raised(&ends);
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    while !ends.load(Ordering::Relaxed) {
                        answered.fetch_add(u32::from(is_greeted(&server)), Ordering::Relaxed);
                    }
                });
            }
            // Any sequence without a pattern will do, and the same one each time is best.
            let mut random = 0x2545_f491_u32;
            let mut newest = 0;
            for _ in 0..KILLS {
                let workers = server.child_ids();
                // Not the one hired last: should it still be starting, its death would be one at boot.
                let settled: Vec<_> = workers.iter().filter(|&&worker| worker != newest).collect();
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let doomed = *settled[(random >> 16) as usize % settled.len()];
                let killed = Instant::now();
                kill(Pid::from_raw(doomed), Signal::SIGKILL).expect("a worker");
                eventually("the dead worker is replaced", || {
                    let now = server.child_ids();
                    let hired = now.iter().find(|&worker| !workers.contains(worker));
                    newest = hired.copied().unwrap_or(newest);
                    hired.is_some() && now.len() == WORKERS && !now.contains(&doomed)
                });
                slowest = slowest.max(killed.elapsed());
                let before = answered.load(Ordering::Relaxed);
                eventually("clients are answered", || {
                    answered.load(Ordering::Relaxed) > before
                });
                server.greets();
            }
        });
        println!("{model} {arguments:?}: slowest replacement {slowest:?}");
        assert!(slowest < SLOWEST, "{model}: {slowest:?}");
        let counters = server.stop();
        assert_eq!(counters["crashed"], KILLS, "{model}: {counters}");
        assert_eq!(
            counters["accepted"], counters["closed"],
            "{model}: {counters}"
        );
    }
}

struct Raised<'a>(&'a AtomicBool);

impl Drop for Raised<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One request; whoever was held by a killed process gets nothing, and that is all that may happen to it.
fn is_greeted(server: &Server) -> bool {
    let mut socket = server.connect();
    let _ = socket
        .write_all(ASK_AND_CLOSE)
        .and_then(|()| socket.shutdown(Shutdown::Write));
    let answer = rest(socket);
    let whole = Answer::read(&mut answer.as_slice());
    assert!(
        answer.is_empty() || whole.is_ok(),
        "{}",
        answer.escape_ascii()
    );
    whole.is_ok()
}

#[test]
fn children_end_when_their_parent_is_killed() {
    for_each(&ways_with_processes(), |(model, arguments)| {
        let arguments = [arguments.as_slice(), &["--deadlines", "off"]].concat();
        let server = Server::start_whole(model, &arguments);
        let (mut client, child) = server.held(Server::stalled);
        server.signal(Signal::SIGKILL);
        eventually("the child has ended", || !is_alive(child));
        // Nobody is left who could hold the connection.
        assert!(!matches!(client.read(&mut [0; 1]), Ok(1..)), "{model}");
    });
}

/// Whether that process is there, and no zombie that its new parent has not come to yet.
fn is_alive(process: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status"));
    status.is_ok_and(|status| !status.contains("State:\tZ"))
}

#[test]
fn workers_in_want_complain_once_a_second_all_together() {
    const WORKERS: usize = 12;
    let server = Server::start_after("true", &format!("pre-forked --workers {WORKERS}"));
    eventually("all workers are there", || server.children() == WORKERS);
    for worker in server.child_ids() {
        limit_descriptors(worker, first_free_descriptor(worker));
    }
    let begun = Instant::now();
    let _crowd: Vec<_> = (0..2 * WORKERS).map(|_| server.connect()).collect();
    let complaints = || server.words().matches("cannot accept").count();
    eventually("they complain for a while", || {
        begun.elapsed() > Duration::from_secs(3) && complaints() > 0
    });
    let seconds = usize::try_from(begun.elapsed().as_secs()).expect("few");
    // A second that has begun, and one that is not over, count as well.
    assert!(complaints() <= seconds + 2, "{}", server.words());
}

/// The lowest number that no descriptor of that process has.
fn first_free_descriptor(process: i32) -> u32 {
    let is_free = |descriptor: &u32| {
        fs::symlink_metadata(format!("/proc/{process}/fd/{descriptor}")).is_err()
    };
    (0..).find(is_free).expect("not all numbers are taken")
}

/// Takes from a process the right to descriptors from that number on; it keeps those that it has.
fn limit_descriptors(process: i32, limit: u32) {
    let arguments = [
        format!("--pid={process}"),
        format!("--nofile={limit}:{limit}"),
    ];
    let limited = Command::new("prlimit").args(arguments).status();
    assert!(limited.expect("prlimit runs").success());
}

#[test]
fn workers_that_all_die_while_starting_end_the_server_with_a_line_that_says_so() {
    // Their loops need a descriptor that a worker of another kind does not.
    let loops = |(_, arguments): &support::Way| !arguments.is_empty();
    for (model, arguments) in ways_with_processes().into_iter().filter(loops) {
        let server = Server::start_whole(model, &arguments);
        server.greets();
        // Those who are there keep what they have. Whoever comes from now on gets nothing more.
        let parent = server.pid().as_raw();
        limit_descriptors(parent, first_free_descriptor(parent));
        kill(Pid::from_raw(server.child_ids()[0]), Signal::SIGKILL).expect("a worker");
        let address = server.address;
        let (status, words) = server.wait();
        assert_eq!(status.code(), Some(1), "{model}: {words}");
        let last = words.lines().last().unwrap_or_default();
        assert!(
            last.starts_with("hola: ")
                && last.contains("died while starting")
                && last.contains("giving up"),
            "{model}: {words}"
        );
        assert_eq!(words.matches("giving up").count(), 1, "{model}: {words}");
        assert!(
            TcpStream::connect(address).is_err(),
            "{model} still listens"
        );
    }
}

#[test]
fn a_worker_thread_that_cannot_start_ends_the_server_with_a_line_that_says_why() {
    for model in table().filter(|model| model.threads_or_processes) {
        let model = format!("{} --workers {WORKERS}", model.name);
        let whole = Server::start_after("true", &model);
        whole.greets();
        // The number that the last selector gets, unless something short-lived is in its place meanwhile.
        let (selectors, others) = settled(|| descriptors(&whole));
        let last = (0..)
            .filter(|number| !others.contains(number))
            .nth(selectors.len() - 1);
        whole.stop();
        // Which of them goes without is up to the system: nobody would serve the listener of that one.
        for _ in 0..5 {
            let limit = last.expect("enough numbers");
            let server = Server::start_after(&format!("ulimit -n {limit}"), &model);
            let (status, words) = server.wait();
            assert_eq!(status.code(), Some(1), "{model}: {words}");
            let last = words.lines().last().unwrap_or_default();
            assert_eq!(
                last, "hola: Too many open files (os error 24)",
                "{model}: {words}"
            );
        }
    }
}

/// Descriptors of a server's own process: those of its selectors, and the others.
fn descriptors(server: &Server) -> (Vec<u32>, Vec<u32>) {
    let files = fs::read_dir(format!("/proc/{}/fd", server.pid()));
    let files = files.expect("the process is there").flatten();
    let known = files.filter_map(|file| {
        let number = file.file_name().to_str()?.parse::<u32>().ok()?;
        Some((number, fs::read_link(file.path()).ok()?))
    });
    let (selectors, others): (Vec<_>, Vec<_>) =
        known.partition(|(_, target)| target.to_string_lossy().contains("eventpoll"));
    let numbers = |files: Vec<(u32, _)>| files.into_iter().map(|(number, _)| number).collect();
    (numbers(selectors), numbers(others))
}
