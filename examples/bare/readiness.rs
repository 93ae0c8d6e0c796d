//! One event loop over the sockets that are ready.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{SockFlag, accept4};
use nix::unistd::close;

use super::{Bare, Exchange, LOOK_UP, exchange};

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
    let timeout = EpollTimeout::try_from(LOOK_UP).map_err(io::Error::other)?;
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
    let waits_for = |fd| libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    let listener = listener_fd(bare)?;
    let mut listed = vec![waits_for(listener)];
    while !bare.should_stop() {
        poll(&mut listed)?;
        // From the end: `swap_remove` fills the gap with the last entry, which has had its turn.
        for place in (1..listed.len()).rev() {
            if listed[place].revents != 0 && served(listed[place].fd) {
                listed.swap_remove(place);
            }
        }
        if listed[0].revents != 0 {
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

fn poll(listed: &mut [libc::pollfd]) -> io::Result<()> {
    let count = listed.len() as libc::nfds_t;
    let timeout_ms = i32::try_from(LOOK_UP.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the pointer is to `count` entries, which poll(2) reads and writes before it returns.
    let outcome = Errno::result(unsafe { libc::poll(listed.as_mut_ptr(), count, timeout_ms) });
    match outcome {
        // After EINTR the entries are unchanged, and serving one that is not ready does no harm.
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

fn listener_fd(bare: &Bare) -> io::Result<i32> {
    bare.listener.set_nonblocking(true)?;
    Ok(bare.listener.as_raw_fd())
}

fn accept_some(listener: i32, mut attend: impl FnMut(i32) -> io::Result<()>) -> io::Result<()> {
    for _ in 0..ACCEPTED_IN_A_TURN_MAX {
        match accept4(listener, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK) {
            Ok(client) => attend(client)?,
            Err(Errno::EAGAIN) => break,
            Err(Errno::EINTR | Errno::ECONNABORTED) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Serves a client; returns whether its connection has ended and is closed.
fn served(client: i32) -> bool {
    if exchange(client) == Exchange::TooEarly {
        return false;
    }
    // Nothing could be done about a close that fails.
    let _ = close(client);
    true
}
