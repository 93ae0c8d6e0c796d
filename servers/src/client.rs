//! A client that has been accepted and is owed an answer.

use std::os::fd::AsFd;

use crate::conversation::http;
use crate::counters::Counters;
use crate::server::Server;
use crate::sys;

/// An accepted connection and its place in the count of clients.
///
/// A client is never just dropped: whoever lets go of one that nobody served (because the system had no thread for
/// it, say) sends it away with a 503 by that very act. No model needs a branch for it.
#[derive(Debug)]
pub struct Client<S: AsFd> {
    pub(crate) socket: S,
    server: &'static Server,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Waiting,
    Served,
    HandedOver,
}

impl<S: AsFd> Client<S> {
    pub(crate) fn new(socket: S, server: &'static Server) -> Self {
        Client {
            socket,
            server,
            fate: Fate::Waiting,
        }
    }

    /// The connection, to be served now.
    pub(crate) fn serve(&mut self) -> &mut S {
        self.fate = Fate::Served;
        &mut self.socket
    }

    /// Lets go of a client that another process serves from here on.
    pub fn hand_over(mut self) {
        self.fate = Fate::HandedOver;
    }
}

impl<S: AsFd> Drop for Client<S> {
    fn drop(&mut self) {
        let counters = self.server.counters();
        match self.fate {
            Fate::HandedOver => return,
            Fate::Served => {}
            Fate::Waiting => {
                sys::answer_without_waiting(&self.socket, http::UNAVAILABLE);
                Counters::count(&counters.refused);
            }
        }
        Counters::count(&counters.closed);
    }
}
