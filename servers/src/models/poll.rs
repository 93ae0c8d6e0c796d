//! # One loop over poll(2)
//!
//! **Idea.** One thread serves all clients. It gives the kernel the list of all its sockets, learns which of them are
//! ready, advances each of these clients as far as possible, and gives the kernel the list again.
//!
//! ```text
//!      ┌─────────────── all sockets ──────────────┐
//!      ▼                                          │
//! poll(2) ──▶ the ready ones: accept, read, write ┘
//! ```
//!
//! **Cost per client.** An entry in a list. But at each wait the kernel reads the whole list, and so does the loop
//! after it. So every wait costs something for each idle client too.
//!
//! **Fails when** many clients are connected and few of them are active: the work grows with the clients that wait.
//! Like every event loop, it serves no other client while it computes for one, and it uses one core.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use libc::{POLLIN, POLLOUT, pollfd};

use super::{Attention, Bilingual, Capacity, Model};
use crate::loops::{self, Interest, Selector, StateMachine};
use crate::server::Server;
use crate::settings::FirstRead;
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
    choose: Bilingual {
        en: "Clients are few, and the program has to run on any Unix.",
        es: "Los clientes son pocos, y el programa debe funcionar en cualquier Unix.",
    },
    attention: Attention::Nothing,
    capacity: Capacity::Unbounded,
    first_reads: FirstRead::CHOICE,
    serve,
    ..Model::COMMON
};

/// [`loops::select`] is the loop: it accepts, reads and writes, and waits in `Poll::wait` below.
fn serve(server: &'static Server) -> io::Result<()> {
    loops::select::<StateMachine>(server, Poll::default(), None)
}

/// The list that poll(2) reads and writes; a token is the index of its entry.
#[derive(Default)]
struct Poll {
    list: Vec<pollfd>,
}

/// poll(2) ignores an entry with this descriptor.
const IGNORED: pollfd = pollfd {
    fd: -1,
    events: 0,
    revents: 0,
};

impl Selector for Poll {
    fn watch(&mut self, socket: BorrowedFd, token: usize, interest: Interest) -> io::Result<()> {
        let length = self.list.len().max(token + 1);
        self.list.resize(length, IGNORED);
        self.list[token] = pollfd {
            fd: socket.as_raw_fd(),
            events: match interest {
                Interest::Readable | Interest::Exclusive => POLLIN,
                Interest::Writable => POLLOUT,
            },
            revents: 0,
        };
        Ok(())
    }

    fn on_close(&mut self, token: usize) {
        self.list[token] = IGNORED;
    }

    fn wait(&mut self, timeout_ms: i32, ready: &mut Vec<usize>) -> io::Result<()> {
        sys::poll_in_parts(&mut self.list, timeout_ms)?;
        let is_ready = |(_, entry): &(usize, &pollfd)| entry.revents != 0;
        let tokens = self.list.iter().enumerate().filter(is_ready);
        ready.extend(tokens.map(|(token, _)| token));
        Ok(())
    }
}
