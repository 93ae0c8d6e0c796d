//! One event loop over the sockets that are ready.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{SockFlag, accept4};
use nix::unistd::close;

use super::{Bare, Exchange, STOP_CHECK_INTERVAL, exchange};

/// Most clients accepted in one turn, so that connected clients do not starve.
const ACCEPTED_IN_A_TURN_MAX: usize = 64;
/// Events taken from the kernel at once.
const EVENTS_MAX: usize = 256;

pub(super) fn epoll(bare: &'static Bare) -> io::Result<()> {
    let listener = listener_fd(bare)?;
    let ready = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let mut events = [EpollEvent::empty(); EVENTS_MAX];
    let event = |fd: i32| EpollEvent::new(EpollFlags::EPOLLIN, u64::from(fd.unsigned_abs()));
    ready.add(&bare.listener, event(listener))?;
    let timeout = EpollTimeout::try_from(STOP_CHECK_INTERVAL).map_err(io::Error::other)?;
    while !bare.should_stop() {
        let count = match ready.wait(&mut events, timeout) {
            Err(Errno::EINTR) => 0,
            waited => waited?,
        };
        for each in &events[..count] {
            if each.data() == event(listener).data() {
                accept_some(listener, |client| {
                    if !served(client) {
                        // SAFETY: open until `served` closes it, which also removes it from the kernel's list.
                        let client_fd = unsafe { BorrowedFd::borrow_raw(client) };
                        ready.add(client_fd, event(client))?;
                    }
                    Ok(())
                })?;
            } else if let Ok(client) = i32::try_from(each.data()) {
                served(client);
            }
        }
    }
    Ok(())
}

pub(super) fn poll_all(bare: &'static Bare) -> io::Result<()> {
    // SAFETY: `served` closes a listed socket only where it is then taken off the list.
    let waits_for = |fd| PollFd::new(unsafe { BorrowedFd::borrow_raw(fd) }, PollFlags::POLLIN);
    let is_ready = |one: &PollFd<'_>| one.any() != Some(false);
    let listener = listener_fd(bare)?;
    let mut listed = vec![waits_for(listener)];
    let timeout = PollTimeout::try_from(STOP_CHECK_INTERVAL).map_err(io::Error::other)?;
    while !bare.should_stop() {
        match poll(&mut listed, timeout) {
            // After EINTR the entries are unchanged, and serving one that is not ready does no harm.
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        // From the end: `swap_remove` fills the gap with the last entry, which has had its turn.
        for place in (1..listed.len()).rev() {
            if is_ready(&listed[place]) && served(listed[place].as_fd().as_raw_fd()) {
                listed.swap_remove(place);
            }
        }
        if is_ready(&listed[0]) {
            accept_some(listener, |client| {
                if !served(client) {
                    listed.push(waits_for(client));
                }
                Ok(())
            })?;
        }
    }
    Ok(())
}

fn listener_fd(bare: &Bare) -> io::Result<i32> {
    bare.listener.set_nonblocking(true)?;
    Ok(bare.listener.as_raw_fd())
}

fn accept_some(listener: i32, mut on_client: impl FnMut(i32) -> io::Result<()>) -> io::Result<()> {
    for _ in 0..ACCEPTED_IN_A_TURN_MAX {
        match accept4(listener, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK) {
            Ok(client) => on_client(client)?,
            Err(Errno::EAGAIN) => break,
            Err(Errno::EINTR | Errno::ECONNABORTED) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Serves a client; returns whether its connection has ended and is closed.
fn served(client: i32) -> bool {
    if exchange(client) == Exchange::NotReady {
        return false;
    }
    // Nothing could be done about a close that fails.
    let _ = close(client);
    true
}
