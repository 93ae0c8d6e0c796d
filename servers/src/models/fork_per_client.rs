//! # A process per client
//!
//! **Idea.** For each client the server splits in two with fork(2). The child talks to that client and ends; the parent
//! goes on accepting.
//!
//! ```text
//!            ┌▶ child ▶ converse ▶ exit ─┐
//! accept ────┼▶ child ▶ converse ▶ exit ─┼─▶ reaped by the parent
//!            └▶ child ▶ converse ▶ exit ─┘
//! ```
//!
//! **Cost per client.** Copying the page tables, a page fault for each page either side then writes to, ending and
//! reaping a process. It grows with the parent's memory.
//!
//! **Fails when** clients are many and short: most of the time goes into making and burying processes. A crash takes
//! nobody else along, and nothing is shared unless it is shared on purpose.

use std::io;

use super::{Attention, Bilingual, Capacity, Model};
use crate::children::{Children, Fork};
use crate::server::Server;

pub(super) const MODEL: Model = Model {
    name: "fork-per-client",
    page: include_str!("fork_per_client.rs"),
    title: Bilingual {
        en: "Process per client",
        es: "Un proceso por cliente",
    },
    summary: Bilingual {
        en: "A forked child process talks to each client.",
        es: "Un proceso hijo, creado con fork, atiende a cada cliente.",
    },
    attention: Attention::Process,
    capacity: Capacity::Unbounded,
    serve,
    ..Model::COMMON
};

fn serve(server: &'static Server) -> io::Result<()> {
    let children = Children::of(server)?;
    for client in server.clients()? {
        match children.fork() {
            Ok(Fork::Parent) => client.hand_over(),
            Ok(Fork::Child) => {
                server.converse(client);
                children.end();
            }
            Err(refused) => {
                drop(client);
                server.could_not_attend(&refused);
            }
        }
    }
    children.drain();
    Ok(())
}
