//! Buffers that the kernel takes from a buffer ring (`IORING_REGISTER_PBUF_RING`, Linux 5.19): a connection that
//! receives nothing occupies none.

use std::io;
use std::mem::MaybeUninit;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::IoUring;
use io_uring::types::BufRingEntry;
use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};

/// Number of buffers, a power of two: this many answers can arrive in one round of the event loop without a new
/// receive, and all of them stay in a cache.
const BUFFERS: u16 = 256;
/// Size of each buffer, in bytes: most answers fit.
pub(super) const BUFFER_BYTES: usize = 4096;
/// The group all buffers belong to; there is one.
pub(super) const GROUP: u16 = 0;

/// All buffers of a ring.
pub(super) struct Buffers {
    /// The ring of offers, which the kernel reads; its first entry also holds the tail.
    offers: NonNull<BufRingEntry>,
    memory: NonNull<u8>,
    tail: u16,
    /// Whether the kernel may still use them.
    given_up: bool,
}

impl Buffers {
    pub(super) fn register(ring: &IoUring) -> io::Result<Self> {
        let count = usize::from(BUFFERS);
        let offers = private_memory(count * size_of::<BufRingEntry>())?.cast::<BufRingEntry>();
        let memory = private_memory(count * BUFFER_BYTES)?.cast::<u8>();
        // SAFETY: the mapping is page-aligned, large enough and unmapped only when nothing uses it any more.
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
            given_up: false,
        };
        (0..BUFFERS).for_each(|buffer| buffers.offer(buffer));
        Ok(buffers)
    }

    pub(super) fn offer(&mut self, buffer: u16) {
        let index = usize::from(self.tail % BUFFERS);
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: `index` is within the mapping; the kernel does not read an offer beyond the tail, and the tail's two
        // bytes lie in a part of the first entry that offers do not use. Only this thread writes it.
        unsafe {
            let offer = &mut *self.offers.add(index).as_ptr();
            offer.set_addr(self.memory.add(usize::from(buffer) * BUFFER_BYTES).as_ptr() as u64);
            offer.set_len(u32::try_from(BUFFER_BYTES).unwrap_or(u32::MAX));
            offer.set_bid(buffer);
            let tail = BufRingEntry::tail(self.offers.as_ptr()).cast_mut();
            AtomicU16::from_ptr(tail).store(self.tail, Ordering::Release);
        }
    }

    pub(super) fn bytes(&self, buffer: u16, length: usize) -> &[u8] {
        assert!(
            buffer < BUFFERS && length <= BUFFER_BYTES,
            "the kernel's word"
        );
        // SAFETY: within the mapping; the kernel does not write to this buffer until it is offered again, and all its
        // bytes have been initialised, by the mapping or since.
        unsafe {
            let first = self.memory.add(usize::from(buffer) * BUFFER_BYTES);
            NonNull::slice_from_raw_parts(first, length).as_ref()
        }
    }

    /// Never frees the memory, since the kernel may still use it.
    pub(super) fn give_up(&mut self) {
        self.given_up = true;
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        if self.given_up {
            return;
        }
        let count = usize::from(BUFFERS);
        // SAFETY: both mappings were made with these sizes, and the ring has no operation left that could use them.
        // An error would leave them mapped, which is harmless.
        unsafe {
            let _ = munmap(self.offers.cast(), count * size_of::<BufRingEntry>());
            let _ = munmap(self.memory.cast(), count * BUFFER_BYTES);
        }
    }
}

fn private_memory(bytes: usize) -> io::Result<NonNull<MaybeUninit<u8>>> {
    let size = NonZeroUsize::new(bytes).ok_or(Errno::EINVAL)?;
    let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: a new anonymous mapping, at an address of the kernel's choice, aliases nothing.
    Ok(unsafe { mmap_anonymous(None, size, access, MapFlags::MAP_PRIVATE)? }.cast())
}
