//! A connection between a parent that accepts clients and one of its worker processes (`SCM_RIGHTS`, unix(7)).

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use crate::sys;

thread_local! {
    /// Whether this worker has asked for a client and has none yet.
    static HAS_ASKED: Cell<bool> = const { Cell::new(false) };
}

/// One worker's connection with its parent. Both processes have both ends, and each uses its own.
#[derive(Debug)]
pub(crate) struct Channel {
    of_parent: UnixStream,
    of_worker: UnixStream,
}

impl Channel {
    /// Make it before the server records which descriptors it has inherited: a stop must not shut it down.
    pub(crate) fn new() -> io::Result<Self> {
        let (of_parent, of_worker) = UnixStream::pair()?;
        of_parent.set_nonblocking(true)?;
        Ok(Channel {
            of_parent,
            of_worker,
        })
    }

    /// Asks the parent for a client and waits for it. Fails with `EINVAL` once the parent accepts no more, as accept(2)
    /// does on a closed listener, or with the error of recvmsg(2).
    pub(crate) fn receive(&self) -> io::Result<TcpStream> {
        if !HAS_ASKED.get() {
            (&self.of_worker).write_all(b"?")?;
            HAS_ASKED.set(true);
        }
        let (_, client) = sys::receive_with_descriptor(&self.of_worker, &mut [0])?;
        HAS_ASKED.set(false);
        let client = client.ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL));
        client.map(TcpStream::from)
    }

    /// Whether the worker has asked since the last call.
    pub(crate) fn was_asked(&self) -> bool {
        (&self.of_parent)
            .read(&mut [0; 8])
            .is_ok_and(|count| count > 0)
    }

    /// Takes back what a worker has left in it that has died: its question, or a client that it never saw.
    pub(crate) fn clear(&self) -> Option<TcpStream> {
        self.was_asked();
        self.of_worker.set_nonblocking(true).ok()?;
        let left = sys::receive_with_descriptor(&self.of_worker, &mut [0]);
        self.of_worker.set_nonblocking(false).ok()?;
        left.ok()?.1.map(TcpStream::from)
    }

    /// Becomes readable when the worker asks.
    pub(crate) fn question_signal(&self) -> BorrowedFd<'_> {
        self.of_parent.as_fd()
    }

    /// Passes a client to the worker. If that has just died, its exit tells; until then the channel keeps the client.
    pub(crate) fn pass(&self, client: &TcpStream) {
        let parent = self.of_parent.as_raw_fd();
        let _ = sys::send_with_descriptor(parent, b"!", Some(client.as_raw_fd()));
    }

    /// Tells the worker that no client will come.
    pub(crate) fn close(&self) {
        let _ = self.of_parent.shutdown(Shutdown::Write);
    }
}
