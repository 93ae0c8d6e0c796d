//! # One loop over io_uring(7)
//!
//! **Idea.** One thread serves all clients, but it does not ask which sockets are ready. It submits the operations
//! themselves (accept, receive, send), many at once in memory shared with the kernel, and is told when they are done.
//!
//! ```text
//! loop ──▶ submissions: accept, receive, send ──▶ kernel
//!   ▲                                               │
//!   └───── completions: client, bytes, sent ◀──────┘
//! ```
//!
//! **Cost per client.** Two queue entries for each request, and a share of one system call for all clients. A client
//! that waits has no buffer: the kernel takes one when bytes arrive.
//!
//! **Fails when** one client makes the loop compute: all others wait. It uses one core. Many systems forbid io_uring.

use std::io;

use super::{Attention, Bilingual, Capacity, Model};
use crate::context::ErrorContext;
use crate::loops;
use crate::server::Server;
use crate::sys::ring::Ring;

pub(super) const MODEL: Model = Model {
    name: "io-uring",
    page: include_str!("io_uring.rs"),
    title: Bilingual {
        en: "Completion loop (io_uring)",
        es: "Bucle de finalizaciones (io_uring)",
    },
    summary: Bilingual {
        en: "One loop submits what clients need to io_uring(7) and goes on with what is done.",
        es: "Un bucle encarga a io_uring(7) lo que necesitan los clientes y sigue con lo ya hecho.",
    },
    choose: Bilingual {
        en: "System calls are what costs, and the kernel is new and allows it.",
        es: "Lo que cuesta son las llamadas al sistema, y el núcleo es nuevo y lo permite.",
    },
    attention: Attention::Nothing,
    capacity: Capacity::Unbounded,
    available,
    serve,
    ..Model::COMMON
};

/// [`loops::complete`] is the loop: it submits operations to the ring, waits, and takes the completions.
pub(super) fn serve(server: &'static Server) -> io::Result<()> {
    let ring = Ring::new().context(|| "cannot make an io_uring".into())?;
    loops::complete(server, ring)
}

pub(super) fn available() -> Result<(), String> {
    Ring::new()
        .map(drop)
        .map_err(|refusal| format!("io_uring is absent, forbidden or too old ({refusal})"))
}
