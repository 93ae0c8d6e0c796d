//! The clients of a chat, and what waits to be sent to them.

use std::collections::{BTreeMap, VecDeque};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::sys::socket::{MsgFlags, send};
use nix::unistd::Pid;
use serde::Serialize;

/// Messages that may wait for a client that does not read.
const PENDING_MAX: usize = 64;

/// A client that is connected.
#[derive(Debug)]
pub(super) struct ChatClient {
    /// What a page is told of it.
    pub(super) facts: ClientFacts,
    connection: Arc<TcpStream>,
    process: Pid,
    /// Messages that it has not taken yet, the oldest first.
    pending: VecDeque<Vec<u8>>,
}

/// What a page is told of a client.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ClientFacts {
    /// Its number; the first one is 1.
    pub(super) client: u64,
    /// Its address, or why that is not known.
    pub(super) address: String,
    /// When it came, in milliseconds since 1970.
    pub(super) since_ms: u64,
    /// Messages it has sent.
    pub(super) messages: u64,
}

/// All clients that are connected, by number.
#[derive(Debug, Default)]
pub(super) struct ChatClients(BTreeMap<u64, ChatClient>);

impl ChatClients {
    /// Adds a client, which that process serves.
    pub(super) fn add(&mut self, facts: ClientFacts, connection: TcpStream, process: Pid) {
        let client = ChatClient {
            connection: Arc::new(connection),
            process,
            pending: VecDeque::new(),
            facts,
        };
        self.0.insert(client.facts.client, client);
    }

    /// Removes a client; returns whether it was there.
    pub(super) fn remove(&mut self, client: u64) -> bool {
        self.0.remove(&client).is_some()
    }

    /// Number of clients.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Counts a message of a client.
    pub(super) fn count_message(&mut self, client: u64) {
        if let Some(client) = self.0.get_mut(&client) {
            client.facts.messages += 1;
        }
    }

    /// What a page is told of all clients.
    pub(super) fn facts(&self) -> Vec<ClientFacts> {
        self.0.values().map(|client| client.facts.clone()).collect()
    }

    /// Clients whose process has died before it could tell.
    pub(super) fn with_dead_process(&self) -> Vec<u64> {
        let is_dead = |one: &ChatClient| kill(one.process, None) == Err(Errno::ESRCH);
        let dead = self.0.iter().filter(|(_, one)| is_dead(one));
        dead.map(|(client, _)| *client).collect()
    }

    /// Connections that have not taken all that was sent to them.
    pub(super) fn slow(&self) -> Vec<Arc<TcpStream>> {
        let slow = self.0.values().filter(|one| !one.pending.is_empty());
        slow.map(|one| Arc::clone(&one.connection)).collect()
    }

    /// Adds a message to those that wait for a client, or for all (`None`). Returns how many clients get it, and those of
    /// them that have lost the oldest one instead.
    pub(super) fn queue(&mut self, to: Option<u64>, message: &[u8]) -> (usize, Vec<u64>) {
        let (mut reached, mut full) = (0, Vec::new());
        let chosen = self.0.iter_mut();
        for (number, client) in chosen.filter(|(number, _)| to.is_none_or(|to| to == **number)) {
            reached += 1;
            if client.pending.len() == PENDING_MAX {
                // Of the first one, a part may have been sent.
                client.pending.remove(1);
                full.push(*number);
            }
            client.pending.push_back(message.to_vec());
        }
        (reached, full)
    }

    /// Sends to each client what it takes without waiting. Returns those to whom nothing can be sent any more, with the
    /// reason.
    pub(super) fn send_pending(&mut self) -> Vec<(u64, Errno)> {
        let failure = |(number, client): (&u64, &mut ChatClient)| {
            let error = client.send_pending().err()?;
            client.pending.clear();
            Some((*number, error))
        };
        self.0.iter_mut().filter_map(failure).collect()
    }
}

impl ChatClient {
    fn send_pending(&mut self) -> Result<(), Errno> {
        while let Some(message) = self.pending.front_mut() {
            let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
            match send(self.connection.as_raw_fd(), message, flags) {
                Ok(count) if count < message.len() => drop(message.drain(..count)),
                Ok(_) => drop(self.pending.pop_front()),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
