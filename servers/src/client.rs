//! A client that the server has accepted and has to answer.

use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::thread;

use crate::conversation::{Protocol, http};
use crate::counters::{Tally, count};
use crate::server::Server;
use crate::{log, sys};

/// An accepted connection, counted as a client.
///
/// Dropping a client that was not served (for example because the system had no thread for it) refuses it with a 503.
/// So no model needs a branch for that.
#[derive(Debug)]
pub struct Client {
    socket: TcpStream,
    server: &'static Server,
    /// The tally of the worker that accepted it.
    tally: &'static Tally,
    state: ClientState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClientState {
    Waiting,
    Served,
    HandedOver,
}

impl Client {
    pub(crate) fn new(socket: TcpStream, server: &'static Server) -> Self {
        let tally = server.counters().tally();
        count(&tally.accepted);
        let client = Client {
            socket,
            server,
            tally,
            state: ClientState::Waiting,
        };
        client.log("connected");
        client
    }

    /// The connection; from now on the client counts as served.
    pub(crate) fn serve(&mut self) -> &TcpStream {
        self.state = ClientState::Served;
        &self.socket
    }

    /// The tally that counts what happens to this client.
    pub(crate) fn tally(&self) -> &'static Tally {
        self.tally
    }

    /// Drops this process's copy of a client that another process serves.
    pub fn hand_over(mut self) {
        self.state = ClientState::HandedOver;
    }

    /// Refuses a client with a 503, because no worker can take it.
    pub fn refuse(self) {}

    fn log(&self, what: &str) {
        if self.server.settings().log {
            let active = self.server.counters().active();
            log::line(&format!("a client {what}; {active} active"));
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        match self.state {
            ClientState::HandedOver => return,
            ClientState::Served => {}
            ClientState::Waiting => {
                let answer: &[u8] = match self.server.settings().conversation {
                    Protocol::Http => http::UNAVAILABLE,
                    Protocol::Ack | Protocol::Echo => b"",
                };
                sys::write_without_waiting(&self.socket, answer);
                count(&self.tally.refused);
            }
        }
        if thread::panicking() {
            count(&self.tally.crashed);
        }
        self.tally.closed.fetch_add(1, Ordering::Release);
        self.log("left");
    }
}
