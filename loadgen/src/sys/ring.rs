//! io_uring(7), safely: the ring owns all memory that the kernel reads or writes while an operation is under way.
//!
//! Sockets are *direct descriptors*: they live in a table of the ring and never get a file descriptor number in the
//! process, which saves bookkeeping. A connection and its first request are one chain of operations; the kernel begins
//! each one when the one before it has succeeded.

mod buffers;

use std::io;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use io_uring::types::{CancelBuilder, DestinationSlot, Fixed, SubmitArgs, Timespec};
use io_uring::{EnterFlags, IoUring, Probe, cqueue, opcode, squeue};
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockaddrIn, SockaddrLike};

use self::buffers::{BUFFER_BYTES, Buffers, GROUP};
use super::{IP_LOCAL_PORT_RANGE, RESET};

/// Most operations submitted in one call.
const ENTRIES: u32 = 1024;
/// Completions the kernel keeps without having to allocate.
const COMPLETIONS: u32 = 8 * ENTRIES;
/// Longest chain: three options, an address, socket, connect, send, receive.
const CHAIN_MAX: usize = 8;
/// Longest wait for the cancellation of operations; it takes microseconds.
const CANCEL_TIMEOUT: Timespec = Timespec::new().sec(1);

/// Kind of an operation, in the low bits of its number.
const KIND_BITS: u32 = 3;
const OPEN: u64 = 0;
const CONNECT: u64 = 1;
const SEND: u64 = 2;
const RECEIVE: u64 = 3;
const OTHER: u64 = 4;
/// Operations that may wait, in the order of a chain: the end of one also ends those after it.
const KINDS_UNDER_WAY: [u64; 3] = [CONNECT, SEND, RECEIVE];

/// What the kernel needs to know of a connection besides its target.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ConnectionChain {
    /// Where to connect from; `None` leaves it to the kernel.
    pub(crate) source: Option<Ipv4Addr>,
    /// Which request to send.
    pub(crate) request: usize,
    /// Whether to keep receiving until the operation is cancelled.
    pub(crate) multishot: bool,
}

/// One ring with its buffers, for one target.
pub(crate) struct ClientRing {
    ring: IoUring,
    buffers: Buffers,
    constants: Rc<Constants>,
    /// Source addresses, by slot.
    sources: Vec<SockaddrIn>,
    family: i32,
    reset: bool,
    ports: bool,
    /// The first error of a submission since the last wait.
    broken: Option<io::Error>,
}

/// Memory that operations point to and that never changes.
struct Constants {
    target: Box<dyn SockaddrLike>,
    requests: Arc<[Arc<[u8]>]>,
    one: libc::c_int,
    reset: libc::linger,
    ports: u32,
}

/// A completed operation of a connection.
#[derive(Debug)]
pub(crate) struct RingCompletion {
    /// The number that the connection's operations carry.
    pub(crate) number: u64,
    pub(crate) outcome: CompletionResult,
}

#[derive(Debug)]
pub(crate) enum CompletionResult {
    Connected,
    Sent,
    /// Bytes arrived, or the end; `goes_on` tells whether it keeps receiving.
    ReceivedBytes {
        received: ReceivedBytes,
        goes_on: bool,
    },
    /// Receiving ended without a result: no buffer was free, or it was cancelled.
    Paused,
    /// The operation failed; `receiving` tells whether it was a receive.
    Failed {
        errno: Errno,
        receiving: bool,
    },
}

/// Bytes in one of the ring's buffers, to be given back; no buffer at the end of the stream.
#[derive(Debug)]
pub(crate) struct ReceivedBytes {
    buffer: Option<u16>,
    /// Zero at the end of the stream.
    pub(crate) length: usize,
    /// Whether the socket is known to hold more: bytes, or the end of the stream.
    pub(crate) followed: bool,
}

/// Why io_uring cannot be used here; `None` when it can.
pub(crate) fn unavailable() -> Option<String> {
    let target = SockaddrIn::new(127, 0, 0, 1, 1);
    let error = ClientRing::new(1, Box::new(target), Default::default(), false, None).err()?;
    Some(match error.raw_os_error() {
        Some(libc::ENOSYS | libc::EPERM | libc::EACCES) => {
            format!("io_uring is absent or forbidden ({error})")
        }
        Some(libc::EINVAL | libc::EOPNOTSUPP) => "its operations need Linux 6.11".to_owned(),
        _ => error.to_string(),
    })
}

impl ClientRing {
    /// A ring for `connections` connections to `target`, on which `requests` can be sent.
    ///
    /// # Errors
    /// The kernel's error: `ENOSYS` or `EPERM` if io_uring is absent or forbidden, `EINVAL` or `EOPNOTSUPP` if it is
    /// too old (before Linux 6.11).
    pub(crate) fn new(
        connections: u32,
        target: Box<dyn SockaddrLike>,
        requests: Arc<[Arc<[u8]>]>,
        reset: bool,
        ports: Option<(u16, u16)>,
    ) -> io::Result<Self> {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_cqsize(COMPLETIONS)
            .build(ENTRIES)?;
        let mut probe = Probe::new();
        ring.submitter().register_probe(&mut probe)?;
        // The newest of the operations used.
        if !probe.is_supported(opcode::Bind::CODE) {
            return Err(Errno::EOPNOTSUPP.into());
        }
        ring.submitter().register_files_sparse(connections.max(1))?;
        let family = target.family().unwrap_or(AddressFamily::Unspec);
        Ok(Self {
            buffers: Buffers::register(&ring)?,
            ring,
            constants: Rc::new(Constants {
                target,
                requests,
                one: 1,
                reset: RESET,
                ports: ports.map_or(0, |(first, last)| u32::from(last) << 16 | u32::from(first)),
            }),
            sources: vec![SockaddrIn::new(0, 0, 0, 0, 0); connections.max(1) as usize],
            family: family as i32,
            reset,
            ports: ports.is_some(),
            broken: None,
        })
    }

    /// Opens a connection in `slot`, whose previous connection must be closed, sends a request and receives. The
    /// completions carry `number`.
    pub(crate) fn open(&mut self, slot: u32, number: u64, chain: ConnectionChain) {
        self.make_room(CHAIN_MAX);
        let fd = Fixed(slot);
        let kind = libc::SOCK_STREAM | libc::SOCK_NONBLOCK;
        let place = DestinationSlot::try_from_slot_target(slot)
            .unwrap_or_else(|_| unreachable!("slots are far fewer than 2^32 - 2"));
        let socket = opcode::Socket::new(self.family, kind, 0).file_index(Some(place));
        self.link(socket.build(), number, OPEN, true);
        if self.reset {
            let reset = &raw const self.constants.reset;
            self.set(fd, number, libc::SOL_SOCKET, libc::SO_LINGER, reset);
        }
        if self.ports {
            let ports = &raw const self.constants.ports;
            self.set(fd, number, libc::IPPROTO_IP, IP_LOCAL_PORT_RANGE, ports);
        }
        if let Some(source) = chain.source {
            // Without this, bind(2) would choose a port at once, and only one that is free for all targets.
            let option = libc::IP_BIND_ADDRESS_NO_PORT;
            let one = &raw const self.constants.one;
            self.set(fd, number, libc::IPPROTO_IP, option, one);
            let [a, b, c, d] = source.octets();
            let address = &mut self.sources[slot as usize];
            *address = SockaddrIn::new(a, b, c, d, 0);
            let bind = opcode::Bind::new(fd, address.as_ptr(), address.len());
            self.link(bind.build(), number, OPEN, true);
        }
        let target = &self.constants.target;
        let connect = opcode::Connect::new(fd, target.as_ptr(), target.len());
        self.link(connect.build(), number, CONNECT, false);
        let send = self.send_entry(fd, chain.request);
        self.link(send, number, SEND, false);
        self.push_receive(fd, number, chain.multishot);
    }

    /// Sends a request on the connection in `slot`.
    pub(crate) fn send(&mut self, slot: u32, number: u64, request: usize) {
        self.make_room(1);
        let entry = self.send_entry(Fixed(slot), request);
        self.push(&entry.user_data(number << KIND_BITS | SEND));
    }

    /// Receives from the connection in `slot`: once, or until cancelled if `multishot`.
    pub(crate) fn receive(&mut self, slot: u32, number: u64, multishot: bool) {
        self.make_room(1);
        self.push_receive(Fixed(slot), number, multishot);
    }

    /// Closes the connection in `slot`, and cancels its operations, which carry the number `under_way`.
    ///
    /// Each operation is cancelled by its number: to find those of a descriptor, the kernel searches all operations of
    /// the ring. With thousands of them, this takes longer than a whole exchange.
    pub(crate) fn close(&mut self, slot: u32, under_way: Option<u64>) {
        self.make_room(KINDS_UNDER_WAY.len() + 1);
        let quietly = squeue::Flags::SKIP_SUCCESS;
        for kind in KINDS_UNDER_WAY
            .iter()
            .filter_map(|kind| Some(under_way? << KIND_BITS | kind))
        {
            let cancel = opcode::AsyncCancel::new(kind).build();
            self.push(&cancel.flags(quietly).user_data(OTHER));
        }
        let close = opcode::Close::new(Fixed(slot)).build();
        self.push(&close.flags(quietly).user_data(OTHER));
    }

    /// Submits the queued operations; the next wait reports an error.
    pub(crate) fn submit(&mut self) {
        if let Err(error) = ignore_expected(self.ring.submit()) {
            self.broken.get_or_insert(error);
        }
    }

    /// Submits the queued operations, and waits for a completion or for the timeout; with `None`, it only runs pending
    /// work of the kernel.
    ///
    /// # Errors
    /// The error of io_uring_enter(2), of this call or an earlier one, except for signals.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        if let Some(timeout) = timeout {
            let timespec = Timespec::from(timeout);
            let arguments = SubmitArgs::new().timespec(&timespec);
            return ignore_expected(self.ring.submitter().submit_with_args(1, &arguments));
        }
        let count = u32::try_from(self.ring.submission().len()).unwrap_or(u32::MAX);
        let flags = EnterFlags::GETEVENTS.bits();
        let submitter = self.ring.submitter();
        // SAFETY: no argument is passed; entries in the queue point to memory of the ring's (see `push`).
        let entered = unsafe { submitter.enter::<libc::sigset_t>(count, 0, flags, None) };
        ignore_expected(entered)
    }

    pub(crate) fn completions(&mut self) -> impl Iterator<Item = RingCompletion> {
        self.ring
            .completion()
            .filter_map(|entry| completion(&entry))
    }

    pub(crate) fn bytes(&self, received: &ReceivedBytes) -> &[u8] {
        let buffer = received.buffer;
        buffer.map_or(&[], |buffer| self.buffers.bytes(buffer, received.length))
    }

    /// Gives the buffer back to the kernel.
    #[allow(clippy::needless_pass_by_value, reason = "what is given back is gone")]
    pub(crate) fn give_back(&mut self, received: ReceivedBytes) {
        if let Some(buffer) = received.buffer {
            self.buffers.offer(buffer);
        }
    }

    fn send_entry(&self, fd: Fixed, request: usize) -> squeue::Entry {
        let bytes = &self.constants.requests[request];
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        // All of it or an error: a request sent in part would leave the chain waiting.
        let flags = libc::MSG_NOSIGNAL | libc::MSG_WAITALL;
        opcode::Send::new(fd, bytes.as_ptr(), length)
            .flags(flags)
            .build()
    }

    fn set<T>(&mut self, fd: Fixed, number: u64, level: i32, name: i32, value: *const T) {
        let (level, name) = (level.cast_unsigned(), name.cast_unsigned());
        let size = u32::try_from(size_of::<T>()).unwrap_or(u32::MAX);
        let set = opcode::SetSockOpt::new(fd, level, name, value.cast(), size);
        self.link(set.build(), number, OPEN, true);
    }

    /// Pushes an operation that the next one waits for. A `quiet` operation reports a completion only if it fails.
    fn link(&mut self, entry: squeue::Entry, number: u64, kind: u64, quiet: bool) {
        let mut flags = squeue::Flags::IO_LINK;
        if quiet {
            flags |= squeue::Flags::SKIP_SUCCESS;
        }
        self.push(&entry.flags(flags).user_data(number << KIND_BITS | kind));
    }

    fn push_receive(&mut self, fd: Fixed, number: u64, multishot: bool) {
        let entry = if multishot {
            opcode::RecvMulti::new(fd, GROUP).build()
        } else {
            let most = u32::try_from(BUFFER_BYTES).unwrap_or(u32::MAX);
            opcode::Recv::new(fd, std::ptr::null_mut(), most)
                .buf_group(GROUP)
                .build()
                .flags(squeue::Flags::BUFFER_SELECT)
        };
        self.push(&entry.user_data(number << KIND_BITS | RECEIVE));
    }

    /// Submits the queue unless `entries` more fit: a chain must be submitted in one piece.
    fn make_room(&mut self, entries: usize) {
        let queue = self.ring.submission();
        let free = queue.capacity() - queue.len();
        drop(queue);
        if free < entries {
            self.submit();
        }
    }

    fn push(&mut self, entry: &squeue::Entry) {
        // SAFETY: the memory that an entry points to is in `constants` or in a buffer, which neither move nor are freed
        // before the operation is done (see `Drop`). Or it is an entry of `sources`, which the kernel copies when it
        // takes the operation and whose list never grows. Direct descriptors belong to the ring.
        let pushed = unsafe { self.ring.submission().push(entry) };
        debug_assert!(pushed.is_ok(), "room was made");
    }
}

impl Drop for ClientRing {
    fn drop(&mut self) {
        // Operations may outlive the ring's descriptor. Only this thread runs their work, so once they are cancelled,
        // none accesses memory any more.
        let everything = CancelBuilder::any();
        let submitter = self.ring.submitter();
        let cancelled = submitter.register_sync_cancel(Some(CANCEL_TIMEOUT), everything);
        if cancelled.is_err_and(|error| error.raw_os_error() != Some(libc::ENOENT)) {
            // Leak the memory: the kernel may still write to it.
            self.buffers.give_up();
            std::mem::forget(Rc::clone(&self.constants));
            std::mem::take(&mut self.sources).leak();
        }
    }
}

/// An interruption by a signal, a timeout, and completions that must be collected first are no errors.
fn ignore_expected(entered: io::Result<usize>) -> io::Result<()> {
    const EXPECTED: [i32; 4] = [libc::EINTR, libc::ETIME, libc::EBUSY, libc::EAGAIN];
    let is_expected = |number: i32| EXPECTED.contains(&number);
    match entered {
        Err(error) if !error.raw_os_error().is_some_and(is_expected) => Err(error),
        _ => Ok(()),
    }
}

/// Reads a completion; `None` if it carries no information.
fn completion(entry: &cqueue::Entry) -> Option<RingCompletion> {
    let kind = entry.user_data() & ((1 << KIND_BITS) - 1);
    let receiving = kind == RECEIVE;
    let outcome = match (usize::try_from(entry.result()), kind) {
        (_, OTHER) => return None,
        (Ok(_), CONNECT) => CompletionResult::Connected,
        (Ok(_), SEND) => CompletionResult::Sent,
        (Ok(length), RECEIVE) => CompletionResult::ReceivedBytes {
            received: ReceivedBytes {
                buffer: cqueue::buffer_select(entry.flags()),
                length,
                followed: cqueue::sock_nonempty(entry.flags()),
            },
            goes_on: cqueue::more(entry.flags()),
        },
        (Ok(_), _) => return None,
        (Err(_negative), _) => match Errno::from_raw(-entry.result()) {
            Errno::ENOBUFS | Errno::ECANCELED if receiving => CompletionResult::Paused,
            // The operation before it in the chain has failed and reported that.
            Errno::ECANCELED => return None,
            errno => CompletionResult::Failed { errno, receiving },
        },
    };
    Some(RingCompletion {
        number: entry.user_data() >> KIND_BITS,
        outcome,
    })
}
