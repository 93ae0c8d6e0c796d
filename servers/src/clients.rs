//! The clients of a server, one after another, for models that wait for them in a thread or in a Tokio task.

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
    /// The clients, one after another as they connect, until the server is told to stop.
    ///
    /// # Errors
    /// Returns the error of writing the announcement.
    pub fn clients(&'static self) -> io::Result<Clients> {
        Clients::of(self)
    }

    /// The same clients, waited for in poll(2) instead of accept(2).
    ///
    /// # Errors
    /// Returns the error of making the listener non-blocking, or of writing the announcement.
    pub fn selected_clients(&'static self) -> io::Result<Clients> {
        self.listener().set_nonblocking(true)?;
        Clients::of(self)
    }

    /// The clients, for models that wait in a Tokio runtime; call it inside one.
    ///
    /// # Errors
    /// Returns the error of watching the listener, or of writing the announcement.
    pub fn async_clients(&'static self) -> io::Result<AsyncClients> {
        AsyncClients::of(self)
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
    pub(crate) fn of(server: &'static Server) -> io::Result<Self> {
        server.acceptor_is_ready()?;
        Ok(Clients {
            server,
            accept_policy: AcceptPolicy::new(),
            _interruptible_thread: InterruptibleThread::this_thread(),
        })
    }

    fn accept(&self) -> io::Result<TcpStream> {
        let accepted = match self.server.lock() {
            None => sys::accept(self.server.listener(), SockFlag::empty()),
            Some(lock) => {
                lock.lock()?;
                let accepted = sys::accept(self.server.listener(), SockFlag::empty());
                lock.unlock()?;
                accepted
            }
        };
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
            match self.accept() {
                Ok(socket) => {
                    self.accept_policy.succeeded();
                    return Some(self.server.admit(socket));
                }
                Err(error) => match self.accept_policy.failed(&error) {
                    AcceptError::Closed => break,
                    AcceptError::Empty if stop::is_asked() => break,
                    AcceptError::Empty => {
                        if let Err(error) = self.server.wait_for_client() {
                            self.server.on_wait_shortage(&error);
                            thread::sleep(self.accept_policy.next_pause());
                        }
                    }
                    AcceptError::Retry => {}
                    AcceptError::Pause(pause) => {
                        self.server.on_accept_shortage(&error);
                        thread::sleep(pause);
                    }
                },
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
    pub(crate) fn of(server: &'static Server) -> io::Result<Self> {
        server.listener().set_nonblocking(true)?;
        let watch = |descriptor| {
            let watched = sys::register(descriptor, Interest::READABLE);
            watched.context(|| "cannot watch the listener".into())
        };
        let clients = AsyncClients {
            server,
            listener: watch(server.listener().as_fd())?,
            stop: watch(server.stop_signal())?,
            accept_policy: AcceptPolicy::new(),
        };
        server.acceptor_is_ready()?;
        Ok(clients)
    }

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
            match accepted {
                Ok(socket) => {
                    self.accept_policy.succeeded();
                    return Some(self.server.admit(socket));
                }
                Err(error) => match self.accept_policy.failed(&error) {
                    AcceptError::Closed => break,
                    AcceptError::Retry | AcceptError::Empty => {}
                    AcceptError::Pause(pause) => {
                        self.server.on_accept_shortage(&error);
                        tokio::time::sleep(pause).await;
                    }
                },
            }
        }
        self.server.close_listener();
        None
    }
}
