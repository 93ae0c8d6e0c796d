//! Many clients at once: how many are served, and by how many processes and threads.

use std::time::Duration;

use hola_lab::record::StoredText;

use super::client::{ANSWER_MAX, connect};
use super::counts::ProcessCounts;
use super::server::Starter;

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
                served_at_once = Some(silent.len());
                break;
            }
        }
        let with_clients = ProcessCounts::of(&server);
        Ok(Crowd {
            served_at_once,
            at_rest,
            with_clients,
        })
    }
}
