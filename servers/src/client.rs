//! A client that the server has accepted and has to answer.

use std::mem;
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Instant;

use nix::sys::socket::{Shutdown, shutdown};

use crate::conversation::{AnyConversation, Conversation, Protocol, http};
use crate::counters::{Tally, count};
use crate::drive::readiness::Wait;
use crate::drive::{Budget, Deadline};
use crate::server::{Server, count_outcome};
use crate::{drive, log, operator, stop, sys};

/// An accepted connection, counted as a client.
///
/// Dropping a client that was not served (for example because the system had no thread for it) refuses it with a 503.
/// So no model needs a branch for that.
#[derive(Debug)]
pub struct Client {
    /// The connection, until it is taken to serve the client.
    socket: Option<TcpStream>,
    server: &'static Server,
    /// The tally of the worker that accepted it.
    tally: &'static Tally,
    /// Its number, once it is served to an operator's chat; otherwise 0.
    number: u64,
}

impl Client {
    pub(crate) fn new(socket: TcpStream, server: &'static Server) -> Self {
        let tally = server.counters().tally();
        count(&tally.accepted);
        let client = Client {
            socket: Some(socket),
            server,
            tally,
            number: 0,
        };
        client.log("connected");
        client
    }

    /// Takes the connection; the caller then answers the client. Keep `self` for as long as the client counts as
    /// connected. Panics if it was taken before.
    pub(crate) fn serve(&mut self) -> TcpStream {
        let socket = self.socket.take().expect("each client is served once");
        let settings = self.server.settings();
        if settings.operator.is_some() && settings.conversation == Protocol::Chat {
            let served = &self.server.counters().served;
            self.number = served.fetch_add(1, Ordering::Relaxed) + 1;
            operator::joined(self.number, &socket);
        }
        socket
    }

    /// Its number in the operator's chat; 0 if there is none, or before it is served.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// A conversation with it, which has not begun.
    pub(crate) fn conversation(&self) -> AnyConversation<'static> {
        self.server.new_conversation(self.number)
    }

    /// The server that accepted it.
    pub(crate) fn server(&self) -> &'static Server {
        self.server
    }

    /// The tally that counts what happens to this client.
    pub(crate) fn tally(&self) -> &'static Tally {
        self.tally
    }

    /// Drops this process's copy of a client that another process serves, and counts.
    pub fn hand_over(mut self) {
        drop(self.socket.take());
        mem::forget(self);
    }

    /// Refuses a client after all, and gives back the connection that [`Client::serve`] took.
    pub(crate) fn refuse_served(mut self, socket: TcpStream) {
        self.socket = Some(socket);
    }

    /// Refuses a client with a 503, because no worker can take it.
    pub fn refuse(self) {}

    /// A client that another process of the server has accepted and counted, and that this one answers.
    pub(crate) fn handed_over(socket: TcpStream, server: &'static Server) -> Self {
        stop::watch(socket.as_raw_fd());
        Client {
            socket: Some(socket),
            server,
            tally: server.counters().tally(),
            number: 0,
        }
    }

    /// The connection, unless it was taken.
    pub(crate) fn socket(&self) -> Option<&TcpStream> {
        self.socket.as_ref()
    }

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
            let socket = client.serve();
            let mut conversation = client.conversation();
            let timeouts = &self.settings().timeouts;
            let outcome = drive::blocking::converse(&mut conversation, &socket, timeouts);
            let answers = conversation.answers();
            count_outcome(client.tally(), client.number(), &outcome, answers);
        }));
    }

    /// Holds the whole conversation with the client of that number, which connected at `began`, on the calling
    /// coroutine. `suspend` suspends that until what the conversation waits for has come.
    pub(crate) fn converse_suspended(
        &'static self,
        socket: &TcpStream,
        client: u64,
        tally: &Tally,
        began: Instant,
        budget: Budget,
        suspend: impl Fn(Wait) -> Budget,
    ) {
        let mut conversation = self.new_conversation(client);
        let timeouts = &self.settings().timeouts;
        let deadline = Deadline::new(&conversation, timeouts, began);
        let outcome = drive::coroutine::converse(
            &mut conversation,
            socket,
            timeouts,
            deadline,
            budget,
            suspend,
        );
        count_outcome(tally, client, &outcome, conversation.answers());
    }

    /// Holds the whole conversation with a client in the calling task.
    pub async fn converse_async(&'static self, mut client: Client) {
        let socket = client.serve();
        let mut conversation = client.conversation();
        let outcome =
            drive::asynchronous::converse(&mut conversation, socket, self.settings()).await;
        let answers = conversation.answers();
        count_outcome(client.tally(), client.number(), &outcome, answers);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(socket) = self.socket.take() {
            let is_http = self.server.settings().conversation == Protocol::Http;
            let answer = if is_http { http::UNAVAILABLE } else { b"" };
            sys::write_without_waiting(&socket, answer);
            count(&self.tally.refused);
        }
        if thread::panicking() {
            count(&self.tally.crashed);
        }
        if self.number > 0 {
            operator::left(self.number);
        }
        self.tally.closed.fetch_add(1, Ordering::Release);
        self.log("left");
    }
}
