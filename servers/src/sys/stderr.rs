//! Writes to stderr that never wait.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal};
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;

use nix::errno::Errno;
use nix::sys::stat::{SFlag, fstat};

/// Where lines go, and how.
#[derive(Debug)]
pub(crate) struct Stderr {
    descriptor: RawFd,
    /// A write to the descriptor may block if its reader is slow, unless the write itself asks not to.
    may_wait: bool,
}

impl Stderr {
    /// This process's stderr.
    ///
    /// `O_NONBLOCK` belongs to an open file, which this process shares with the process that started it. So a pipe or a
    /// terminal is opened a second time. If that is not allowed, and for a socket, each write asks not to wait. A
    /// regular file has no reader that could be slow.
    pub(crate) fn new() -> Self {
        let stderr = io::stderr();
        let kind = fstat(&stderr).map_or(SFlag::empty(), |found| {
            SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT
        });
        let may_wait = kind == SFlag::S_IFIFO || kind == SFlag::S_IFSOCK || stderr.is_terminal();
        let open_again = || {
            let mut options = OpenOptions::new();
            let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
            options.write(true).custom_flags(flags);
            options.open("/proc/self/fd/2").ok()
        };
        match may_wait.then(open_again).flatten() {
            Some(file) => Stderr {
                descriptor: file.into_raw_fd(),
                may_wait: false,
            },
            None => Stderr {
                descriptor: stderr.as_raw_fd(),
                may_wait,
            },
        }
    }

    /// Writes all of `bytes` if that needs no wait; returns whether it did. Async-signal-safe.
    pub(crate) fn write_at_once(&self, bytes: &[u8]) -> bool {
        let count = if self.may_wait {
            self.write_without_waiting(bytes)
        } else {
            self.write(bytes)
        };
        usize::try_from(count) == Ok(bytes.len())
    }

    fn write(&self, bytes: &[u8]) -> isize {
        // SAFETY: the buffer outlives the call.
        unsafe { libc::write(self.descriptor, bytes.as_ptr().cast(), bytes.len()) }
    }

    fn write_without_waiting(&self, bytes: &[u8]) -> isize {
        let part = libc::iovec {
            iov_base: bytes.as_ptr().cast_mut().cast(),
            iov_len: bytes.len(),
        };
        // SAFETY: the vector and the buffer outlive the call, which only reads them.
        let count =
            unsafe { libc::pwritev2(self.descriptor, &raw const part, 1, -1, libc::RWF_NOWAIT) };
        match Errno::last() {
            // Before Linux 6.4, a pipe does not know this flag. If poll(2) reports room, the room is a page, more than
            // a line. Only another writer at this very moment could take it.
            Errno::EOPNOTSUPP | Errno::ENOSYS if count < 0 && self.has_room() => self.write(bytes),
            _ => count,
        }
    }

    fn has_room(&self) -> bool {
        super::ready_for(self.descriptor, libc::POLLOUT) & libc::POLLOUT != 0
    }
}
