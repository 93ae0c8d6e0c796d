//! # A program per client
//!
//! **Idea.** For each client the server starts a program in a new process, as inetd(8) and CGI do. The program finds the
//! connection among its descriptors, talks to the client and ends.
//!
//! ```text
//!            ┌▶ exec ▶ start ▶ converse ▶ exit ─┐
//! accept ────┼▶ exec ▶ start ▶ converse ▶ exit ─┼─▶ reaped by the parent
//!            └▶ exec ▶ start ▶ converse ▶ exit ─┘
//! ```
//!
//! **Cost per client.** Replacing the memory of a process: mapping the program, linking it, starting its runtime, on top
//! of what fork(2) costs. But nothing of the parent's memory is copied, however large that is.
//!
//! **Fails when** connections are many and short, sooner than with fork alone. A crash ends no other client's connection;
//! the program may be another one, in another language and with other rights.

use std::io;

use super::{Attention, Bilingual, Capacity, Model};
use crate::children::Children;
use crate::server::Server;

pub(super) const MODEL: Model = Model {
    name: "fork-exec-per-client",
    page: include_str!("fork_exec_per_client.rs"),
    title: Bilingual {
        en: "Program per client",
        es: "Un programa por cliente",
    },
    summary: Bilingual {
        en: "A program started for each client, as inetd does, talks to it.",
        es: "Un programa lanzado para cada cliente, como hace inetd, lo atiende.",
    },
    choose: Bilingual {
        en: "Clients are few, and what serves them is another program, perhaps with other rights.",
        es: "Los clientes son pocos, y los atiende otro programa, quizá con otros permisos.",
    },
    attention: Attention::Process,
    capacity: Capacity::Unbounded,
    serve,
    ..Model::COMMON
};

fn serve(server: &'static Server) -> io::Result<()> {
    let children = Children::with_programs(server)?;
    for client in server.clients()? {
        match children.spawn_program(&client) {
            Ok(()) => client.hand_over(),
            Err(refused) => {
                drop(client);
                server.on_refused_spawn(&refused);
            }
        }
    }
    children.drain();
    Ok(())
}
