//! select(2) and its sets of descriptors.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use nix::sys::select::{self, FdSet};
use nix::sys::time::{TimeVal, TimeValLike};

/// A set of descriptors for select(2), which has no place for those of [`DescriptorSet::SIZE`] or more.
#[derive(Clone, Copy)]
pub(crate) struct DescriptorSet(FdSet<'static>);

impl DescriptorSet {
    /// `FD_SETSIZE`: one more than the largest descriptor that a set can hold.
    pub(crate) const SIZE: u32 = 1_024;

    pub(crate) fn new() -> Self {
        DescriptorSet(FdSet::new())
    }

    /// The number of this descriptor, if a set can hold it.
    pub(crate) fn check(descriptor: BorrowedFd<'_>) -> io::Result<RawFd> {
        let number = descriptor.as_raw_fd();
        match member(number) {
            Some(_) => Ok(number),
            None => Err(io::Error::other(
                "select(2) takes no descriptor above 1,023",
            )),
        }
    }

    /// Adds a descriptor, if a set can hold it.
    pub(crate) fn insert(&mut self, descriptor: RawFd) {
        if let Some(member) = member(descriptor) {
            self.0.insert(member);
        }
    }

    /// Whether a descriptor is in the set.
    pub(crate) fn contains(&self, descriptor: RawFd) -> bool {
        member(descriptor).is_some_and(|member| self.0.contains(member))
    }
}

/// A descriptor as a set takes it; `None` if a set cannot hold it.
fn member(descriptor: RawFd) -> Option<BorrowedFd<'static>> {
    let fits = u32::try_from(descriptor).is_ok_and(|number| number < DescriptorSet::SIZE);
    // SAFETY: a set uses only its number; select(2) refuses one that is not open.
    fits.then(|| unsafe { BorrowedFd::borrow_raw(descriptor) })
}

/// Waits until a descriptor of the first set can be read, or one of the second written, or the time is up (-1: for ever);
/// leaves the ready ones in the sets. Fails with the error of select(2).
pub(crate) fn select(
    [readable, writable]: &mut [DescriptorSet; 2],
    timeout_ms: i32,
) -> io::Result<()> {
    let mut timeout = TimeVal::milliseconds(timeout_ms.into());
    let timeout = (timeout_ms >= 0).then_some(&mut timeout);
    let all = DescriptorSet::SIZE.cast_signed();
    select::select(all, &mut readable.0, &mut writable.0, None, timeout)?;
    Ok(())
}
