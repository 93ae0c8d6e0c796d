//! io_uring(7), safely: the ring owns all memory that the kernel reads or writes while an operation is under way.

use std::collections::VecDeque;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use io_uring::types::{BufRingEntry, Fd, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};
use nix::sys::mman::MapFlags;

use super::map;

/// Operations that one call can submit; the kernel keeps twice as many completions.
const ENTRIES: u32 = 1024;
/// Buffers the kernel may choose from, a power of two: so many clients may send something in one turn.
const BUFFERS: u16 = 1024;
/// Bytes of each buffer: a common request fits.
const BUFFER_BYTES: usize = 1024;
/// The buffer group; there is only one.
const GROUP: u16 = 0;
/// Most bytes sent by one operation; they are copied, because the ring must own them.
const SEND_BYTES_MAX: usize = 16 * 1024;

/// Kinds of operations, in the low bits of their user data.
const ACCEPT: u64 = 0;
const STOP: u64 = 1;
const RECEIVE: u64 = 2;
const SEND: u64 = 3;
const CANCEL: u64 = 4;
const KINDS: u64 = 8;

/// One ring with its buffers.
pub(crate) struct Ring {
    ring: IoUring,
    buffers: Buffers,
    /// Operations that the submission queue has no room for yet.
    queued: VecDeque<squeue::Entry>,
    /// Bytes being sent, by the slot of their client.
    outgoing: Vec<Vec<u8>>,
}

/// An operation that the kernel has done.
#[derive(Debug)]
pub(crate) enum Completion {
    /// A client was accepted, or accepting failed.
    Accepted {
        number: u32,
        outcome: io::Result<TcpStream>,
    },
    /// The descriptor of [`Ring::watch_stop`] is readable.
    Stop,
    /// A receive of a slot is done: bytes, the end of the stream, or an error.
    Received {
        slot: usize,
        outcome: io::Result<Received>,
    },
    /// A send of a slot is done.
    Sent {
        slot: usize,
        outcome: io::Result<usize>,
    },
}

/// Bytes in one of the ring's buffers, to be given back.
#[derive(Debug)]
pub(crate) struct Received {
    buffer: Option<u16>,
    length: usize,
}

impl Ring {
    /// A ring for one thread, with its buffers. Fails with the error of the kernel: `ENOSYS` or `EPERM` if io_uring is
    /// absent or forbidden, `EINVAL` if it is too old.
    pub(crate) fn new() -> io::Result<Self> {
        let with_deferred_work = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .build(ENTRIES);
        let ring = match with_deferred_work {
            // Before Linux 6.1.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => IoUring::new(ENTRIES)?,
            ring => ring?,
        };
        Ok(Ring {
            buffers: Buffers::register(&ring)?,
            ring,
            queued: VecDeque::new(),
            outgoing: Vec::new(),
        })
    }

    /// Most accepts of a ring that are under way. A multishot accept would need one entry for all clients, but it goes on
    /// beyond the cap on clients until the process has no descriptor left, for this ring or another.
    pub(crate) const ACCEPTS: u32 = 1;

    /// Accepts one client. No other accept with that number may be under way.
    pub(crate) fn accept(&mut self, number: u32, listener: &TcpListener) {
        let listener = Fd(listener.as_raw_fd());
        let accept = opcode::Accept::new(listener, ptr::null_mut(), ptr::null_mut());
        let accept = accept.flags(libc::SOCK_CLOEXEC).build();
        self.push(accept.user_data(ACCEPT + KINDS * u64::from(number)));
    }

    /// Cancels an accept, which still completes: with a client, or with `ECANCELED`.
    pub(crate) fn cancel_accept(&mut self, number: u32) {
        let cancel = opcode::AsyncCancel::new(ACCEPT + KINDS * u64::from(number));
        self.push(cancel.build().user_data(CANCEL));
    }

    /// Completes once, with [`Completion::Stop`], when that descriptor is readable.
    pub(crate) fn watch_stop(&mut self, stop: BorrowedFd) {
        let readable = u32::from(libc::POLLIN.unsigned_abs());
        let poll = opcode::PollAdd::new(Fd(stop.as_raw_fd()), readable);
        self.push(poll.build().user_data(STOP));
    }

    /// Receives at most `most` bytes for that slot, into a buffer that the kernel chooses.
    pub(crate) fn receive(&mut self, slot: usize, socket: &TcpStream, most: usize) {
        let most = u32::try_from(most.min(BUFFER_BYTES)).unwrap_or(u32::MAX);
        let receive = opcode::Recv::new(Fd(socket.as_raw_fd()), ptr::null_mut(), most)
            .buf_group(GROUP)
            .build()
            .flags(squeue::Flags::BUFFER_SELECT);
        self.push(receive.user_data(RECEIVE + KINDS * slot as u64));
    }

    /// Sends a copy of the first bytes of `bytes` for that slot, which must have no other operation under way.
    pub(crate) fn send(&mut self, slot: usize, socket: &TcpStream, bytes: &[u8]) {
        if slot >= self.outgoing.len() {
            self.outgoing.resize_with(slot + 1, Vec::new);
        }
        let outgoing = &mut self.outgoing[slot];
        outgoing.clear();
        outgoing.extend_from_slice(&bytes[..bytes.len().min(SEND_BYTES_MAX)]);
        let length = u32::try_from(outgoing.len()).unwrap_or(u32::MAX);
        let send = opcode::Send::new(Fd(socket.as_raw_fd()), outgoing.as_ptr(), length)
            .flags(libc::MSG_NOSIGNAL);
        self.push(send.build().user_data(SEND + KINDS * slot as u64));
    }

    /// Submits the operations, waits until one is done or the time is up, and adds the completions to `completions`.
    /// Operations that could not be submitted stay queued for the next call. Fails with the error of io_uring_enter(2),
    /// unless an operation was done meanwhile; `Interrupted` after a signal.
    pub(crate) fn wait(
        &mut self,
        timeout: Option<Duration>,
        completions: &mut Vec<Completion>,
    ) -> io::Result<()> {
        let timespec;
        let mut arguments = SubmitArgs::new();
        if let Some(timeout) = timeout {
            timespec = Timespec::from(timeout);
            arguments = arguments.timespec(&timespec);
        }
        let mut submitted = self.make_room();
        if submitted.is_ok() {
            let waited = self.ring.submitter().submit_with_args(1, &arguments);
            submitted = waited.map(drop);
        }
        let done = self.ring.completion();
        completions.extend(done.filter_map(|entry| completion(&entry)));
        match submitted {
            // ETIME: the time is up. EBUSY: completions had to be taken first.
            Err(error) if matches!(error.raw_os_error(), Some(libc::ETIME | libc::EBUSY)) => Ok(()),
            Err(_comes_again_if_it_stays) if !completions.is_empty() => Ok(()),
            submitted => submitted,
        }
    }

    /// The received bytes.
    pub(crate) fn bytes(&self, received: &Received) -> &[u8] {
        match received.buffer {
            None => &[],
            Some(buffer) => self.buffers.bytes(buffer, received.length),
        }
    }

    /// The kernel may use that buffer again.
    pub(crate) fn give_back(&mut self, received: &Received) {
        if let Some(buffer) = received.buffer {
            self.buffers.offer(buffer);
        }
    }

    fn push(&mut self, entry: squeue::Entry) {
        if !self.queued.is_empty() || !self.try_push(&entry) {
            self.queued.push_back(entry);
        }
    }

    /// Adds an entry to the submission queue; returns whether there was room.
    fn try_push(&mut self, entry: &squeue::Entry) -> bool {
        // SAFETY: an entry points to memory of `outgoing`, whose slot has no other operation under way, or of a buffer.
        // Neither moves or is freed before the operation is done, not even by `Drop`. If a descriptor is closed too
        // early, the operation fails or reaches a later client with the same number, which would be wrong but sound.
        unsafe { self.ring.submission().push(entry) }.is_ok()
    }

    /// Submits full submission queues until the remaining operations fit into one.
    fn make_room(&mut self) -> io::Result<()> {
        loop {
            while let Some(entry) = self.queued.pop_front() {
                if !self.try_push(&entry) {
                    self.queued.push_front(entry);
                    break;
                }
            }
            if self.queued.is_empty() || self.ring.submit()? == 0 {
                return Ok(());
            }
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // Operations under way may outlive the ring's descriptor; the memory that they use is leaked.
        std::mem::take(&mut self.outgoing).leak();
    }
}

/// Converts a completion of the kernel; `None` for a cancellation.
fn completion(entry: &cqueue::Entry) -> Option<Completion> {
    let slot = usize::try_from(entry.user_data() / KINDS).unwrap_or(usize::MAX);
    let error = |_negative| io::Error::from_raw_os_error(-entry.result());
    let outcome = usize::try_from(entry.result()).map_err(error);
    Some(match entry.user_data() % KINDS {
        ACCEPT => Completion::Accepted {
            number: u32::try_from(slot).unwrap_or(u32::MAX),
            outcome: outcome.map(|_| {
                // SAFETY: the kernel has just opened this descriptor for us, and no other code knows it.
                unsafe { TcpStream::from_raw_fd(entry.result()) }
            }),
        },
        STOP => Completion::Stop,
        RECEIVE => Completion::Received {
            slot,
            outcome: outcome.map(|length| Received {
                buffer: cqueue::buffer_select(entry.flags()),
                length,
            }),
        },
        SEND => Completion::Sent { slot, outcome },
        _ => return None,
    })
}

/// Buffers that the kernel takes from a ring (`IORING_REGISTER_PBUF_RING`, Linux 5.19): an idle client has none.
struct Buffers {
    /// The ring of offers, which the kernel reads; its first entry also holds the tail.
    offers: NonNull<BufRingEntry>,
    memory: NonNull<u8>,
    tail: u16,
}

impl Buffers {
    fn register(ring: &IoUring) -> io::Result<Self> {
        let count = usize::from(BUFFERS);
        let offers = map(count * size_of::<BufRingEntry>(), MapFlags::MAP_PRIVATE)?;
        let offers = offers.cast::<BufRingEntry>();
        let memory = map(count * BUFFER_BYTES, MapFlags::MAP_PRIVATE)?.cast::<u8>();
        let (submitter, first) = (ring.submitter(), offers.as_ptr() as u64);
        // SAFETY: the mapping is page-aligned, large enough and never unmapped.
        unsafe { submitter.register_buf_ring_with_flags(first, BUFFERS, GROUP, 0)? };
        let mut buffers = Buffers {
            offers,
            memory,
            tail: 0,
        };
        (0..BUFFERS).for_each(|buffer| buffers.offer(buffer));
        Ok(buffers)
    }

    fn offer(&mut self, buffer: u16) {
        let index = usize::from(self.tail % BUFFERS);
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: `index` is within the mapping; the kernel does not read an offer beyond the tail, and the tail's two
        // bytes lie in a part of the first entry that offers do not use. No other code writes it.
        unsafe {
            let offer = &mut *self.offers.add(index).as_ptr();
            offer.set_addr(self.memory.add(usize::from(buffer) * BUFFER_BYTES).as_ptr() as u64);
            offer.set_len(u32::try_from(BUFFER_BYTES).unwrap_or(u32::MAX));
            offer.set_bid(buffer);
            let tail = BufRingEntry::tail(self.offers.as_ptr()).cast_mut();
            AtomicU16::from_ptr(tail).store(self.tail, Ordering::Release);
        }
    }

    fn bytes(&self, buffer: u16, length: usize) -> &[u8] {
        // The kernel chose both.
        assert!(buffer < BUFFERS && length <= BUFFER_BYTES);
        // SAFETY: within the mapping; the kernel does not write to this buffer until it is offered again, and all its
        // bytes have been initialised, by the mapping or since.
        unsafe {
            let first = self.memory.add(usize::from(buffer) * BUFFER_BYTES);
            NonNull::slice_from_raw_parts(first, length).as_ref()
        }
    }
}
