//! What every model does as a server, seen from outside: the built program, real sockets, signals and limits.

mod accepting;
mod conformance;
mod lifecycle;
mod options;
mod routes;
mod supervision;
#[path = "../support/mod.rs"]
mod support;

use std::fmt::Display;
use std::thread;

use hola_servers::models::Model;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use self::support::{Server, hola, table};

/// Stops a server, which must have closed every client that it accepted, and have counted what is expected. Returns its
/// counters.
fn stop_with(server: Server, way: impl Display, expected: &[(&str, usize)]) -> Value {
    let counters = server.stop();
    let closed = &counters["closed"];
    assert_eq!(&counters["accepted"], closed, "{way}: {counters}");
    for &(name, count) in expected {
        assert_eq!(counters[name], count, "{way}: {name}: {counters}");
    }
    counters
}

/// Waits for the end of a server, which must end with success.
fn ends_well(server: Server, way: impl Display) {
    let (status, words) = server.wait();
    assert!(status.success(), "{way}: {status}: {words}");
}

/// Greets a server as often as that, on each of several threads at once.
fn greet_from_threads(server: &Server, threads: usize, times_each: usize) {
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| (0..times_each).for_each(|_| server.greets()));
        }
    });
}

/// Models that can serve one client while they accept another.
fn models_without_limit() -> impl Iterator<Item = &'static Model> {
    table().filter(|model| model.serves_at_once(1).is_none())
}

/// Kills a child of a server.
fn kill_child(child: i32) {
    kill(Pid::from_raw(child), Signal::SIGKILL).expect("a child of the server");
}

/// Runs the program, which must print nothing on stdout, end with that code, and name all of `words` in the first line on
/// stderr. A server that does not start writes no second line. Returns its stderr.
fn fails(arguments: &[&str], code: i32, words: &[&str]) -> String {
    let (status, stdout, stderr) = hola(arguments);
    let way = format!("{arguments:?}: {stdout}{stderr}");
    assert_eq!((status.code(), stdout.as_str()), (Some(code), ""), "{way}");
    let first = stderr.lines().next().unwrap_or_default();
    assert!(words.iter().all(|word| first.contains(word)), "{way}");
    assert!(code != 3 || stderr.lines().count() == 1, "{way}");
    stderr
}
