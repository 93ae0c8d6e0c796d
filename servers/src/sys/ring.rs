//! io_uring(7), safely: the ring owns all memory that the kernel reads or writes while an operation is under way.

use std::collections::VecDeque;
use std::io;
use std::mem::MaybeUninit;
use std::net::{TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use io_uring::types::{BufRingEntry, Fd, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};
use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};

/// Operations that may be handed over in one call; the kernel keeps twice as many completions.
const ENTRIES: u32 = 1024;
/// Buffers the kernel may choose from, a power of two: so many clients can have said something since the last turn.
const BUFFERS: u16 = 1024;
/// Octets of each: a common request.
const BUFFER_OCTETS: usize = 1024;
/// The group all buffers belong to; there is one.
const GROUP: u16 = 0;
/// Most octets sent by one operation; they are copied, because the ring must own them.
const SEND_OCTETS_MAX: usize = 16 * 1024;

/// What an operation was, in the low bits of its number.
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
    /// Octets on their way out, by the place of their client.
    outgoing: Vec<Vec<u8>>,
}

/// What the kernel has done.
#[derive(Debug)]
pub(crate) enum Completion {
    /// A client came, or accepting failed; whether more will be let in without asking again.
    Accepted {
        outcome: io::Result<TcpStream>,
        goes_on: bool,
    },
    /// The descriptor of [`Ring::watch_stop`] is readable.
    Stop,
    /// Octets came for a place, or will come no more.
    Received {
        place: usize,
        outcome: io::Result<Received>,
    },
    /// Octets of a place have gone.
    Sent {
        place: usize,
        outcome: io::Result<usize>,
    },
}

/// Octets in one of the ring's buffers, to be given back.
#[derive(Debug)]
pub(crate) struct Received {
    buffer: Option<u16>,
    length: usize,
}

impl Ring {
    /// A ring for one thread, with buffers to choose from.
    ///
    /// # Errors
    /// What the kernel said: `ENOSYS` or `EPERM` where io_uring is absent or forbidden, `EINVAL` where it is too old.
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

    /// Lets in clients, one completion each, until it says otherwise (multishot accept).
    pub(crate) fn accept(&mut self, listener: &TcpListener) {
        let listener = Fd(listener.as_raw_fd());
        let accept = opcode::AcceptMulti::new(listener).flags(libc::SOCK_CLOEXEC);
        self.push(accept.build().user_data(ACCEPT));
    }

    /// Lets in no more.
    pub(crate) fn stop_accepting(&mut self) {
        self.push(opcode::AsyncCancel::new(ACCEPT).build().user_data(CANCEL));
    }

    /// Says once when that descriptor is readable.
    pub(crate) fn watch_stop(&mut self, stop: BorrowedFd) {
        let readable = u32::from(libc::POLLIN.unsigned_abs());
        let poll = opcode::PollAdd::new(Fd(stop.as_raw_fd()), readable);
        self.push(poll.build().user_data(STOP));
    }

    /// Receives at most `most` octets for that place, into a buffer of the kernel's choice.
    pub(crate) fn receive(&mut self, place: usize, socket: &TcpStream, most: usize) {
        let most = u32::try_from(most.min(BUFFER_OCTETS)).unwrap_or(u32::MAX);
        let receive = opcode::Recv::new(Fd(socket.as_raw_fd()), std::ptr::null_mut(), most)
            .buf_group(GROUP)
            .build()
            .flags(squeue::Flags::BUFFER_SELECT);
        self.push(receive.user_data(RECEIVE + KINDS * place as u64));
    }

    /// Sends a copy of the first octets of `octets` for that place, which must have nothing else under way.
    pub(crate) fn send(&mut self, place: usize, socket: &TcpStream, octets: &[u8]) {
        if place >= self.outgoing.len() {
            self.outgoing.resize_with(place + 1, Vec::new);
        }
        let outgoing = &mut self.outgoing[place];
        outgoing.clear();
        outgoing.extend_from_slice(&octets[..octets.len().min(SEND_OCTETS_MAX)]);
        let length = u32::try_from(outgoing.len()).unwrap_or(u32::MAX);
        let send = opcode::Send::new(Fd(socket.as_raw_fd()), outgoing.as_ptr(), length)
            .flags(libc::MSG_NOSIGNAL);
        self.push(send.build().user_data(SEND + KINDS * place as u64));
    }

    /// Hands over what has been asked, waits until something is done or the time is up, and tells what. What could not be
    /// handed over is kept for the next time.
    ///
    /// # Errors
    /// What io_uring_enter(2) said, unless something was done meanwhile; `Interrupted` by a signal.
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
            // The time is up; or completions had to be taken first.
            Err(error) if matches!(error.raw_os_error(), Some(libc::ETIME | libc::EBUSY)) => Ok(()),
            Err(_comes_again_if_it_stays) if !completions.is_empty() => Ok(()),
            submitted => submitted,
        }
    }

    /// What was received.
    pub(crate) fn octets(&self, received: &Received) -> &[u8] {
        match received.buffer {
            None => &[],
            Some(buffer) => self.buffers.octets(buffer, received.length),
        }
    }

    /// The kernel may use that buffer again.
    #[allow(clippy::needless_pass_by_value, reason = "what is given back is gone")]
    pub(crate) fn give_back(&mut self, received: Received) {
        if let Some(buffer) = received.buffer {
            self.buffers.offer(buffer);
        }
    }

    fn push(&mut self, entry: squeue::Entry) {
        if !self.queued.is_empty() || !self.try_push(&entry) {
            self.queued.push_back(entry);
        }
    }

    /// Whether the submission queue had room.
    fn try_push(&mut self, entry: &squeue::Entry) -> bool {
        // SAFETY: the memory that an entry names is `outgoing`'s, whose place has nothing else under way, or a buffer's;
        // neither moves or goes before the operation is done, `Drop` included. A descriptor that is closed too early
        // makes the operation fail, or reach a later client of the same number, which would be wrong but sound.
        unsafe { self.ring.submission().push(entry) }.is_ok()
    }

    /// Hands over full submission queues until the last operations fit into one.
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
        // Operations under way may outlive the ring's descriptor; the memory they use is given up for good.
        std::mem::take(&mut self.outgoing).leak();
    }
}

/// Reads a completion; `None` for those that tell nothing.
fn completion(entry: &cqueue::Entry) -> Option<Completion> {
    let place = usize::try_from(entry.user_data() / KINDS).unwrap_or(usize::MAX);
    let outcome = match usize::try_from(entry.result()) {
        Ok(count) => Ok(count),
        Err(_negative) => Err(io::Error::from_raw_os_error(-entry.result())),
    };
    Some(match entry.user_data() % KINDS {
        ACCEPT => Completion::Accepted {
            outcome: outcome.map(|_| {
                // SAFETY: the kernel has just opened this descriptor for us, and nobody else knows it.
                unsafe { TcpStream::from_raw_fd(entry.result()) }
            }),
            goes_on: cqueue::more(entry.flags()),
        },
        STOP => Completion::Stop,
        RECEIVE => Completion::Received {
            place,
            outcome: outcome.map(|length| Received {
                buffer: cqueue::buffer_select(entry.flags()),
                length,
            }),
        },
        SEND => Completion::Sent { place, outcome },
        _ => return None,
    })
}

/// Buffers that the kernel takes from a ring of their own (`IORING_REGISTER_PBUF_RING`, Linux 5.19): a client that
/// says nothing has none.
struct Buffers {
    /// The ring of offers, which the kernel reads; its first entry also holds the tail.
    offers: NonNull<BufRingEntry>,
    memory: NonNull<u8>,
    tail: u16,
}

impl Buffers {
    fn register(ring: &IoUring) -> io::Result<Self> {
        let count = usize::from(BUFFERS);
        let offers = private_memory(count * size_of::<BufRingEntry>())?.cast::<BufRingEntry>();
        let memory = private_memory(count * BUFFER_OCTETS)?.cast::<u8>();
        // SAFETY: the mapping is page-aligned, large enough and never unmapped.
        unsafe {
            ring.submitter().register_buf_ring_with_flags(
                offers.as_ptr() as u64,
                BUFFERS,
                GROUP,
                0,
            )?;
        }
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
        // octets lie in a part of the first entry that offers do not use. Nobody else writes it.
        unsafe {
            let offer = &mut *self.offers.add(index).as_ptr();
            offer.set_addr(
                self.memory
                    .add(usize::from(buffer) * BUFFER_OCTETS)
                    .as_ptr() as u64,
            );
            offer.set_len(u32::try_from(BUFFER_OCTETS).unwrap_or(u32::MAX));
            offer.set_bid(buffer);
            let tail = BufRingEntry::tail(self.offers.as_ptr()).cast_mut();
            AtomicU16::from_ptr(tail).store(self.tail, Ordering::Release);
        }
    }

    fn octets(&self, buffer: u16, length: usize) -> &[u8] {
        assert!(
            buffer < BUFFERS && length <= BUFFER_OCTETS,
            "the kernel's word"
        );
        // SAFETY: within the mapping; the kernel does not write to this buffer until it is offered again, and all its
        // octets have been initialised, by the mapping or since.
        unsafe {
            let first = self.memory.add(usize::from(buffer) * BUFFER_OCTETS);
            NonNull::slice_from_raw_parts(first, length).as_ref()
        }
    }
}

fn private_memory(octets: usize) -> io::Result<NonNull<MaybeUninit<u8>>> {
    let size = NonZeroUsize::new(octets).ok_or(Errno::EINVAL)?;
    let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: a new anonymous mapping, at an address of the kernel's choice, aliases nothing.
    Ok(unsafe { mmap_anonymous(None, size, access, MapFlags::MAP_PRIVATE)? }.cast())
}
