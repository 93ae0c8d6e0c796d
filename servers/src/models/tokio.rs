//! # Async: a task per client on a work-stealing runtime
//!
//! **Idea.** Each client gets a task: a state machine that the compiler makes from code that reads like a thread's. A
//! few threads run the tasks that are ready; a task that waits costs only its memory.
//!
//! ```text
//!            ┌▶ task ─┐               ┌▶ worker thread
//! accept ────┼▶ task ─┼─▶ run queues ─┤      ▲ readiness (epoll)
//!            └▶ task ─┘               └▶ worker thread
//! ```
//!
//! **Cost per client.** An allocation for the task, registering with epoll(7), a timer, a pass through a run queue.
//!
//! **Fails when** a task computes or blocks without yielding: all tasks behind it on that worker wait. A crash ends
//! every connection.

use std::io;

use super::{Attention, Bilingual, Capacity, Model};
use crate::runtime;
use crate::server::Server;
use crate::settings::FirstRead;

pub(super) const MODEL: Model = Model {
    name: "tokio",
    page: include_str!("tokio.rs"),
    title: Bilingual {
        en: "Async (Tokio)",
        es: "Asíncrono (Tokio)",
    },
    summary: Bilingual {
        en: "A task on Tokio's work-stealing runtime talks to each client.",
        es: "Una tarea del entorno asíncrono Tokio, con robo de trabajo, atiende a cada cliente.",
    },
    choose: Bilingual {
        en: "Clients are many and wait, all cores are needed, and libraries for everything else are wanted.",
        es: "Los clientes son muchos y esperan, hacen falta todos los núcleos, y se quieren bibliotecas para todo lo demás.",
    },
    attention: Attention::Task,
    capacity: Capacity::Unbounded,
    first_reads: FirstRead::CHOICE,
    serve,
    ..Model::COMMON
};

fn serve(server: &'static Server) -> io::Result<()> {
    let runtime = runtime::work_stealing(server.settings().workers)?;
    runtime.block_on(async {
        // The acceptor is a task too: if it ran on the main thread, each client would have to change threads.
        tokio::spawn(accept(server)).await?
    })
}

pub(super) async fn accept(server: &'static Server) -> io::Result<()> {
    let mut clients = server.async_clients()?;
    while let Some(client) = clients.next().await {
        tokio::spawn(server.converse_async(client));
    }
    server.drain_async().await;
    Ok(())
}
