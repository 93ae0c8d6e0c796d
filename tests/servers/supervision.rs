//! Which clients and workers a fault affects: panics, dead processes, and workers that cannot start.

use std::fs;
use std::io::{BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hola_servers::models::Attention;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::kill_child;
use crate::support::{
    ASK, ASK_AND_CLOSE, Answer, HOLA, OtherUser, Server, WORKERS, Way, ask, children_at_rest,
    end_stall, ends, eventually, for_each, for_each_model, is_running, limit, rest, rows_of,
    serve_by, serves_at_once, settled, statuses, stop_with, table, ways_with_processes,
    with_refused,
};

#[test]
fn a_panic_costs_one_client_its_answer_and_nobody_else_anything() {
    const PANICS: usize = 20;
    for_each_model(|model| {
        let server = Server::start_whole(model, &["--allow-crash"]);
        server.greets();
        let resources = || (server.child_ids(), server.count("task"), server.count("fd"));
        let before = settled(resources);
        for turn in 0..PANICS {
            // A model that serves one client at a time has no other client to affect.
            let bystander = (serves_at_once(model) != Some(1)).then(|| server.stalled());
            let mut victim = server.connect();
            if turn % 2 == 1 {
                // After a request that still gets its answer.
                victim.write_all(ASK).expect("sent");
            }
            ask(&mut victim, "/crash/panic");
            let answers = String::from_utf8(rest(victim)).expect("text");
            let statuses = statuses(&answers);
            let (earlier, last) = statuses.split_at(statuses.len().min(turn % 2));
            assert_eq!(earlier, &[200][..turn % 2], "{model}: {answers}");
            assert!(matches!(last, [] | [500]), "{model}: {answers}");
            bystander.into_iter().for_each(end_stall);
            server.greets();
        }
        eventually(&format!("{model} is as it was: {before:?}"), || {
            resources() == before
        });
        stop_with(server, model, &[("crashed", PANICS)]);
    });
}

#[test]
fn a_client_that_crashes_its_process_ends_no_other_client() {
    for_each(&ways_with_processes(), |(model, arguments)| {
        let arguments = [arguments.as_slice(), &["--allow-crash"]].concat();
        let server = Server::start_whole(model, &arguments);
        for how in ["abort", "segv", "kill"] {
            let (bystander, spared) = server.held(Server::stalled);
            let (mut victim, doomed) = held_by_another(&server, spared);
            match how {
                "kill" => kill_child(doomed),
                how => ask(&mut victim, &format!("/crash/{how}")),
            }
            assert!(rest(victim).is_empty(), "{model}: the dead do not answer");
            eventually("the dead are reaped", || {
                !server.child_ids().contains(&doomed)
            });
            assert!(server.child_ids().contains(&spared), "{model}");
            end_stall(bystander);
            eventually("all workers are there again", || {
                server.children() == children_at_rest(model, &arguments)
            });
            server.greets();
        }
        stop_with(server, model, &[("crashed", 3)]);
    });
}

/// A client held by a process other than `process`, and the id of its holder.
fn held_by_another(server: &Server, process: i32) -> (TcpStream, i32) {
    loop {
        let (client, holder) = server.held(Server::connect);
        if holder != process {
            return (client, holder);
        }
    }
}

#[test]
fn a_client_that_crashes_the_only_process_ends_the_server() {
    let shared = table().filter(|model| model.attention != Attention::Process);
    let shared: Vec<_> = shared.map(|model| model.name).collect();
    for_each(&shared, |model| {
        for (how, signal) in [("abort", Signal::SIGABRT), ("segv", Signal::SIGSEGV)] {
            let server = Server::start_whole(model, &["--allow-crash"]);
            let bystander = (serves_at_once(model) != Some(1)).then(|| server.stalled());
            let mut victim = server.connect();
            ask(&mut victim, &format!("/crash/{how}"));
            assert!(rest(victim).is_empty(), "{model}: the dead do not answer");
            let ended = bystander.is_none_or(|client| rest(client).is_empty());
            assert!(ended, "{model}");
            let (status, words) = server.wait();
            let fatal = status.signal();
            assert_eq!(fatal, Some(signal as i32), "{model}: {status}: {words}");
        }
    });
}

#[test]
fn a_worker_killed_under_load_is_replaced_sixty_times_out_of_sixty() {
    const KILLS: usize = 60;
    const CLIENTS: u32 = 4;
    /// Far longer than a replacement takes, and still short enough to count as one.
    const SLOWEST: Duration = Duration::from_secs(2);
    // One after another: each uses the whole machine.
    for (model, arguments) in ways_with_processes() {
        if children_at_rest(model, &arguments) == 0 {
            continue;
        }
        let server = Server::start_whole(model, &arguments);
        server.greets();
        let (ends, answered) = (AtomicBool::new(false), AtomicU32::new(0));
        let mut slowest = Duration::ZERO;
        thread::scope(|scope| {
            // Raised by a failure too, so that the threads end and the failure shows.
            let _stops = Raised(&ends);
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    while !ends.load(Ordering::Relaxed) {
                        answered.fetch_add(u32::from(is_greeted(&server)), Ordering::Relaxed);
                    }
                });
            }
            // Any sequence without a pattern is enough; a fixed one makes the test repeatable.
            let mut random = 0x2545_f491_u32;
            let mut newest = 0;
            for _ in 0..KILLS {
                let workers = server.child_ids();
                // Not the newest worker: if it is still starting, its death counts as a failed start.
                let settled: Vec<_> = workers.iter().filter(|&&worker| worker != newest).collect();
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let doomed = *settled[(random >> 16) as usize % settled.len()];
                let killed = Instant::now();
                kill_child(doomed);
                eventually("the dead worker is replaced", || {
                    let now = server.child_ids();
                    let replacement = now.iter().find(|&worker| !workers.contains(worker));
                    newest = replacement.copied().unwrap_or(newest);
                    replacement.is_some() && now.len() == WORKERS && !now.contains(&doomed)
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
        stop_with(server, model, &[("crashed", KILLS)]);
    }
}

struct Raised<'a>(&'a AtomicBool);

impl Drop for Raised<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Sends one request. A client of a killed process may get no answer, but never part of one.
fn is_greeted(server: &Server) -> bool {
    let mut socket = server.connect();
    let _ = socket
        .write_all(ASK_AND_CLOSE)
        .and_then(|()| socket.shutdown(Shutdown::Write));
    let answer = rest(socket);
    let is_whole = Answer::read(&mut answer.as_slice()).is_ok();
    assert!(answer.is_empty() || is_whole, "{}", answer.escape_ascii());
    is_whole
}

#[test]
fn children_end_when_their_parent_is_killed() {
    for_each(&ways_with_processes(), |(model, arguments)| {
        let arguments = [arguments.as_slice(), &["--deadlines", "off"]].concat();
        let server = Server::start_whole(model, &arguments);
        let (mut client, child) = server.held(Server::stalled);
        server.signal(Signal::SIGKILL);
        eventually("the child has ended", || !is_running(child));
        // No process is left that could hold the connection.
        assert!(!matches!(client.read(&mut [0; 1]), Ok(1..)), "{model}");
    });
}

#[test]
fn workers_without_descriptors_warn_once_a_second_all_together() {
    const WORKERS: usize = 12;
    let server = Server::start_after("true", &format!("pre-forked --workers {WORKERS}"));
    eventually("all workers are there", || server.children() == WORKERS);
    for worker in server.child_ids() {
        limit_descriptors(worker);
    }
    let begun = Instant::now();
    let _crowd: Vec<_> = (0..2 * WORKERS).map(|_| server.connect()).collect();
    let complaints = || server.words().matches("cannot accept").count();
    eventually("they complain for a while", || {
        begun.elapsed() > Duration::from_secs(3) && complaints() > 0
    });
    let seconds = usize::try_from(begun.elapsed().as_secs()).expect("few");
    // The first and the last second, which are not complete, count as well.
    assert!(complaints() <= seconds + 2, "{}", server.words());
}

/// The lowest unused descriptor number of that process.
fn first_free_descriptor(process: i32) -> u32 {
    let is_free = |descriptor: &u32| {
        fs::symlink_metadata(format!("/proc/{process}/fd/{descriptor}")).is_err()
    };
    (0..).find(is_free).expect("not all numbers are taken")
}

/// Stops a process from opening more descriptors; it keeps those that it has.
fn limit_descriptors(process: i32) {
    let free = first_free_descriptor(process);
    limit(Pid::from_raw(process), &format!("--nofile={free}:{free}"));
}

#[test]
fn workers_that_all_die_while_starting_end_the_server_with_a_line_that_says_so() {
    // Their event loops need a descriptor that other workers do not need.
    let loops = |(_, arguments): &Way| !arguments.is_empty();
    for (model, arguments) in ways_with_processes().into_iter().filter(loops) {
        let server = Server::start_whole(model, &arguments);
        server.greets();
        // Running workers keep their descriptors. New workers cannot open more.
        limit_descriptors(server.pid().as_raw());
        kill_child(server.child_ids()[0]);
        let address = server.address;
        let (status, words) = server.wait();
        assert_eq!(status.code(), Some(1), "{model}: {words}");
        let last = words.lines().last().unwrap_or_default();
        let is_named = last.starts_with("hola: ") && last.contains("died while starting");
        assert!(is_named && last.contains("giving up"), "{model}: {words}");
        assert_eq!(words.matches("giving up").count(), 1, "{model}: {words}");
        let again = TcpStream::connect(address);
        assert!(again.is_err(), "{model} still listens");
    }
}

#[test]
fn what_the_system_refuses_at_the_start_is_named_and_nothing_is_announced() {
    // System calls, injected error, the server's arguments, what its last line must name.
    const REFUSALS: &str = "\
        epoll_create1     | error=EMFILE        | epoll                        | epoll instance
        epoll_create1     | error=ENOSYS        | tokio                        | Tokio runtime
        epoll_create1     | error=EMFILE        | tokio-current-thread         | Tokio runtime
        epoll_create1     | error=EMFILE        | epoll-per-core               | epoll instance
        epoll_create1     | error=EMFILE        | epoll-per-core --processes   | worker process
        epoll_ctl         | error=ENOSPC        | epoll                        | cannot watch
        memfd_create      | error=EPERM         | pre-threaded --accept locked | --accept locked
        memfd_create      | error=EPERM         | fork-exec-per-client         | fork-exec-per-client: needs a memory file
        sched_setaffinity | error=EPERM         | iterative --cpus 0           | --cpus 0: sched_setaffinity: Operation not permitted
        clone,clone3      | error=EAGAIN:when=3 | tokio                        | 3 threads";
    for row in rows_of(REFUSALS) {
        let [call, how, told, named] = row[..] else {
            panic!("{row:?}");
        };
        let Some(command) = with_refused(call, how) else {
            return;
        };
        let arguments = format!("{told} --workers {WORKERS}");
        assert_refused(serve_by(command, &arguments), told, named);
    }
}

/// The server must not start, and must name what it lacks.
fn assert_refused(command: Command, told: &str, named: &str) {
    let (code, stdout, stderr) = ends(command);
    assert_eq!((code, stdout.as_str()), (Some(3), ""), "{told}: {stderr}");
    let last = stderr.lines().last().unwrap_or_default();
    let is_named = last.starts_with("hola: cannot start: ") && last.contains(named);
    assert!(is_named && !stderr.contains("panicked"), "{told}: {stderr}");
}

#[test]
fn a_worker_that_is_refused_at_the_start_ends_it_before_anything_is_announced() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    let ways = [
        ("pre-threaded", "worker thread 2 of 3"),
        ("pre-threaded --accept reuseport", "worker thread 2 of 3"),
        ("epoll-per-core", "worker thread 2 of 3"),
        ("epoll-per-core --processes", "worker process 2 of 3"),
        ("pre-forked", "worker process 2 of 3"),
        ("thread-pool", "3 threads"),
        ("tokio", "3 threads"),
    ];
    for (number, (told, named)) in (0..).zip(ways) {
        // The server process and one more.
        let command = other_user.command(64_331 + number, 2);
        let command = serve_by(command, &format!("{told} --workers 3"));
        assert_refused(command, told, named);
    }
}

#[test]
fn forking_without_proc_is_refused_with_its_name() {
    let locked = "pre-threaded --accept locked";
    for (model, named) in [
        ("pre-forked", "/proc/self/task"),
        ("fork-per-client", "/proc/self/task"),
        (locked, "--accept locked needs /proc"),
    ] {
        let without_proc = |then: &str| {
            let mut command = Command::new("unshare");
            let script = format!("mount -t tmpfs none /proc && {then}");
            command.args(["--mount", "sh", "-c", &script, HOLA]);
            command
        };
        if ends(without_proc("true")).0 != Some(0) {
            println!("skipped: this process may not mount anything");
            return;
        }
        let serve = format!("exec \"$0\" serve {model} --bind 127.0.0.1:0");
        assert_refused(without_proc(&serve), model, named);
    }
}

#[test]
fn clients_are_refused_while_no_worker_process_can_be_made() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    const USER: u32 = 64_341;
    let arguments = format!("pre-forked --stats json --workers {WORKERS}");
    let server = Server::run(serve_by(other_user.command(USER, 10), &arguments));
    server.greets();
    other_user.limit(USER, server.pid(), 1);
    server.child_ids().into_iter().for_each(kill_child);
    eventually("no worker is left", || server.children() == 0);
    assert_eq!(server.get("/").status, 503);
    other_user.limit(USER, server.pid(), 10);
    eventually("all workers are there again", || {
        server.children() == WORKERS
    });
    server.greets();
    stop_with(server, "pre-forked", &[("refused", 1)]);
}

#[test]
fn a_call_that_is_refused_costs_its_client_at_most_and_no_loop_its_others() {
    const EPOLL_WAIT: &str = "?epoll_wait,?epoll_pwait";
    const POLL: &str = "?poll,?ppoll";
    const SELECT: &str = "?select,?pselect6";
    let here: Vec<_> = table().map(|model| model.name).collect();
    // Model · system calls · injected error · number of lost clients.
    for (model, calls, how, lost) in [
        // The first two calls add the stop pipe and the listener.
        ("epoll", "epoll_ctl", "error=ENOSPC:when=3", 1),
        ("epoll", "epoll_ctl", "error=ENOMEM:when=4", 1),
        ("epoll-per-core", "epoll_ctl", "error=ENOSPC:when=3", 1),
        ("epoll", EPOLL_WAIT, "error=ENOMEM:when=2..4", 0),
        ("select", SELECT, "error=ENOMEM:when=3..5", 0),
        ("poll", POLL, "error=ENOMEM:when=3..5", 0),
        ("selector-threads", POLL, "error=ENOMEM:when=2..4", 0),
        ("io-uring", "io_uring_enter", "error=EAGAIN:when=3..5", 0),
        ("io-uring", "io_uring_enter", "error=ENOMEM:when=4..6", 0),
    ] {
        let Some(command) = with_refused(calls, how).filter(|_| here.contains(&model)) else {
            continue;
        };
        let arguments = format!("{model} --workers 1 --stats json");
        let server = Server::run(serve_by(command, &arguments));
        // Each client is answered, unless it is lost first, and then keeps its connection open.
        let clients = [(); 5].map(|()| {
            let mut client = server.connect();
            client.write_all(ASK).expect("sent");
            let _answer_or_end = Answer::read(&mut BufReader::new(&client));
            client
        });
        let mut answered = 0;
        for mut client in clients {
            // The write fails if the client was lost.
            let _ = client.write_all(ASK_AND_CLOSE);
            answered += usize::from(rest(client).ends_with(b"Hola, cliente!"));
        }
        assert_eq!(answered + lost, 5, "{model} {how}");
        server.greets();
        stop_with(server, format!("{model} {how}"), &[("refused", lost)]);
    }
}
