//! Checks of a server that the system refuses a descriptor, a thread or a process for a client.

use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use hola_lab::target::GroupLimits;
use hola_lab::target::supervisor::ResourceLimits;

use super::client::{ANSWER_MAX, connect_within};
use super::counts::{ProcessCounts, processes_unseen};
use super::crowd::CLIENTS;
use super::examiner::Examiner;
use super::{Observation, both};

/// Descriptors that a server gets: more than one needs that has no client.
const DESCRIPTORS: u16 = 64;
/// Clients that come then: more than it has descriptors for.
const DESCRIPTOR_CLIENTS: usize = 100;
/// Threads and processes that a server gets beyond those that it has without a client: fewer than there are clients.
const MORE_THREADS: usize = 32;
/// Longest wait for a connection. It takes longer only if the server's queue is full.
const QUEUE_WAIT: Duration = Duration::from_secs(1);
/// Pause before a server that has not released its clients yet is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(50);

pub(super) fn descriptor_limit(examiner: &Examiner) -> Observation {
    outlives_crowd(examiner, DESCRIPTOR_CLIENTS, |limits, _| {
        limits.descriptors = Some(DESCRIPTORS.into());
    })
}

pub(super) fn thread_limit(examiner: &Examiner) -> Observation {
    let at_rest = examiner.crowd()?.at_rest.ok_or_else(processes_unseen)?;
    outlives_crowd(examiner, CLIENTS, |_, together| {
        let most = u32::try_from(at_rest.threads + MORE_THREADS);
        together.processes = most.unwrap_or(u32::MAX);
    })
}

/// Starts a server with a limit, connects silent clients until they meet it, and passes if the server greets once they
/// have left.
fn outlives_crowd(
    examiner: &Examiner,
    clients: usize,
    limit: impl FnOnce(&mut ResourceLimits, &mut GroupLimits),
) -> Observation {
    examiner.starter.check_time()?;
    let Ok(server) = examiner.starter.start_limited(limit) else {
        // Then it needs more by itself, which is no fault.
        return Ok(both(
            "it does not start within such a limit, which was not tried",
            "no arranca con ese límite, que no se probó",
        ));
    };
    server.greet(ANSWER_MAX)?;
    let silent = silent_clients(server.address, clients);
    ProcessCounts::settled(&server);
    let count = silent.len();
    drop(silent);
    // The threads of clients that have left end a moment later.
    let deadline = Instant::now() + ANSWER_MAX;
    while server.greet(ANSWER_MAX).is_err() && Instant::now() < deadline {
        thread::sleep(ASK_AGAIN);
    }
    server.lives_on(both(
        format!("{count} clients came at once and left"),
        format!("{count} clientes llegaron a la vez y se fueron"),
    ))
}

/// Connects as many clients, or as many as the server's queue takes.
fn silent_clients(address: SocketAddr, clients: usize) -> Vec<TcpStream> {
    let connect = |_| connect_within(address, QUEUE_WAIT).ok();
    (0..clients).map_while(connect).collect()
}
