//! The clients of a server, one after another, for models that wait for them in a thread or in a Tokio task.

use std::fs::File;
use std::io;
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::thread;

use nix::sys::socket::SockFlag;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::accept_policy::{AcceptError, AcceptPolicy};
use crate::client::Client;
use crate::context::ErrorContext;
use crate::counters::count;
use crate::server::{RECHECK_INTERVAL, Server};
use crate::stop::{self, InterruptibleThread};
use crate::sys;

impl Server {
    /// The clients, one after another as they connect, until the server is told to stop. Fails with the error of
    /// writing the announcement.
    pub fn clients(&'static self) -> io::Result<Clients> {
        self.acceptor_is_ready()?;
        Ok(Clients {
            server: self,
            accept_policy: AcceptPolicy::new(),
            _interruptible_thread: InterruptibleThread::this_thread(),
        })
    }

    /// The same clients, waited for in poll(2) instead of accept(2). Fails with the error of making the listener
    /// non-blocking, or of writing the announcement.
    pub fn selected_clients(&'static self) -> io::Result<Clients> {
        self.listener().set_nonblocking(true)?;
        self.clients()
    }

    /// The clients, for models that wait in a Tokio runtime; call it inside one. Fails with the error of watching the
    /// listener, or of writing the announcement.
    pub fn async_clients(&'static self) -> io::Result<AsyncClients> {
        self.listener().set_nonblocking(true)?;
        let watch = |descriptor| {
            let watched = sys::register(descriptor, Interest::READABLE);
            watched.context(|| "cannot watch the listener".into())
        };
        let clients = AsyncClients {
            server: self,
            listener: watch(self.listener().as_fd())?,
            stop: watch(self.stop_signal())?,
            accept_policy: AcceptPolicy::new(),
        };
        self.acceptor_is_ready()?;
        Ok(clients)
    }

    /// Refuses the clients that are waiting. For a parent without workers: no other process accepts.
    pub(crate) fn refuse_waiting_clients(&'static self) {
        for listener in self.listeners() {
            while sys::has_waiting_client(listener.as_raw_fd()) {
                match sys::accept(listener, SockFlag::empty()) {
                    Ok(socket) => self.admit(socket).refuse(),
                    Err(_nobody_or_no_descriptor) => break,
                }
            }
        }
    }
}

/// Blocking iterator over a server's clients. After a stop it accepts the clients that are already in the accept queue,
/// and then ends.
#[derive(Debug)]
pub struct Clients {
    server: &'static Server,
    accept_policy: AcceptPolicy,
    _interruptible_thread: InterruptibleThread,
}

impl Clients {
    fn accept(&self) -> io::Result<TcpStream> {
        let lock = self.server.lock();
        lock.map_or(Ok(()), File::lock)?;
        let accepted = match self.server.channel() {
            Some(channel) => channel.receive(),
            None => sys::accept(self.server.listener(), SockFlag::empty()),
        };
        lock.map_or(Ok(()), File::unlock)?;
        count(&self.server.counters().tally().wakeups);
        accepted
    }
}

impl Iterator for Clients {
    type Item = Client;

    fn next(&mut self) -> Option<Self::Item> {
        while stop::may_accept() {
            if !self.server.has_room() {
                thread::sleep(RECHECK_INTERVAL);
                continue;
            }
            let accepted = self.accept();
            match self.accept_policy.judge(self.server, accepted) {
                Ok(client) => return Some(client),
                Err(AcceptError::Closed) => break,
                Err(AcceptError::Empty) if stop::is_asked() => break,
                Err(AcceptError::Empty) => {
                    if let Err(error) = self.server.wait_for_client() {
                        self.server.on_shortage("cannot wait for clients", &error);
                        thread::sleep(self.accept_policy.next_pause());
                    }
                }
                Err(AcceptError::Retry) => {}
                Err(AcceptError::Pause(pause)) => thread::sleep(pause),
            }
        }
        self.server.close_listener();
        None
    }
}

/// [`Clients`] for models that wait in a Tokio runtime. Their sockets do not block.
#[derive(Debug)]
pub struct AsyncClients {
    server: &'static Server,
    listener: AsyncFd<BorrowedFd<'static>>,
    stop: AsyncFd<BorrowedFd<'static>>,
    accept_policy: AcceptPolicy,
}

impl AsyncClients {
    /// The next client, `None` once the server is told to stop.
    pub async fn next(&mut self) -> Option<Client> {
        while stop::may_accept() {
            if !self.server.has_room() {
                tokio::time::sleep(RECHECK_INTERVAL).await;
                continue;
            }
            let accept =
                |_: &BorrowedFd| sys::accept(self.server.listener(), SockFlag::SOCK_NONBLOCK);
            let accepted = tokio::select! {
                biased;
                accepted = self.listener.async_io(Interest::READABLE, accept) => accepted,
                _ = self.stop.readable() => break,
            };
            count(&self.server.counters().tally().wakeups);
            match self.accept_policy.judge(self.server, accepted) {
                Ok(client) => return Some(client),
                Err(AcceptError::Closed) => break,
                Err(AcceptError::Retry | AcceptError::Empty) => {}
                Err(AcceptError::Pause(pause)) => tokio::time::sleep(pause).await,
            }
        }
        self.server.close_listener();
        None
    }
}
