//! How an event loop uses its listener: watched, paused for a while, or closed for good.

use std::io;
use std::time::Instant;

use nix::sys::socket::SockFlag;

use crate::accept_policy::{AcceptError, AcceptPolicy};
use crate::client::Client;
use crate::context::ErrorContext;
use crate::server::{RECHECK_INTERVAL, Server};
use crate::{stop, sys};

/// The listener of one event loop.
#[derive(Debug)]
pub(super) struct Acceptor {
    server: &'static Server,
    accept_policy: AcceptPolicy,
    /// Whether the loop watches the listener.
    pub(super) is_watched: bool,
    /// The system was short of a resource: the loop accepts no client before this moment.
    paused_until: Option<Instant>,
    /// The last accept found the accept queue empty.
    queue_is_empty: bool,
    /// No client will be accepted any more.
    pub(super) is_closed: bool,
}

impl Acceptor {
    /// Takes the calling worker's listener, which becomes non-blocking.
    pub(super) fn new(server: &'static Server) -> io::Result<Self> {
        let nonblocking = server.listener().set_nonblocking(true);
        nonblocking.context(|| "cannot make the listener non-blocking".into())?;
        Ok(Acceptor {
            server,
            accept_policy: AcceptPolicy::new(),
            is_watched: false,
            paused_until: None,
            queue_is_empty: false,
            is_closed: false,
        })
    }

    /// Accepts the next waiting client, if the server may accept one now.
    pub(super) fn next(&mut self, now: Instant) -> Option<Client> {
        self.queue_is_empty = false;
        while self.is_open(now) && stop::may_accept() {
            let accepted = sys::accept(self.server.listener(), SockFlag::SOCK_NONBLOCK);
            match self.accept_policy.judge(self.server, accepted) {
                Ok(client) => return Some(client),
                Err(AcceptError::Retry) => {}
                Err(AcceptError::Empty) => {
                    self.queue_is_empty = true;
                    break;
                }
                Err(AcceptError::Closed) => self.is_closed = true,
                Err(AcceptError::Pause(pause)) => self.paused_until = Some(now + pause),
            }
        }
        None
    }

    /// The selector refused the change: the loop accepts no client for a while.
    pub(super) fn watch_refused(&mut self, error: &io::Error, now: Instant) {
        self.server.on_shortage("cannot accept", error);
        self.paused_until = Some(now + self.accept_policy.next_pause());
    }

    /// When a loop that does not watch its listener must check again whether it may accept.
    pub(super) fn retry_at(&self, now: Instant) -> Option<Instant> {
        if self.is_closed || self.is_watched {
            return None;
        }
        // At the cap on clients: a client that leaves another worker's loop makes room, but does not wake this loop.
        Some(self.paused_until.unwrap_or(now + RECHECK_INTERVAL))
    }

    /// After a stop: closes the listener once its queue is empty or the time for accepting is over.
    pub(super) fn close_if_queue_is_empty(&mut self) {
        if !self.is_closed && (self.queue_is_empty || !stop::may_accept()) {
            self.is_closed = true;
            self.server.close_listener();
        }
    }

    /// Whether the loop may accept clients now. The loop watches the listener exactly then.
    pub(super) fn is_open(&mut self, now: Instant) -> bool {
        if self.paused_until.is_some_and(|until| until <= now) {
            self.paused_until = None;
        }
        !self.is_closed && self.paused_until.is_none() && self.server.has_room()
    }
}
