//! A client that has been accepted and is owed an answer.

use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::thread;

use crate::conversation::{Spoken, http};
use crate::counters::{Tally, count};
use crate::server::Server;
use crate::{log, sys};

/// An accepted connection and its place in the count of clients.
///
/// A client is never just dropped: whoever lets go of one that nobody served (because the system had no thread for
/// it, say) sends it away with a 503 by that very act. No model needs a branch for it.
#[derive(Debug)]
pub struct Client {
    socket: TcpStream,
    server: &'static Server,
    /// Of the worker that accepted it.
    tally: &'static Tally,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
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
            fate: Fate::Waiting,
        };
        client.log("connected");
        client
    }

    /// The connection, to be served now.
    pub(crate) fn serve(&mut self) -> &TcpStream {
        self.fate = Fate::Served;
        &self.socket
    }

    /// Where this client's fortunes are counted.
    pub(crate) fn tally(&self) -> &'static Tally {
        self.tally
    }

    /// Lets go of a client that another process serves from here on.
    pub fn hand_over(mut self) {
        self.fate = Fate::HandedOver;
    }

    /// Sends a client away with a 503, because whoever could serve it has enough to do.
    pub fn send_away(self) {}

    fn log(&self, what: &str) {
        if self.server.settings().log {
            let active = self.server.counters().active();
            log::line(&format!("a client {what}; {active} active"));
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        match self.fate {
            Fate::HandedOver => return,
            Fate::Served => {}
            Fate::Waiting => {
                let answer: &[u8] = match self.server.settings().conversation {
                    Spoken::Http => http::UNAVAILABLE,
                    Spoken::Ack | Spoken::Echo => b"",
                };
                sys::answer_without_waiting(&self.socket, answer);
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
