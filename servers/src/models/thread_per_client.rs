//! # A thread per client
//!
//! **Idea.** Each client gets a thread of its own, which blocks whenever the client makes it wait. The scheduler of the
//! operating system decides which thread runs.
//!
//! ```text
//!            ┌▶ thread ▶ converse ▶ close
//! accept ────┼▶ thread ▶ converse ▶ close      one address space
//!            └▶ thread ▶ converse ▶ close
//! ```
//!
//! **Cost per client.** Creating and ending a thread, its stack (the touched pages only), and two context switches for
//! each time it waits.
//!
//! **Fails when** clients come faster than threads can be created, or thousands of them stay: first memory, then
//! scheduling is the limit. A crash ends every connection.

use std::io;

use super::{Attention, Bilingual, Capacity, Model};
use crate::clients::Clients;
use crate::server::Server;
use crate::sys;

pub(super) const MODEL: Model = Model {
    name: "thread-per-client",
    page: include_str!("thread_per_client.rs"),
    title: Bilingual {
        en: "Thread per client",
        es: "Un hilo por cliente",
    },
    summary: Bilingual {
        en: "A new thread talks to each client.",
        es: "Un hilo nuevo atiende a cada cliente.",
    },
    choose: Bilingual {
        en: "Code may block, clients stay for a while, and they are not too many for a thread each.",
        es: "El código puede bloquear, los clientes se quedan un rato, y no son demasiados para un hilo cada uno.",
    },
    attention: Attention::Thread,
    capacity: Capacity::Unbounded,
    serve,
    ..Model::COMMON
};

/// Address space for a stack. A conversation touches three pages of it; the default of 2 MiB would bring no advantage.
pub(crate) const STACK_BYTES: usize = 128 * 1024;

fn serve(server: &'static Server) -> io::Result<()> {
    attend_each(server, server.clients()?)
}

/// Serves each client in a thread of its own, however the iterator waits for clients.
pub(super) fn attend_each(server: &'static Server, clients: Clients) -> io::Result<()> {
    for client in clients {
        let work = move || server.converse(client);
        if let Err(refused) = sys::spawn_detached(STACK_BYTES, work) {
            server.on_refused_spawn(&refused);
        }
    }
    server.drain();
    Ok(())
}
