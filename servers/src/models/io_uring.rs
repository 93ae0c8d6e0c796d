//! # One loop over io_uring(7)
//!
//! **Idea.** One thread serves everybody, but it does not ask who is ready. It asks for the thing itself (let clients
//! in, receive, send), many at once in memory shared with the kernel, and is told what has been done.
//!
//! ```text
//! loop ──▶ submissions: accept, receive, send ──▶ kernel
//!   ▲                                               │
//!   └───── completions: client, octets, sent ◀──────┘
//! ```
//!
//! **Cost per client.** Two entries in a queue for each request, and a share of one system call for everybody's. Who
//! waits has no buffer: the kernel takes one when octets arrive.
//!
//! **Fails when** one client makes the loop compute: everybody else waits. It serves one core. Many systems forbid it.

use std::io;

use super::{Attention, Bilingual, Capacity, Model};
use crate::context::Context;
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
    attention: Attention::Nothing,
    capacity: Capacity::Unbounded,
    available,
    serve,
    ..Model::COMMON
};

fn serve(server: &'static Server) -> io::Result<()> {
    let ring = Ring::new().context(|| "cannot make an io_uring".into())?;
    loops::complete(server, ring)
}

fn available() -> Result<(), String> {
    Ring::new()
        .map(drop)
        .map_err(|refusal| format!("io_uring is absent, forbidden or too old ({refusal})"))
}
