//! What a target of the user's answers, found by asking it once before a run.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use hola_loadgen::{NoObserver, Pace, Stop, Workload};

use super::{FixedOrPerClient, ForEach, Target, TargetPaths, TargetSpec};
use crate::pinned_program::PinnedProgram;
use crate::procedures::client::{ask, connect_idle, is_greeted};
use crate::process_tree;

/// Longest wait for one answer.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// A route with a number, a path of it, and the body of the right answer.
const ROUTES: [(&str, &str, &[u8]); 2] = [
    ("/wait/N", "/wait/1", b"waited 1 ms\n"),
    ("/compute/N", "/compute/10", b"15201191104202127773"),
];

/// The most that experiments ask a server to compute on a request.
const MOST_COMPUTED: &str = "/compute/1000000";
/// Longest time for it: ten times what a model needs. A slower server would still compute during the slices of others.
const COMPUTE_MAX: Duration = Duration::from_millis(20);
/// Attempts at it: the first ones may be slow, in a fresh process on a busy machine.
const COMPUTE_ATTEMPTS: u32 = 5;

/// Clients that are held at once: as many as most experiments keep.
const HELD: usize = 64;

impl TargetSpec {
    /// Starts it and asks for what experiments ask for. Takes back what it does not answer rightly, and the connections
    /// that do not stay. For a command, also finds what serves a client.
    ///
    /// # Errors
    /// Returns the reason if it does not start, has another greeting, or ends by itself.
    pub fn probe(&mut self, hola: &PinnedProgram, places: &TargetPaths) -> Result<(), String> {
        let target = Target::start(hola, self, places, &[])?;
        self.keep_alive &= keeps_connections(target.address());
        for (route, path, body) in ROUTES {
            let mut answered = answers_rightly(target.address(), path, body);
            if route == "/compute/N" {
                answered = answered.and_then(|()| computes_in_time(target.address()));
            }
            if let Err(why_not) = answered {
                self.paths.retain(|known| known != route);
                self.not_answered.insert(route.into(), why_not);
            }
        }
        target.stop()?;
        if self.command.is_some() {
            self.hold_clients(&Target::start(hola, self, places, &[])?);
        }
        Ok(())
    }

    /// Holds more and more clients that do not end their requests, as long as one more is served beside them. Finds how
    /// many it serves at once, and whether each has a process or a thread of its own.
    fn hold_clients(&mut self, target: &Target) {
        let count_at_rest = count_workers(target.pid());
        let (mut held, mut is_limited) = (Vec::new(), false);
        for _ in 0..HELD {
            held.extend(connect_idle(Ipv4Addr::LOCALHOST, target.address()).ok());
            is_limited = !is_greeted(target.address(), ANSWER_MAX);
            if is_limited {
                break;
            }
        }
        let (processes, threads) = count_workers(target.pid());
        // Half of them, for a thread may serve two clients in turn.
        let has_grown = |before: usize, now: usize| now >= before + held.len().div_ceil(2).max(2);
        let one = FixedOrPerClient::Fixed(1);
        let each = FixedOrPerClient::Each(ForEach::Clients);
        let most = FixedOrPerClient::Fixed(u32::try_from(held.len()).unwrap_or(u32::MAX));
        self.one_at_a_time = is_limited && held.len() == 1;
        (self.processes, self.threads) = match is_limited {
            true if processes > held.len() => (most, one),
            true => (one, most),
            false if has_grown(count_at_rest.0, processes) => (each, one),
            false if has_grown(count_at_rest.1, threads) => (one, each),
            false => (one, one),
        };
    }
}

/// Whether a second request on a connection is answered.
fn keeps_connections(address: SocketAddr) -> bool {
    let workload = Workload {
        pace: Pace::Closed { clients: 1 },
        requests_per_connection: None,
        stop: Stop::Requests(2),
        warmup: Duration::ZERO,
        timeout: ANSWER_MAX,
        ..Workload::new(address)
    };
    hola_loadgen::run(&workload, &NoObserver)
        .is_ok_and(|load| load.summary.counts.ok == 2 && load.summary.latency_us.connect.count == 1)
}

fn answers_rightly(address: SocketAddr, path: &str, body: &'static [u8]) -> Result<(), String> {
    match ask(address, path, Some(body), ANSWER_MAX, || true) {
        Ok(200) => Ok(()),
        Ok(status) => Err(format!("it answers {path} with status {status}")),
        Err(error) => Err(format!("it has no right answer to {path}: {error}")),
    }
}

fn computes_in_time(address: SocketAddr) -> Result<(), String> {
    let mut fastest = ANSWER_MAX;
    for _ in 0..COMPUTE_ATTEMPTS {
        let begun = Instant::now();
        let status = ask(address, MOST_COMPUTED, None, ANSWER_MAX, || true);
        if status.is_ok_and(|status| status == 200) {
            fastest = fastest.min(begun.elapsed());
        }
        if fastest <= COMPUTE_MAX {
            return Ok(());
        }
    }
    let (took, most) = (fastest.as_millis(), COMPUTE_MAX.as_millis());
    Err(format!(
        "it needs {took} ms for {MOST_COMPUTED}, and at most {most} ms can be measured beside others"
    ))
}

/// Processes of a server, and all their threads.
fn count_workers(pid: i32) -> (usize, usize) {
    let processes = process_tree::processes(pid);
    let stats = processes.iter().filter_map(|process| process.stat().ok());
    let threads = stats.filter_map(|stat| usize::try_from(stat.num_threads).ok());
    (processes.len(), threads.sum())
}
