//! What every model does as a server, seen from outside: the built program, real sockets, signals and limits.

mod accepting;
mod conformance;
mod lifecycle;
mod limits;
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

use self::support::{Server, table};

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
