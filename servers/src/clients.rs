//! The clients of a server, one after another, for models that wait for them in a thread or in a Tokio task.

use std::io;
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::thread;

use nix::sys::socket::SockFlag;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::accepting::{Accepting, Verdict};
use crate::client::Client;
use crate::context::Context;
use crate::counters::count;
use crate::server::{LOOK_AGAIN, Server};
use crate::stop::{self, Interruptible};
use crate::sys;

/// Blocking iterator over a server's clients. It ends once the server is told to stop and whoever was already waiting
/// in the accept queue has been let in.
#[derive(Debug)]
pub struct Clients {
    server: &'static Server,
    accepting: Accepting,
    _interruptible: Interruptible,
}

impl Clients {
    pub(crate) fn of(server: &'static Server) -> io::Result<Self> {
        server.acceptor_is_ready()?;
        Ok(Clients {
            server,
            accepting: Accepting::new(),
            _interruptible: Interruptible::this_thread(),
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
        while stop::lets_in() {
            if !self.server.has_room() {
                thread::sleep(LOOK_AGAIN);
                continue;
            }
            match self.accept() {
                Ok(socket) => {
                    self.accepting.succeeded();
                    return Some(self.server.admit(socket));
                }
                Err(error) => match self.accepting.failed(&error) {
                    Verdict::Closed => break,
                    Verdict::Empty if stop::is_asked() => break,
                    Verdict::Empty => {
                        if let Err(error) = self.server.wait_for_client() {
                            self.server.note_refused_wait(&error);
                            thread::sleep(self.accepting.next_pause());
                        }
                    }
                    Verdict::Retry => {}
                    Verdict::Pause(pause) => {
                        self.server.note_shortage(&error);
                        thread::sleep(pause);
                    }
                },
            }
        }
        self.server.close_door();
        None
    }
}

/// [`Clients`] for models that wait in a Tokio runtime. Their sockets do not block.
#[derive(Debug)]
pub struct AsyncClients {
    server: &'static Server,
    listener: AsyncFd<BorrowedFd<'static>>,
    stop: AsyncFd<BorrowedFd<'static>>,
    accepting: Accepting,
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
            accepting: Accepting::new(),
        };
        server.acceptor_is_ready()?;
        Ok(clients)
    }

    /// The next client, `None` once the server is told to stop.
    pub async fn next(&mut self) -> Option<Client> {
        while stop::lets_in() {
            if !self.server.has_room() {
                tokio::time::sleep(LOOK_AGAIN).await;
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
                    self.accepting.succeeded();
                    return Some(self.server.admit(socket));
                }
                Err(error) => match self.accepting.failed(&error) {
                    Verdict::Closed => break,
                    Verdict::Retry | Verdict::Empty => {}
                    Verdict::Pause(pause) => {
                        self.server.note_shortage(&error);
                        tokio::time::sleep(pause).await;
                    }
                },
            }
        }
        self.server.close_door();
        None
    }
}
