//! # One loop over select(2)
//!
//! **Idea.** One thread serves all clients. It gives the kernel two sets of descriptors, those to read from and those to
//! write to, and the kernel leaves in them the ready ones. So the loop makes the sets anew for each wait.
//!
//! ```text
//!      ┌──────── sets of all sockets ────────┐
//!      ▼                                     │
//! select(2) ──▶ the ready ones: read, write ─┘
//! ```
//!
//! **Cost per client.** A bit in a set. But at each wait the loop writes and reads all bits, and so does the kernel.
//!
//! **Fails when** the server has more than 1,023 descriptors: a set has no bit for them (`FD_SETSIZE`), whatever the
//! limit on open files is. Like every event loop, it serves no other client while it computes for one.

use std::io;
use std::os::fd::{BorrowedFd, RawFd};

use super::{Attention, Bilingual, Capacity, Model};
use crate::loops::{self, Interest, Selector, StateMachine};
use crate::server::Server;
use crate::settings::FirstRead;
use crate::sys::{self, DescriptorSet};

pub(super) const MODEL: Model = Model {
    name: "select",
    page: include_str!("select.rs"),
    title: Bilingual {
        en: "Event loop (select)",
        es: "Bucle de eventos (select)",
    },
    summary: Bilingual {
        en: "One loop asks select(2) about all clients, at most about a thousand, and serves those who are ready.",
        es: "Un bucle pregunta a select(2) por todos los clientes, mil como mucho, y atiende a los que están listos.",
    },
    choose: Bilingual {
        en: "The system has nothing better, and clients are few.",
        es: "El sistema no tiene nada mejor, y los clientes son pocos.",
    },
    attention: Attention::Nothing,
    capacity: Capacity::Unbounded,
    descriptors_max: Some(DescriptorSet::SIZE),
    first_reads: FirstRead::CHOICE,
    serve,
    ..Model::COMMON
};

fn serve(server: &'static Server) -> io::Result<()> {
    loops::select::<StateMachine>(server, Select::default(), None)
}

/// The socket and the interest of each token.
#[derive(Default)]
struct Select {
    watched: Vec<Option<(RawFd, Interest)>>,
}

impl Selector for Select {
    fn watch(&mut self, socket: BorrowedFd, token: usize, interest: Interest) -> io::Result<()> {
        let length = self.watched.len().max(token + 1);
        self.watched.resize(length, None);
        self.watched[token] = Some((DescriptorSet::check(socket)?, interest));
        Ok(())
    }

    fn on_close(&mut self, token: usize) {
        self.watched[token] = None;
    }

    fn wait(&mut self, timeout_ms: i32, ready: &mut Vec<usize>) -> io::Result<()> {
        // One for each interest.
        let mut sets = [DescriptorSet::new(); 2];
        for &(socket, interest) in self.watched.iter().flatten() {
            sets[usize::from(interest == Interest::Writable)].insert(socket);
        }
        sys::select(&mut sets, timeout_ms)?;
        for (token, watched) in self.watched.iter().enumerate() {
            let is_ready = |(socket, interest)| {
                sets[usize::from(interest == Interest::Writable)].contains(socket)
            };
            if watched.is_some_and(is_ready) {
                ready.push(token);
            }
        }
        Ok(())
    }
}
