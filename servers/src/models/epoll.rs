//! # One loop over epoll(7)
//!
//! **Idea.** One thread serves all clients, as with poll(2). But the kernel keeps the list: each socket is entered
//! once, and each wait returns only the sockets that are ready.
//!
//! ```text
//!   the kernel's list ◀── enter each socket once
//!          │
//! epoll_wait(2) ──▶ the ready ones: accept, read, write ─┐
//!          ▲─────────────────────────────────────────────┘
//! ```
//!
//! **Cost per client.** An entry in the kernel's list, if the client has to wait at all. Waiting costs no work.
//!
//! **Fails when** one client makes the loop compute: all others wait. It uses one core.

use std::io;
use std::os::fd::BorrowedFd;

use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags, EpollTimeout};

use super::{Attention, Bilingual, Capacity, Model};
use crate::loops::{self, Interest, Selector, StateMachine};
use crate::server::Server;
use crate::settings::FirstRead;

pub(super) const MODEL: Model = Model {
    name: "epoll",
    page: include_str!("epoll.rs"),
    title: Bilingual {
        en: "Event loop (epoll)",
        es: "Bucle de eventos (epoll)",
    },
    summary: Bilingual {
        en: "One loop learns from epoll(7) which clients are ready and serves them.",
        es: "Un bucle sabe por epoll(7) qué clientes están listos y los atiende.",
    },
    choose: Bilingual {
        en: "Clients are many, one core is enough, and nothing in the loop blocks or computes for long.",
        es: "Los clientes son muchos, basta un núcleo, y nada en el bucle bloquea ni calcula mucho tiempo.",
    },
    attention: Attention::Nothing,
    capacity: Capacity::Unbounded,
    first_reads: FirstRead::CHOICE,
    serve,
    ..Model::COMMON
};

/// [`loops::select`] is the loop: it accepts, reads and writes, and waits in `Epoll::wait` below.
pub(super) fn serve(server: &'static Server) -> io::Result<()> {
    loops::select::<StateMachine>(server, loops::epoll()?, None)
}

/// Most sockets that one wait returns; the next wait returns the others.
const READY_MAX: usize = 256;

impl Selector for Epoll {
    fn watch(&mut self, socket: BorrowedFd, token: usize, interest: Interest) -> io::Result<()> {
        Ok(self.add(socket, event(token, interest))?)
    }

    fn change_watch(
        &mut self,
        socket: BorrowedFd,
        token: usize,
        interest: Interest,
    ) -> io::Result<()> {
        Ok(self.modify(socket, &mut event(token, interest))?)
    }

    fn unwatch(&mut self, socket: BorrowedFd, _token: usize) -> io::Result<()> {
        Ok(self.delete(socket)?)
    }

    fn on_close(&mut self, _token: usize) {
        // The kernel takes a closed socket off its list by itself.
    }

    fn wait(&mut self, timeout_ms: i32, ready: &mut Vec<usize>) -> io::Result<()> {
        let mut events = [EpollEvent::empty(); READY_MAX];
        let timeout = EpollTimeout::try_from(timeout_ms).unwrap_or(EpollTimeout::NONE);
        let count = Epoll::wait(self, &mut events, timeout)?;
        let tokens = events[..count].iter().map(EpollEvent::data);
        ready.extend(tokens.flat_map(usize::try_from));
        Ok(())
    }
}

fn event(token: usize, interest: Interest) -> EpollEvent {
    let flags = match interest {
        Interest::Readable => EpollFlags::EPOLLIN,
        Interest::Exclusive => EpollFlags::EPOLLIN | EpollFlags::EPOLLEXCLUSIVE,
        Interest::Writable => EpollFlags::EPOLLOUT,
    };
    EpollEvent::new(flags, token as u64)
}
