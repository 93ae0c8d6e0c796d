//! Interface between the decisions of a worker and the system calls that carry them out: one implementation per engine.

use std::net::Ipv4Addr;

use nix::errno::Errno;

use super::job::Job;
use crate::sys;

/// Opens, writes, reads and closes connections as the worker decides; a slot names each connection.
///
/// A transport reports events in the order in which it saw them, and reports nothing about a closed connection.
pub(super) trait Transport: Sized {
    /// The system interface that it needs.
    const NEEDS: &'static str;

    /// The system call that waits for events.
    const WAITS_BY: &'static str;

    /// Prepares everything that can fail before the start, on the thread that will use it.
    ///
    /// # Errors
    /// The error of the system call that failed.
    fn new(job: &Job) -> nix::Result<Self>;

    /// Opens a connection for `slot` and writes `request` on it. The kernel chooses the source address if `source` is
    /// `None`.
    fn open(&mut self, slot: u32, source: Option<Ipv4Addr>, request: TransportRequest);

    /// Writes `request` on the open connection of `slot`.
    fn write(&mut self, slot: u32, request: TransportRequest);

    /// Closes the connection of `slot`, which must be open, and discards what is under way on it.
    fn close(&mut self, slot: u32);

    /// Waits at most `timeout_ns` for something to happen.
    ///
    /// # Errors
    /// The error of the system call; an interruption by a signal is no error.
    fn wait(&mut self, timeout_ns: u64) -> nix::Result<()>;

    /// The next event; `None` if there is none without waiting.
    fn next(&mut self) -> Option<TransportEvent>;

    /// The instant up to which all events have been reported, as of the last [`Transport::next`].
    ///
    /// Answers that arrived before this instant have been reported; later ones may still be unreported.
    fn reported_until(&self) -> u64;

    /// The bytes of the last [`TransportEventKind::Received`], valid until the next call of another method.
    fn received(&self) -> &[u8];
}

/// Which of the requests of a job: its index in `Job::requests`, where each URL has two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TransportRequest(u32);

impl TransportRequest {
    /// The request for URL number `url`, followed by others on its connection or the last one.
    pub(super) fn new(url: u32, is_last: bool) -> Self {
        Self(2 * url + u32::from(is_last))
    }

    /// Its index in `Job::requests`.
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// An event on the open connection of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TransportEvent {
    pub(super) slot: u32,
    /// When the transport learned of it, in monotonic nanoseconds: the clock is read after the event.
    pub(super) at: u64,
    pub(super) what: TransportEventKind,
}

impl TransportEvent {
    /// An event that has just been seen.
    pub(super) fn now(slot: u32, what: TransportEventKind) -> Self {
        let at = sys::now_ns();
        Self { slot, at, what }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TransportEventKind {
    /// The connection is established.
    Connected,
    /// The kernel has taken the whole request.
    Written,
    /// Bytes arrived; `hangup` means that the other side is known to have closed after them.
    Received { hangup: bool },
    /// No more bytes will come.
    Ended,
    /// The connection failed, or could not be established.
    Failed(Errno),
}
