//! # One loop over poll(2)
//!
//! **Idea.** One thread serves everybody. It hands the kernel the list of all its sockets, learns which of them can go
//! on, takes each as far as it can, and hands over the list again.
//!
//! ```text
//!      ┌─────────────── all sockets ──────────────┐
//!      ▼                                          │
//! poll(2) ──▶ the ready ones: accept, read, write ┘
//! ```
//!
//! **Cost per client.** A place in a list. But the kernel reads the whole list each time, and so does the loop after
//! it: every wait costs something for each client who has nothing to say.
//!
//! **Fails when** many clients are connected and few of them active: the work grows with those who wait. Like every
//! loop, it stands still while one client makes it compute, and serves one core.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use libc::{POLLIN, POLLOUT, pollfd};

use super::{Attention, Bilingual, Capacity, Model};
use crate::loops::{self, Interest, Selector};
use crate::server::Server;
use crate::sys;

pub(super) const MODEL: Model = Model {
    name: "poll",
    page: include_str!("poll.rs"),
    title: Bilingual {
        en: "Event loop (poll)",
        es: "Bucle de eventos (poll)",
    },
    summary: Bilingual {
        en: "One loop asks poll(2) about all clients and serves those who are ready.",
        es: "Un bucle pregunta a poll(2) por todos los clientes y atiende a los que están listos.",
    },
    attention: Attention::Nothing,
    capacity: Capacity::Unbounded,
    serve,
    ..Model::COMMON
};

fn serve(server: &'static Server) -> io::Result<()> {
    loops::select(server, Poll::default())
}

/// The list that goes to the kernel and back, with the entry of each place at its index.
#[derive(Default)]
struct Poll {
    list: Vec<pollfd>,
}

/// poll(2) passes over an entry with this descriptor.
const NOBODY: pollfd = pollfd {
    fd: -1,
    events: 0,
    revents: 0,
};

impl Selector for Poll {
    fn watch(&mut self, socket: BorrowedFd, place: usize, interest: Interest) -> io::Result<()> {
        let length = self.list.len().max(place + 1);
        self.list.resize(length, NOBODY);
        self.list[place] = pollfd {
            fd: socket.as_raw_fd(),
            events: match interest {
                Interest::Readable => POLLIN,
                Interest::Writable => POLLOUT,
            },
            revents: 0,
        };
        Ok(())
    }

    fn closing(&mut self, place: usize) {
        self.list[place] = NOBODY;
    }

    fn wait(&mut self, timeout_ms: i32, ready: &mut Vec<usize>) -> io::Result<()> {
        sys::poll_in_parts(&mut self.list, timeout_ms)?;
        let is_ready = |(_, entry): &(usize, &pollfd)| entry.revents != 0;
        let places = self.list.iter().enumerate().filter(is_ready);
        ready.extend(places.map(|(place, _)| place));
        Ok(())
    }
}
