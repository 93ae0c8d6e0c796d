//! # A process per client
//!
//! **Idea.** For each client the server calls fork(2). The child talks to that client and ends; the parent continues to
//! accept.
//!
//! ```text
//!            ┌▶ child ▶ converse ▶ exit ─┐
//! accept ────┼▶ child ▶ converse ▶ exit ─┼─▶ reaped by the parent
//!            └▶ child ▶ converse ▶ exit ─┘
//! ```
//!
//! **Cost per client.** Copying the page tables, a page fault for each page that parent or child then writes to, and
//! ending and reaping a process. The cost grows with the parent's memory.
//!
//! **Fails when** connections are many and short: most of the time goes into creating and reaping processes. A crash
//! ends no other client's connection, and processes share only what is shared on purpose.

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
    choose: Bilingual {
        en: "A crash must harm one client only, and clients stay so long that a process for each does not matter.",
        es: "Un fallo solo debe dañar a un cliente, y los clientes se quedan tanto que un proceso para cada uno no importa.",
    },
    attention: Attention::Process,
    capacity: Capacity::Unbounded,
    serve,
    ..Model::COMMON
};

fn serve(server: &'static Server) -> io::Result<()> {
    let children = Children::new(server)?;
    for client in server.clients()? {
        match children.fork() {
            Ok(Fork::Parent) => client.hand_over(),
            Ok(Fork::Child) => {
                server.converse(client);
                children.end();
            }
            Err(refused) => {
                drop(client);
                server.on_refused_spawn(&refused);
            }
        }
    }
    children.drain();
    Ok(())
}
