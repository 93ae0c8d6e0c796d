//! What a server does at the limits of its system: descriptors, threads and processes, and its own cap on clients.

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::models_without_limit;
use crate::support::{
    ASK_AND_CLOSE, OtherUser, Server, TIMEOUT, WORKERS, answer, end_stall, ends, eventually,
    for_each_model, limit, serve_after, serve_by, serves_at_once, settled, table, with_refused,
};

#[test]
fn a_server_out_of_descriptors_waits_without_spinning_serves_again_and_stops() {
    for_each_model(|model| {
        let server = Server::start_after("ulimit -n 48", model);
        let crowd = || (0..100).map(|_| server.connect()).collect::<Vec<_>>();
        // All at once: the stopped server finds all of them in its accept queue.
        server.signal(Signal::SIGSTOP);
        let first = crowd();
        server.signal(Signal::SIGCONT);
        let before = server.cpu_ticks();
        thread::sleep(Duration::from_secs(1));
        let spent = server.cpu_ticks() - before;
        assert!(spent <= 20, "{model}: {spent} ticks of 10 ms in a second");
        drop(first);
        server.greets();
        let _second = crowd();
        server.stop();
    });
}

#[test]
fn every_model_holds_no_more_clients_than_it_has_descriptors_for() {
    const DESCRIPTORS: u64 = 64;
    for_each_model(|model| {
        // A requested cap does not add descriptors.
        for (cap, limits) in [
            ("", &["descriptors"][..]),
            ("--max-clients 1000", &["descriptors"]),
            ("--max-clients 20", &["asked", "descriptors"]),
        ] {
            let way = format!("{model} --workers {WORKERS} {cap}");
            let server = Server::start_after(&format!("ulimit -n {DESCRIPTORS}"), &way);
            let crowd: Vec<_> = (0..2 * DESCRIPTORS).map(|_| server.connect()).collect();
            let held = || (server.count("fd"), server.children(), server.count("task"));
            settled(held);
            drop(crowd);
            server.greets();
            let report = server.report();
            let (settings, counters) = (&report["settings"], &report["counters"]);
            let cap = settings["max_clients"].as_u64().expect("a number");
            let by = settings["max_clients_by"].as_str().expect("a reason");
            assert!(limits.contains(&by), "{way}: {settings}");
            assert!((1..DESCRIPTORS).contains(&cap), "{way}: {settings}");
            assert_eq!(counters["backed_off"], 0, "{way}: {counters}");
        }
    });
}

#[test]
fn select_holds_no_more_clients_than_a_descriptor_set_has_room_for() {
    const SET_SIZE: usize = 1_024;
    let server = Server::start_after("ulimit -n 4096", "select --max-clients 2000");
    let crowd: Vec<_> = (0..SET_SIZE + 64).map(|_| server.connect()).collect();
    settled(|| server.count("fd"));
    assert!(server.count("fd") <= SET_SIZE);
    drop(crowd);
    server.greets();
    let report = server.report();
    assert_eq!(report["settings"]["max_clients_by"], "fd_setsize");
    let counters = ["refused", "backed_off"].map(|name| report["counters"][name].as_u64());
    assert_eq!(counters, [Some(0); 2]);
}

#[test]
fn models_with_one_acceptor_have_the_same_cap_where_descriptors_limit_it() {
    let caps: Vec<_> = table()
        .filter(|model| model.accept.is_empty())
        .map(|model| {
            let server = Server::start_after("ulimit -n 256", model.name);
            let settings = server.report()["settings"].take();
            (model.name, settings["max_clients"].clone())
        })
        .collect();
    let first = &caps[0].1;
    assert!(caps.iter().all(|(_, cap)| cap == first), "{caps:?}");
}

#[test]
fn too_few_descriptors_for_one_client_are_a_reason_not_to_start() {
    for_each_model(|model| {
        let (code, stdout, stderr) = ends(serve_after("ulimit -n 32", model));
        assert_eq!((code, stdout.as_str()), (Some(3), ""), "{model}: {stderr}");
        let named = stderr.lines().count() == 1 && stderr.contains("32 descriptors");
        assert!(named, "{model}: {stderr}");
    });
}

#[test]
fn a_limit_on_open_files_that_cannot_be_raised_is_said_and_kept_to() {
    let Some(command) = with_refused("prlimit64", "error=EPERM") else {
        return;
    };
    let server = Server::run(serve_by(command, "epoll"));
    server.greets();
    let words = server.words();
    let warning = words.lines().find(|line| line.contains("warning: cannot"));
    let is_named = |line: &str| line.contains("open files") && line.contains("not permitted");
    assert!(warning.is_some_and(is_named), "{words}");
}

#[test]
fn a_limit_lowered_below_what_is_open_costs_no_client_anything() {
    for model in models_without_limit() {
        let server = Server::start_with(model.name, &[]);
        let clients: Vec<_> = (0..40).map(|_| server.stalled()).collect();
        limit(server.pid(), "--nofile=8:");
        clients.into_iter().for_each(end_stall);
        limit(server.pid(), "--nofile=256:");
        server.greets();
        server.stop();
    }
}

#[test]
fn a_refused_thread_or_process_costs_its_client_alone_the_service() {
    let Some(other_user) = OtherUser::new() else {
        return;
    };
    for (model, user) in [("fork-per-client", 64_321), ("thread-per-client", 64_322)] {
        let command = other_user.command(user, 6);
        let server = Server::run(serve_by(command, &format!("{model} --stats json")));
        let mut crowd: Vec<_> = (0..30).map(|_| server.connect()).collect();
        let last = crowd.pop().expect("thirty");
        assert_eq!(answer(last).status, 503, "{model}");
        drop(crowd);
        eventually("the crowd has left", || {
            server.children() == 0 && server.count("task") == 1
        });
        server.greets();
        assert!(server.stop()["refused"].as_u64() >= Some(20), "{model}");
    }
}

#[test]
fn a_cap_on_clients_makes_the_next_one_wait_until_one_leaves() {
    for_each_model(|model| {
        let server = Server::start_with(model, &["--max-clients", "2"]);
        let at_once = serves_at_once(model).map_or(2, |clients| clients.min(2));
        let mut held: Vec<_> = (0..at_once).map(|_| server.answered()).collect();
        held.extend((at_once..2).map(|_| server.connect()));
        let mut third = server.connect();
        third.write_all(ASK_AND_CLOSE).expect("sent");
        let moment = Some(Duration::from_millis(300));
        third.set_read_timeout(moment).expect("a timeout");
        let early = third.read(&mut [0; 1]);
        assert!(early.is_err(), "{model} serves a client beyond its cap");
        drop(held);
        third.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
        assert_eq!(answer(third).status, 200, "{model}");
    });
}
