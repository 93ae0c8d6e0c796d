//! select(2) and its sets of descriptors.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::{io, ptr};

/// A set of descriptors for select(2), which has no place for those of [`DescriptorSet::SIZE`] or more.
#[derive(Clone, Copy)]
pub(crate) struct DescriptorSet(libc::fd_set);

impl DescriptorSet {
    /// `FD_SETSIZE`: one more than the largest descriptor that a set can hold.
    pub(crate) const SIZE: u32 = 1_024;

    pub(crate) fn new() -> Self {
        let mut set = MaybeUninit::zeroed();
        // SAFETY: FD_ZERO initialises the set, for which all zero bits are valid in any case.
        unsafe {
            libc::FD_ZERO(set.as_mut_ptr());
            DescriptorSet(set.assume_init())
        }
    }

    /// The number of this descriptor, if a set can hold it.
    pub(crate) fn check(descriptor: BorrowedFd<'_>) -> io::Result<RawFd> {
        let descriptor = descriptor.as_raw_fd();
        let refusal = || io::Error::other("select(2) takes no descriptor above 1,023");
        Self::can_hold(descriptor)
            .then_some(descriptor)
            .ok_or_else(refusal)
    }

    fn can_hold(descriptor: RawFd) -> bool {
        u32::try_from(descriptor).is_ok_and(|descriptor| descriptor < Self::SIZE)
    }

    /// Adds a descriptor, if a set can hold it.
    pub(crate) fn insert(&mut self, descriptor: RawFd) {
        if Self::can_hold(descriptor) {
            // SAFETY: the set is initialised, and the descriptor is within its size.
            unsafe { libc::FD_SET(descriptor, &mut self.0) };
        }
    }

    /// Whether a descriptor is in the set.
    pub(crate) fn contains(&self, descriptor: RawFd) -> bool {
        // SAFETY: as above.
        Self::can_hold(descriptor) && unsafe { libc::FD_ISSET(descriptor, &self.0) }
    }
}

/// Waits until a descriptor of the first set can be read, or one of the second written, or the time is up (-1: for ever);
/// leaves the ready ones in the sets. Fails with the error of select(2).
pub(crate) fn select(
    [readable, writable]: &mut [DescriptorSet; 2],
    timeout_ms: i32,
) -> io::Result<()> {
    let mut timeout = libc::timeval {
        tv_sec: (timeout_ms / 1_000).into(),
        tv_usec: (timeout_ms % 1_000 * 1_000).into(),
    };
    let timeout = match timeout_ms {
        ..0 => ptr::null_mut(),
        _ => &raw mut timeout,
    };
    let (readable, writable) = (&raw mut readable.0, &raw mut writable.0);
    // SAFETY: all pointers are to locals or borrowed values that outlive the call; a null pointer stands for no set and
    // for no end.
    let ready = unsafe {
        libc::select(
            DescriptorSet::SIZE.cast_signed(),
            readable,
            writable,
            ptr::null_mut(),
            timeout,
        )
    };
    if ready < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
