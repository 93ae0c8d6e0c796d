//! Many clients at once: how many are served, and by how many processes and threads.

use std::thread;
use std::time::{Duration, Instant};

use hola_lab::record::StoredText;

use super::client::{ANSWER_MAX, connect};
use super::counts::{POLL_INTERVAL, ProcessCounts, SETTLE_MAX};
use super::server::{StartedServer, Starter};

/// Most silent clients that are tried.
pub(super) const CLIENTS: usize = 64;
/// A client that waits as long as this waits for another one.
pub(super) const WAITS: Duration = Duration::from_millis(1_500);

/// What many silent clients showed.
#[derive(Debug)]
pub(super) struct Crowd {
    /// Clients served at once; `None` means more than [`CLIENTS`].
    pub(super) served_at_once: Option<usize>,
    /// Processes and threads without a client; `None` if the server was not started here.
    pub(super) at_rest: Option<ProcessCounts>,
    /// The same while the silent clients were connected.
    pub(super) with_clients: Option<ProcessCounts>,
    /// Whether most of what was started for the clients stays when they have left.
    pub(super) keeps_workers: bool,
}

impl Crowd {
    /// Connects one silent client after another, until one that asks must wait.
    pub(super) fn measure(starter: &Starter) -> Result<Self, StoredText> {
        let server = starter.start()?;
        server.greet(ANSWER_MAX)?;
        let at_rest = ProcessCounts::settled(&server);
        let mut silent = Vec::new();
        let mut served_at_once = None;
        while silent.len() < CLIENTS {
            starter.check_time()?;
            silent.push(connect(server.address)?);
            if server.greet(WAITS).is_err() {
                // One that has ended serves none, and does not make the last one wait.
                if let Some(death) = server.death() {
                    return Err(death);
                }
                served_at_once = Some(silent.len());
                break;
            }
        }
        let with_clients = ProcessCounts::of(&server);
        drop(silent);
        Ok(Crowd {
            served_at_once,
            at_rest,
            with_clients,
            keeps_workers: at_rest.is_some_and(|rest| keeps_workers(&server, rest)),
        })
    }
}

/// Waits until less than half of the clients have left a thread or a process behind. Returns whether that never happens.
fn keeps_workers(server: &StartedServer, at_rest: ProcessCounts) -> bool {
    let few = at_rest.threads + CLIENTS / 2;
    let deadline = Instant::now() + SETTLE_MAX;
    while ProcessCounts::of(server).is_some_and(|counts| counts.threads >= few) {
        if Instant::now() > deadline {
            return true;
        }
        thread::sleep(POLL_INTERVAL);
    }
    false
}
