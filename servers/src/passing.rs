//! How a parent passes the clients that it accepts to its worker processes (`SCM_RIGHTS`, unix(7)).
//!
//! A worker asks for a client with one byte. The parent accepts only while a worker has asked, so that clients wait in
//! the accept queue, as with the other ways to share them (Stevens, *UNIX Network Programming*, volume 1, §30.9).

use std::io;
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd};
use std::thread;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::SigSet;
use nix::sys::socket::SockFlag;

use crate::accept_policy::{AcceptError, AcceptPolicy};
use crate::server::{RECHECK_INTERVAL, Server};
use crate::{stop, sys};

/// The parent's side: accepts clients, and passes each to a worker that has asked.
#[derive(Debug)]
pub(crate) struct Passer {
    server: &'static Server,
    accept_policy: AcceptPolicy,
    has_asked: Vec<bool>,
    /// Clients that a dead worker left.
    left: Vec<TcpStream>,
}

impl Passer {
    /// For the server's workers; `None` if they accept themselves. Fails with the error of making the listener
    /// non-blocking.
    pub(crate) fn new(server: &'static Server) -> io::Result<Option<Self>> {
        let channels = server.channels();
        if channels.is_empty() {
            return Ok(None);
        }
        server.listener().set_nonblocking(true)?;
        Ok(Some(Passer {
            server,
            accept_policy: AcceptPolicy::new(),
            has_asked: vec![false; channels.len()],
            left: Vec::new(),
        }))
    }

    /// Waits, with that signal mask, for a signal, a worker that asks, or a client for one that has asked, and passes
    /// what clients it can. Fails with the error of ppoll(2).
    pub(crate) fn take_turn(&mut self, mask: SigSet) -> io::Result<()> {
        let watch = |descriptor| PollFd::new(descriptor, PollFlags::POLLIN);
        let server = self.server;
        let channels = server.channels().iter();
        let mut watched: Vec<PollFd<'_>> =
            channels.map(|one| watch(one.question_signal())).collect();
        let may_accept = self.has_asked.contains(&true);
        if may_accept {
            watched.push(watch(server.listener().as_fd()));
        }
        match ppoll(&mut watched, None, Some(mask)) {
            Ok(_) => {}
            Err(Errno::EINTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        self.read_questions();
        if may_accept || !self.left.is_empty() {
            self.pass_waiting();
        }
        Ok(())
    }

    /// After a stop: passes the clients that are already in the accept queue, and then closes the channels, so that the
    /// workers end.
    pub(crate) fn finish(&mut self) {
        while stop::is_asked()
            && stop::may_accept()
            && sys::has_waiting_client(self.server.listener().as_raw_fd())
        {
            self.read_questions();
            self.pass_waiting();
            thread::sleep(RECHECK_INTERVAL);
        }
        for channel in self.server.channels() {
            channel.close();
        }
    }

    /// Forgets what a dead worker has asked, and keeps the client that it left.
    pub(crate) fn on_worker_exit(&mut self, worker: usize) {
        self.has_asked[worker] = false;
        self.left.extend(self.server.channels()[worker].clear());
    }

    fn read_questions(&mut self) {
        let channels = self.server.channels().iter();
        for (has_asked, channel) in self.has_asked.iter_mut().zip(channels) {
            *has_asked |= channel.was_asked();
        }
    }

    fn pass_waiting(&mut self) {
        while let Some(worker) = self.has_asked.iter().position(|has_asked| *has_asked) {
            let accepted = match self.left.pop() {
                Some(client) => Ok(client),
                None => sys::accept(self.server.listener(), SockFlag::empty()),
            };
            match accepted {
                Ok(client) => {
                    self.accept_policy.succeeded();
                    self.has_asked[worker] = false;
                    self.server.channels()[worker].pass(&client);
                }
                Err(error) => match self.accept_policy.failed(&error) {
                    AcceptError::Retry => {}
                    AcceptError::Empty | AcceptError::Closed => return,
                    AcceptError::Pause(pause) => {
                        self.server.on_shortage("cannot accept", &error);
                        thread::sleep(pause);
                        return;
                    }
                },
            }
        }
    }
}
