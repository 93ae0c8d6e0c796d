//! Several acceptors on one port: however they share the clients, no client is lost, and the counters agree.

use std::fs;
use std::net::TcpListener;

use hola_servers::models::{Capacity, find};

use crate::support::{
    Server, WORKERS, Way, children_at_rest, end_stall, eventually, fails, for_each, serve_by,
    stop_with, table, with_refused,
};
use crate::{greet_from_threads, kill_child, models_without_limit};

/// Every way of sharing clients that the table allows.
fn ways() -> Vec<Way> {
    let mut ways = Vec::new();
    for model in table() {
        for accept in model.accept {
            let accept = ["--accept", accept.name()];
            ways.push((model.name, accept.to_vec()));
            if model.threads_or_processes {
                ways.push((model.name, [&accept[..], &["--processes"]].concat()));
            }
        }
    }
    ways
}

/// Those of them whose workers are processes.
fn ways_with_workers() -> Vec<Way> {
    let mut ways = ways();
    ways.retain(|(model, arguments)| children_at_rest(model, arguments) > 0);
    ways
}

#[test]
fn all_clients_are_answered_and_counted_by_the_worker_that_accepted_them() {
    const CLIENTS: usize = 8;
    const REQUESTS_EACH: usize = 250;
    const TOTAL: usize = CLIENTS * REQUESTS_EACH;
    for (model, arguments) in ways() {
        let server = Server::start_whole(model, &arguments);
        greet_from_threads(&server, CLIENTS, REQUESTS_EACH);
        let way = format!("{model} {arguments:?}");
        let counters = stop_with(server, &way, &[("accepted", TOTAL), ("answers", TOTAL)]);
        let [accepted, wakeups] = ["accepted_by_worker", "wakeups_by_worker"].map(|what| {
            let counts = serde_json::from_value::<Vec<usize>>(counters[what].clone());
            counts.expect("numbers")
        });
        assert_eq!([accepted.len(), wakeups.len()], [WORKERS; 2], "{counters}");
        assert_eq!(accepted.iter().sum::<usize>(), TOTAL, "{way}");
        assert_eq!(counters["wakeups"], wakeups.iter().sum::<usize>(), "{way}");
        // With a listener each, the kernel chooses one by the client's address: each gets some of 2,000 clients.
        let some_for_each = accepted.iter().all(|&count| count > 0);
        let is_dealt = arguments.contains(&"reuseport");
        assert!(some_for_each || !is_dealt, "{way}: {accepted:?}");
        if find(model).is_some_and(|model| model.capacity == Capacity::Workers) {
            // A blocking worker accepts one client per wake-up; an event loop may accept several.
            let mut pairs = wakeups.iter().zip(&accepted);
            assert!(pairs.all(|(woken, let_in)| woken >= let_in), "{counters}");
        }
    }
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
    let mut locked = ways_with_workers();
    locked.retain(|(_, arguments)| arguments.contains(&"locked"));
    for_each(&locked, |(model, arguments)| {
        let server = Server::start_whole(model, arguments);
        for _ in 0..DEATHS {
            server.greets();
            let mut holder = None;
            eventually("a worker has the lock", || {
                let workers = server.child_ids();
                holder = lock_holders().find(|holder| workers.contains(holder));
                holder.is_some()
            });
            replace_workers(&server, &[holder.expect("just found")], 10);
        }
        stop_with(server, model, &[("crashed", DEATHS)]);
    });
}

#[test]
fn workers_killed_at_once_leave_no_lock_and_no_waiting_client() {
    for_each(&ways_with_workers(), |(model, arguments)| {
        let server = Server::start_whole(model, arguments);
        (0..30).for_each(|_| server.greets());
        replace_workers(&server, &server.child_ids(), 30);
        stop_with(server, model, &[("crashed", WORKERS)]);
    });
}

/// Kills these workers all at once, and greets the server that often while it replaces them.
fn replace_workers(server: &Server, workers: &[i32], greetings: usize) {
    workers.iter().copied().for_each(kill_child);
    // Until the last one is gone, it may still accept a client.
    eventually("the dead are reaped", || {
        let now = server.child_ids();
        workers.iter().all(|worker| !now.contains(worker))
    });
    // A client that connects before they are replaced waits in the accept queue: the parent keeps the listener open.
    (0..greetings).for_each(|_| server.greets());
    eventually("all are replaced", || {
        let now = server.child_ids();
        now.len() == WORKERS && now.iter().all(|worker| !workers.contains(worker))
    });
}

/// Processes that hold a flock(2) lock. The list marks waiting processes with an arrow.
fn lock_holders() -> impl Iterator<Item = i32> {
    let locks = fs::read_to_string("/proc/locks").expect("a list of locks");
    let holder = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        (fields.next() == Some("FLOCK")).then(|| fields.nth(2)?.parse().ok())?
    };
    let holders: Vec<i32> = locks.lines().filter_map(holder).collect();
    holders.into_iter()
}

#[test]
fn persistent_accept_errors_starve_no_connected_client() {
    // io_uring accepts in the kernel, without a system call that could be refused.
    for model in models_without_limit().filter(|model| !model.name.starts_with("io-uring")) {
        // Each thread accepts one client, and then finds the queue empty, before its accepts fail.
        let Some(command) = with_refused("accept4", "error=EPERM:when=3+") else {
            return;
        };
        let server = Server::run(serve_by(command, &format!("{} --workers 1", model.name)));
        let inside = server.stalled();
        let _outside: Vec<_> = (0..3).map(|_| server.connect()).collect();
        eventually("no other client is accepted", || {
            server.words().contains("cannot accept")
        });
        end_stall(inside);
    }
}

#[test]
fn what_a_model_cannot_do_is_a_usage_error_in_one_line() {
    let mut wrong = Vec::new();
    for model in table() {
        for accept in ["shared", "locked", "reuseport", "exclusive", "passed"] {
            if !ways().contains(&(model.name, vec!["--accept", accept])) {
                wrong.push((model, vec!["--accept", accept], "cannot share clients"));
            }
        }
        if !model.threads_or_processes {
            wrong.push((model, vec!["--processes"], "cannot choose"));
        }
        if model.first_reads.is_empty() {
            let options = vec!["--first-read", "at-once"];
            wrong.push((model, options, "cannot choose its first read"));
        }
        if !model.has_stacks {
            wrong.push((model, vec!["--stack", "64K"], "cannot choose the size"));
        }
    }
    for (model, arguments, words) in wrong {
        let serve = ["serve", model.name, "--bind", "127.0.0.1:0"];
        let all = [&serve, arguments.as_slice()].concat();
        let stderr = fails(&all, 2, &["hola: ", model.name, words]);
        assert_eq!(stderr.lines().count(), 1, "{arguments:?}: {stderr}");
    }
}

#[test]
fn two_servers_never_share_a_port() {
    for_each(&ways(), |(model, arguments)| {
        let first = Server::start_whole(model, arguments);
        let address = first.address.to_string();
        let second = ["serve", model, "--bind", &address];
        fails(&[&second, arguments.as_slice()].concat(), 3, &["in use"]);
        first.greets();
        first.stop();
        // The first server has freed the port as well; for a moment a client of another test may have it.
        eventually("the port is free again", || {
            TcpListener::bind(&address).is_ok()
        });
    });
}
