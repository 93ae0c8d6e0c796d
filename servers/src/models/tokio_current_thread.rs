//! # Async: a task per client on one thread
//!
//! **Idea.** Each client gets a task, as on Tokio's other runtime, but one thread runs them all: an event loop whose
//! conversations are written as if each had a thread to itself.
//!
//! ```text
//!            ┌▶ task ─┐
//! accept ────┼▶ task ─┼─▶ run queue ─▶ one thread ─▶ epoll
//!            └▶ task ─┘                    ▲──────────┘
//! ```
//!
//! **Cost per client.** An allocation for the task, registering with epoll(7), a timer. No other thread is woken.
//!
//! **Fails when** a task computes or blocks: all others wait, as in any event loop. It uses one core.

use std::io;

use super::{Attention, Bilingual, Capacity, Model, tokio as work_stealing};
use crate::runtime;
use crate::server::Server;
use crate::settings::FirstRead;

pub(super) const MODEL: Model = Model {
    name: "tokio-current-thread",
    page: include_str!("tokio_current_thread.rs"),
    title: Bilingual {
        en: "Async on one thread (Tokio)",
        es: "Asíncrono en un hilo (Tokio)",
    },
    summary: Bilingual {
        en: "A task on Tokio's one-thread runtime talks to each client.",
        es: "Una tarea del entorno de un solo hilo de Tokio atiende a cada cliente.",
    },
    choose: Bilingual {
        en: "Clients are many and wait, and one core is enough: tasks then share data without locks.",
        es: "Los clientes son muchos y esperan, y basta un núcleo: las tareas comparten datos sin cerrojos.",
    },
    attention: Attention::Task,
    capacity: Capacity::Unbounded,
    first_reads: FirstRead::CHOICE,
    serve,
    ..Model::COMMON
};

fn serve(server: &'static Server) -> io::Result<()> {
    runtime::on_this_thread()?.block_on(work_stealing::accept(server))
}
