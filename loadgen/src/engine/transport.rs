//! The seam between what a worker decides and the system calls that do it: one implementation per engine.

use std::net::Ipv4Addr;

use nix::errno::Errno;

use super::job::Job;

/// Connections, by slot: opened, written on, read from and closed as the worker says.
///
/// A transport says what happened in the order in which it saw it, and never anything of a connection that was closed.
pub(super) trait Transport: Sized {
    /// What it needs of the system.
    const NEEDS: &'static str;

    /// The system call that it waits by.
    const WAITS_BY: &'static str;

    /// Prepares everything that can fail before the start, on the thread that will use it.
    ///
    /// # Errors
    /// Whatever the system calls report.
    fn new(job: &Job) -> nix::Result<Self>;

    /// Opens a connection for `slot`, from `source` or from where the kernel likes, and writes `request` on it.
    fn open(&mut self, slot: u32, source: Option<Ipv4Addr>, request: Request);

    /// Writes `request` on the open connection of `slot`.
    fn write(&mut self, slot: u32, request: Request);

    /// Closes the connection of `slot`, which must be open, and forgets what was under way on it.
    fn close(&mut self, slot: u32);

    /// Waits at most `timeout_ns` for something to happen.
    ///
    /// # Errors
    /// Whatever the system call reports, but for signals.
    fn wait(&mut self, timeout_ns: u64) -> nix::Result<()>;

    /// What happened next; `None` when nothing more is known without waiting.
    fn next(&mut self) -> Option<Event>;

    /// The instant up to which everything that happened has been told, as of the last [`Transport::next`].
    ///
    /// An answer that came in time may be told late; before this instant there is none of those left.
    fn told_until(&self) -> u64;

    /// The bytes of the last [`Happened::Received`], until the next call of anything else.
    fn received(&self) -> &[u8];
}

/// Which of a job's requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// One that more will follow on its connection.
    More,
    /// The last one on its connection.
    Last,
}

/// Something that happened to the open connection of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) slot: u32,
    /// When it was known, in monotonic nanoseconds: the clock was read after the fact.
    pub(super) at: u64,
    pub(super) what: Happened,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Happened {
    /// The connection is established.
    Connected,
    /// The whole request was taken by the kernel.
    Written,
    /// Bytes came; `hangup` says that the other side is known to have closed after them.
    Received { hangup: bool },
    /// No more bytes will come.
    Ended,
    /// The connection failed, or could not be made.
    Failed(Errno),
}
