//! What carries the bytes of a connection in the readiness engine: a socket, or a TLS session on one.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::sys::socket::{MsgFlags, recv, send};

use super::job::Job;

/// A connection that carries bytes, without waiting.
pub(super) trait ByteChannel: Sized {
    /// What the channels of a job have in common.
    type Settings;

    /// Whether the client has to read before it can write, and the connection is established only then.
    const HAS_HANDSHAKE: bool;

    /// Settings for the connections of `job`.
    ///
    /// # Errors
    /// `EPROTO` if the job is for another kind of channel.
    fn settings(job: &Job) -> nix::Result<Self::Settings>;

    /// A channel on a socket that connects.
    ///
    /// # Errors
    /// `EPROTO` if the settings cannot be used.
    fn new(socket: OwnedFd, settings: &Self::Settings) -> nix::Result<Self>;

    /// The socket.
    fn socket(&self) -> BorrowedFd<'_>;

    /// Sends some of `bytes`, and returns how many.
    ///
    /// # Errors
    /// `EAGAIN` if it has to wait; it is then called with the same bytes again.
    fn send(&mut self, bytes: &[u8]) -> nix::Result<usize>;

    /// Receives bytes, and returns how many; zero at the end.
    ///
    /// # Errors
    /// `EAGAIN` if there are none yet.
    fn receive(&mut self, buffer: &mut [u8]) -> nix::Result<usize>;
}

/// A socket alone.
pub(super) struct PlainChannel(OwnedFd);

impl ByteChannel for PlainChannel {
    type Settings = ();

    const HAS_HANDSHAKE: bool = false;

    fn settings(_job: &Job) -> nix::Result<()> {
        Ok(())
    }

    fn new(socket: OwnedFd, (): &()) -> nix::Result<Self> {
        Ok(Self(socket))
    }

    fn socket(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    fn send(&mut self, bytes: &[u8]) -> nix::Result<usize> {
        send(self.0.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL)
    }

    fn receive(&mut self, buffer: &mut [u8]) -> nix::Result<usize> {
        recv(self.0.as_raw_fd(), buffer, MsgFlags::empty())
    }
}
