//! The chat that the terminal and the page share: who is there, what is said, and what is answered.

use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hola_base::output::say;
use hola_base::visible;
use hola_servers::operator::Event;
use nix::unistd::Pid;
use serde::Serialize;

use super::clients::{ChatClients, ClientFacts};
use super::event::ConsoleEvent;
use super::history::{History, HistoryCursor, now_ms};

/// A chat. Events are recorded while the clients are locked, so that a page knows which events its list of clients
/// already includes.
#[derive(Debug)]
pub(super) struct Chat {
    clients: Mutex<ChatClients>,
    history: History,
}

/// The clients that are there, for a page that has just been opened.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename = "present")]
pub(super) struct PresentClients {
    /// Number of the last event that the list includes.
    number: u64,
    clients: Vec<ClientFacts>,
}

impl Chat {
    /// A chat without clients.
    pub(super) fn new() -> Self {
        Chat {
            clients: Mutex::default(),
            history: History::new(),
        }
    }

    /// What has happened.
    pub(super) fn history(&self) -> &History {
        &self.history
    }

    /// Takes note of what a server tells; returns what to show at the terminal.
    pub(super) fn on_server_event(&self, event: Event) -> Option<ConsoleEvent> {
        let mut clients = self.clients();
        let event = match event {
            Event::Listening { .. } => return None,
            Event::Joined {
                client,
                process,
                connection,
            } => {
                let process = Pid::from_raw(i32::try_from(process).ok()?);
                join(&mut clients, client, process, connection)
            }
            Event::Said { client, bytes } => {
                clients.count_message(client);
                let text = String::from_utf8_lossy(&bytes);
                let text = visible::one_line(text.trim_end_matches(['\r', '\n']));
                ConsoleEvent::Message { client, text }
            }
            Event::Failed { client, reason } => ConsoleEvent::Failed { client, reason },
            Event::Left { client } => leave(&mut clients, client, false)?,
        };
        self.history.push(event.clone());
        Some(event)
    }

    /// Removes the clients whose process has died before it could tell; returns what to show at the terminal.
    pub(super) fn on_dead_processes(&self) -> Vec<ConsoleEvent> {
        let mut clients = self.clients();
        let dead = clients.with_dead_process().into_iter();
        let events = dead.filter_map(|client| leave(&mut clients, client, true));
        let events: Vec<ConsoleEvent> = events.collect();
        events
            .iter()
            .for_each(|event| self.history.push(event.clone()));
        events
    }

    /// Sends a line to a client, or to all (`None`). Returns for how many clients it is.
    pub(super) fn answer(&self, to: Option<u64>, text: &str) -> usize {
        let mut clients = self.clients();
        let (reached, full) = clients.queue(to, format!("{text}\n").as_bytes());
        if reached > 0 {
            let text = visible::lines(text).into_owned();
            self.history
                .push(ConsoleEvent::Answer { to, text, reached });
        }
        for &client in &full {
            self.history.push(ConsoleEvent::Dropped { client });
        }
        self.send(&mut clients);
        drop(clients);
        // Without the lock: the reader of stderr may be slow.
        for client in full {
            say(format_args!(
                "client {client} does not read; it loses the oldest message"
            ));
        }
        reached
    }

    /// Sends to each client what it takes without waiting.
    pub(super) fn send_pending(&self) {
        self.send(&mut self.clients());
    }

    fn send(&self, clients: &mut ChatClients) {
        for (client, error) in clients.send_pending() {
            let reason = error.desc().to_owned();
            self.history.push(ConsoleEvent::Failed { client, reason });
        }
    }

    /// Connections that have not taken all that was sent to them.
    pub(super) fn slow(&self) -> Vec<Arc<TcpStream>> {
        self.clients().slow()
    }

    /// The clients that are there.
    pub(super) fn present(&self) -> PresentClients {
        let clients = self.clients();
        let HistoryCursor { number, .. } = self.history.last();
        PresentClients {
            number,
            clients: clients.facts(),
        }
    }

    fn clients(&self) -> MutexGuard<'_, ChatClients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn join(
    clients: &mut ChatClients,
    client: u64,
    process: Pid,
    connection: TcpStream,
) -> ConsoleEvent {
    let address = connection.peer_addr();
    let address = address.map_or_else(|error| error.to_string(), |one| one.to_string());
    let facts = ClientFacts {
        client,
        address: address.clone(),
        since_ms: now_ms(),
        messages: 0,
    };
    clients.add(facts, connection, process);
    ConsoleEvent::Connected {
        client,
        address,
        here: clients.count(),
    }
}

fn leave(clients: &mut ChatClients, client: u64, died: bool) -> Option<ConsoleEvent> {
    clients.remove(client).then(|| ConsoleEvent::Left {
        client,
        here: clients.count(),
        died,
    })
}
