//! A client that the server has accepted and has to answer.

use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::thread;

use nix::sys::socket::{Shutdown, shutdown};

use crate::conversation::{Conversation, Protocol, http};
use crate::counters::{Tally, count};
use crate::server::{Server, count_outcome};
use crate::{drive, log, stop, sys};

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

impl Server {
    /// Counts an accepted connection and returns its client.
    pub(crate) fn admit(&'static self, socket: TcpStream) -> Client {
        let fd = socket.as_raw_fd();
        stop::watch(fd);
        if stop::is_asked() {
            // The stop handler has already run. As on other connections, only what has arrived is answered.
            let _ = shutdown(fd, Shutdown::Read);
        }
        Client::new(socket, self)
    }

    /// Holds the whole conversation with a client on the calling thread. A panic ends that conversation, nothing else.
    pub fn converse(&'static self, client: Client) {
        // The closure owns the client: if a panic drops the client, it is counted as crashed.
        let _ = catch_unwind(AssertUnwindSafe(move || {
            let mut client = client;
            let mut conversation = self.new_conversation();
            let outcome = drive::blocking::converse(
                &mut conversation,
                client.serve(),
                &self.settings().timeouts,
            );
            count_outcome(client.tally(), &outcome, conversation.answers());
        }));
    }

    /// Holds the whole conversation with a client in the calling task.
    pub async fn converse_async(&'static self, mut client: Client) {
        let mut conversation = self.new_conversation();
        let outcome = drive::asynchronous::converse(
            &mut conversation,
            client.serve(),
            &self.settings().timeouts,
        )
        .await;
        count_outcome(client.tally(), &outcome, conversation.answers());
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        match self.state {
            ClientState::HandedOver => return,
            ClientState::Served => {}
            ClientState::Waiting => {
                let is_http = self.server.settings().conversation == Protocol::Http;
                let answer = if is_http { http::UNAVAILABLE } else { b"" };
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
