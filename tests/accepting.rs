//! Several acceptors on one port: however they share the clients, no client is lost, and the counters agree.

mod support;

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread;

use hola_servers::models::{Capacity, MODELS, find};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use self::support::{
    HOLA, Server, WORKERS, Way, children_at_rest, end_stall, eventually, for_each, hola, table,
    with_refused,
};

/// Every way of sharing clients that the table allows.
fn ways() -> Vec<Way> {
    let mut ways = Vec::new();
    for model in table() {
        for accept in model.accept {
            let accept = match serde_json::to_value(accept).expect("plain data") {
                Value::String(name) => name.leak(),
                other => panic!("{other} is no argument"),
            };
            ways.push((model.name, vec!["--accept", accept]));
            if model.threads_or_processes {
                ways.push((model.name, vec!["--accept", accept, "--processes"]));
            }
        }
    }
    ways
}

#[test]
fn all_clients_are_answered_and_counted_by_the_worker_that_let_them_in() {
    const CLIENTS: u32 = 8;
    const REQUESTS_EACH: u32 = 250;
    const TOTAL: u32 = CLIENTS * REQUESTS_EACH;
    for (model, arguments) in ways() {
        let server = Server::start_whole(model, &arguments);
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| (0..REQUESTS_EACH).for_each(|_| server.greets()));
            }
        });
        let way = format!("{model} {arguments:?}");
        let counters = server.stop();
        assert_eq!(
            [
                &counters["accepted"],
                &counters["answers"],
                &counters["closed"]
            ],
            [TOTAL; 3],
            "{way}: {counters}"
        );
        let accepted = by_worker(&counters, "accepted_by_worker");
        let wakeups = by_worker(&counters, "wakeups_by_worker");
        assert_eq!(accepted.iter().sum::<u64>(), u64::from(TOTAL), "{way}");
        assert_eq!(counters["wakeups"], wakeups.iter().sum::<u64>(), "{way}");
        if arguments.contains(&"reuseport") {
            // The kernel chooses the listener by the client's address: each worker gets some of 2,000 clients.
            assert!(
                accepted.iter().all(|&count| count > 0),
                "{way}: {accepted:?}"
            );
        }
        if find(model).is_some_and(|model| model.capacity == Capacity::Workers) {
            // A blocking worker accepts one client per wake-up; an event loop may accept several.
            let pairs = wakeups.iter().zip(&accepted);
            assert!(
                pairs.into_iter().all(|(woken, accepted)| woken >= accepted),
                "{way}: {counters}"
            );
        }
    }
}

/// One count per worker.
fn by_worker(counters: &Value, what: &str) -> Vec<u64> {
    let counts: Vec<u64> = serde_json::from_value(counters[what].clone()).expect("numbers");
    assert_eq!(counts.len(), WORKERS, "{counters}");
    counts
}

#[test]
fn a_stop_under_load_cuts_no_answer_short_however_clients_are_shared() {
    // Few at a time: each server with its clients keeps a machine busy.
    for some in ways().chunks(3) {
        for_each(some, |(model, arguments)| {
            Server::start_whole(model, arguments).stop_under_load(16);
        });
    }
}

#[test]
fn a_worker_that_dies_with_the_lock_on_accepting_leaves_it_to_the_others() {
    const DEATHS: usize = 10;
    let locked = |(model, arguments): &Way| {
        arguments.contains(&"locked") && children_at_rest(model, arguments) > 0
    };
    for_each(
        &ways().into_iter().filter(locked).collect::<Vec<_>>(),
        |(model, arguments)| {
            let server = Server::start_whole(model, arguments);
            for _ in 0..DEATHS {
                server.greets();
                let mut holder = None;
                eventually("a worker has the lock", || {
                    let workers = server.child_ids();
                    holder = lock_holders().find(|holder| workers.contains(holder));
                    holder.is_some()
                });
                let holder = holder.expect("just found");
                end(&server, &[holder]);
                (0..10).for_each(|_| server.greets());
                eventually("it is replaced", || {
                    let workers = server.child_ids();
                    workers.len() == WORKERS && !workers.contains(&holder)
                });
            }
            let counters = server.stop();
            assert_eq!(counters["crashed"], DEATHS, "{model}: {counters}");
            assert_eq!(
                counters["accepted"], counters["closed"],
                "{model}: {counters}"
            );
        },
    );
}

/// Kills these workers all at once. Until the last one is gone, it may still accept a client.
fn end(server: &Server, workers: &[i32]) {
    for &worker in workers {
        kill(Pid::from_raw(worker), Signal::SIGKILL).expect("a worker");
    }
    eventually("the dead are buried", || {
        let now = server.child_ids();
        workers.iter().all(|worker| !now.contains(worker))
    });
}

/// Processes that hold a flock(2) lock. The list marks waiting processes with an arrow.
fn lock_holders() -> impl Iterator<Item = i32> {
    let locks = std::fs::read_to_string("/proc/locks").expect("a list of locks");
    let holder = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        (fields.next() == Some("FLOCK")).then(|| fields.nth(2)?.parse().ok())?
    };
    locks
        .lines()
        .filter_map(holder)
        .collect::<Vec<_>>()
        .into_iter()
}

#[test]
fn workers_killed_all_at_once_leave_no_lock_and_no_client_behind() {
    for_each(&ways(), |(model, arguments)| {
        if children_at_rest(model, arguments) == 0 {
            return;
        }
        let server = Server::start_whole(model, arguments);
        (0..30).for_each(|_| server.greets());
        let workers = server.child_ids();
        end(&server, &workers);
        // A client that connects before they are replaced waits in the accept queue: the parent keeps the listener
        // open.
        (0..30).for_each(|_| server.greets());
        eventually("all are replaced", || {
            let now = server.child_ids();
            now.len() == WORKERS && now.iter().all(|worker| !workers.contains(worker))
        });
        let counters = server.stop();
        assert_eq!(counters["crashed"], WORKERS, "{model}: {counters}");
        assert_eq!(
            counters["accepted"], counters["closed"],
            "{model}: {counters}"
        );
    });
}

#[test]
fn accept_errors_that_stay_starve_no_client_that_is_in() {
    // Models that can serve one client while they accept another.
    let with_room = table().filter(|model| model.serves_at_once(1).is_none());
    let names: Vec<_> = with_room.map(|model| model.name).collect();
    // io_uring accepts in the kernel, without a system call that could be refused.
    for model in names.into_iter().filter(|&name| name != "io-uring") {
        // Each thread accepts one client, and then finds the queue empty, before its accepts fail.
        let Some(mut command) = with_refused("accept4", "error=EPERM:when=3+") else {
            return;
        };
        command.args(["serve", model, "--bind", "127.0.0.1:0", "--workers", "1"]);
        let server = Server::run(command);
        let inside = server.stalled();
        let _outside: Vec<_> = (0..3).map(|_| server.connect()).collect();
        eventually("nobody else can come in", || {
            server.words().contains("cannot accept")
        });
        end_stall(inside);
    }
}

#[test]
fn what_a_model_cannot_do_is_a_usage_error_in_one_line() {
    let mut wrong = Vec::new();
    for model in MODELS.iter().filter(|model| (model.available)().is_ok()) {
        for accept in ["shared", "locked", "reuseport"] {
            if !ways().contains(&(model.name, vec!["--accept", accept])) {
                wrong.push((model, vec!["--accept", accept], "cannot share clients"));
            }
        }
        if !model.threads_or_processes {
            wrong.push((model, vec!["--processes"], "cannot choose"));
        }
    }
    for (model, arguments, words) in wrong {
        let (status, stdout, stderr) = hola(
            &[
                &["serve", model.name, "--bind", "127.0.0.1:0"],
                arguments.as_slice(),
            ]
            .concat(),
        );
        let way = format!("{} {arguments:?}: {stdout}{stderr}", model.name);
        assert_eq!(status.code(), Some(2), "{way}");
        assert_eq!((stdout.as_str(), stderr.lines().count()), ("", 1), "{way}");
        assert!(
            stderr.starts_with("hola: ") && stderr.contains(model.name) && stderr.contains(words),
            "{way}"
        );
    }
}

#[test]
fn two_servers_never_share_a_port() {
    for_each(&ways(), |(model, arguments)| {
        let first = Server::start_whole(model, arguments);
        let address = first.address.to_string();
        let second = Command::new(HOLA)
            .args(["serve", model, "--bind", &address])
            .args(arguments)
            .stdout(Stdio::null())
            .output()
            .expect("the program runs");
        let words = String::from_utf8(second.stderr).expect("text");
        assert_eq!(second.status.code(), Some(3), "{model}: {words}");
        assert!(
            words.contains("in use") && words.lines().count() == 1,
            "{model}: {words}"
        );
        first.greets();
        first.stop();
        // The first server has freed the port as well.
        TcpListener::bind(&address).expect("the port is free again");
    });
}
