//! The listener as an event loop sees it: open, shut for a while, or closed for good.

use std::io;
use std::time::Instant;

use nix::sys::socket::SockFlag;

use crate::accepting::{Accepting, Verdict};
use crate::client::Client;
use crate::context::Context;
use crate::counters::count;
use crate::server::{LOOK_AGAIN, Server};
use crate::{stop, sys};

/// The way in.
#[derive(Debug)]
pub(super) struct Door {
    server: &'static Server,
    accepting: Accepting,
    /// Whether the loop watches the listener.
    is_watched: bool,
    /// The system was short of something: nobody comes in before that.
    shut_until: Option<Instant>,
    /// When last looked, nobody was waiting.
    nobody_waits: bool,
    is_closed: bool,
}

/// What has become of the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turned {
    /// Clients may come in again.
    Open,
    /// None may for the moment, or ever again.
    Shut,
}

impl Door {
    /// The calling worker's listener, which becomes non-blocking.
    pub(super) fn of(server: &'static Server) -> io::Result<Self> {
        let nonblocking = server.listener().set_nonblocking(true);
        nonblocking.context(|| "cannot make the listener non-blocking".into())?;
        Ok(Door {
            server,
            accepting: Accepting::new(),
            is_watched: false,
            shut_until: None,
            nobody_waits: false,
            is_closed: false,
        })
    }

    /// The next client that waits and may come in.
    pub(super) fn next(&mut self, now: Instant) -> Option<Client> {
        self.nobody_waits = false;
        while self.is_open(now) && stop::lets_in() {
            match sys::accept(self.server.listener(), SockFlag::SOCK_NONBLOCK) {
                Ok(socket) => {
                    self.accepting.succeeded();
                    return Some(self.server.admit(socket));
                }
                Err(error) => match self.accepting.failed(&error) {
                    Verdict::Retry => {}
                    Verdict::Empty => {
                        self.nobody_waits = true;
                        break;
                    }
                    Verdict::Closed => self.is_closed = true,
                    Verdict::Pause(pause) => {
                        self.server.note_shortage(&error);
                        self.shut_until = Some(now + pause);
                    }
                },
            }
        }
        None
    }

    /// The loop has been told that somebody waits.
    pub(super) fn knocked(&self) {
        count(&self.server.counters().tally().wakeups);
    }

    /// Whether the loop is to begin or to cease watching the listener, and then to say so with [`Door::watched`].
    pub(super) fn turned(&mut self, now: Instant) -> Option<Turned> {
        let is_open = self.is_open(now);
        if self.is_watched == is_open {
            return None;
        }
        Some(if is_open { Turned::Open } else { Turned::Shut })
    }

    /// The loop has begun to watch the listener, or has ceased to.
    pub(super) fn watched(&mut self, is_watched: bool) {
        self.is_watched = is_watched;
    }

    /// The loop could do neither: the door stays shut for a while.
    pub(super) fn watch_refused(&mut self, error: &io::Error, now: Instant) {
        self.server.note_shortage(error);
        self.shut_until = Some(now + self.accepting.next_pause());
    }

    /// When a door that is shut for a while is to be looked at again.
    pub(super) fn looks_again_at(&self, now: Instant) -> Option<Instant> {
        if self.is_closed || self.is_watched {
            return None;
        }
        // At the cap: whoever leaves another worker's loop makes room without a word.
        Some(self.shut_until.unwrap_or(now + LOOK_AGAIN))
    }

    /// After a stop: closes once the queue is empty, or has been let in for long enough.
    pub(super) fn close_if_nobody_waits(&mut self) {
        if !self.is_closed && (self.nobody_waits || !stop::lets_in()) {
            self.is_closed = true;
            self.server.close_door();
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    fn is_open(&mut self, now: Instant) -> bool {
        if self.shut_until.is_some_and(|until| until <= now) {
            self.shut_until = None;
        }
        !self.is_closed && self.shut_until.is_none() && self.server.has_room()
    }
}
