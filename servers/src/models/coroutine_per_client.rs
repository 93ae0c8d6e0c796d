//! # A coroutine per client
//!
//! **Idea.** Each client gets a stack of its own, and code that reads as if it blocked. Where it would block, it is
//! suspended instead: a loop over epoll(7) resumes it when its socket is ready. Go's goroutines and Java's virtual
//! threads are this, on several threads.
//!
//! ```text
//!            ┌▶ stack: converse ⇄ suspend ─┐
//! accept ────┼▶ stack: converse ⇄ suspend ─┼─▶ one loop over epoll
//!            └▶ stack: converse ⇄ suspend ─┘
//! ```
//!
//! **Cost per client.** The pages of a stack that were touched, and its address space; saving and restoring a few
//! registers for each wait. As in an event loop otherwise.
//!
//! **Fails when** a coroutine computes or blocks: all others wait. A stack that is too small ends the process at its
//! guard page.

use std::io;

use super::{Attention, Bilingual, Capacity, Model};
use crate::loops::{self, Stackful};
use crate::server::Server;
use crate::settings::FirstRead;

pub(super) const MODEL: Model = Model {
    name: "coroutine-per-client",
    page: include_str!("coroutine_per_client.rs"),
    title: Bilingual {
        en: "Coroutine per client",
        es: "Una corrutina por cliente",
    },
    summary: Bilingual {
        en: "A coroutine with a stack of its own talks to each client; a loop resumes the ready ones.",
        es: "Una corrutina con pila propia atiende a cada cliente; un bucle reanuda las que están listas.",
    },
    choose: Bilingual {
        en: "Clients are many and wait, and code that blocks is to stay as it is.",
        es: "Los clientes son muchos y esperan, y el código que bloquea debe quedarse como está.",
    },
    attention: Attention::Task,
    capacity: Capacity::Unbounded,
    first_reads: FirstRead::CHOICE,
    has_stacks: true,
    serve,
    ..Model::COMMON
};

/// [`loops::select`] is the loop of an event-driven server. What it resumes for a client is not a state machine but a
/// [`Stackful`] coroutine, which runs `drive::coroutine::converse`: code that seems to block.
fn serve(server: &'static Server) -> io::Result<()> {
    loops::select::<Stackful>(server, loops::epoll()?, None)
}
