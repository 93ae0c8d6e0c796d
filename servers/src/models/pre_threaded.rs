//! # Pre-threaded: threads that are there before the clients
//!
//! **Idea.** A fixed number of threads is created at the start. Each is an iterative server of its own; all of them
//! accept from the same queue.
//!
//! ```text
//!                      ┌▶ thread: accept ▶ converse ▶ close
//! client ─ listener ───┼▶ thread: accept ▶ converse ▶ close      one address space
//!                      └▶ thread: accept ▶ converse ▶ close
//! ```
//!
//! **Cost per client.** A switch to the thread that the kernel wakes. The threads are created only once.
//!
//! **Fails when** slow clients keep all threads waiting: the next client waits too. A crash ends every connection.

use std::io;

use super::{Attention, BLOCKING_WORKERS_PER_CPU, Bilingual, Capacity, Model, iterative};
use crate::server::Server;
use crate::settings::Accept;
use crate::workers::run_threads;

pub(super) const MODEL: Model = Model {
    name: "pre-threaded",
    page: include_str!("pre_threaded.rs"),
    title: Bilingual {
        en: "Pre-created threads",
        es: "Hilos creados de antemano",
    },
    summary: Bilingual {
        en: "Threads made at the start take turns at accepting and talk to one client each.",
        es: "Hilos creados al arrancar se turnan para aceptar y atienden a un cliente cada uno.",
    },
    choose: Bilingual {
        en: "Requests are short, and only so many clients are served at once.",
        es: "Las peticiones son cortas, y solo se atiende a un número fijo de clientes a la vez.",
    },
    attention: Attention::Thread,
    capacity: Capacity::Workers,
    accept: &[Accept::Shared, Accept::Locked, Accept::Reuseport],
    workers_per_cpu: BLOCKING_WORKERS_PER_CPU,
    serve,
    ..Model::COMMON
};

fn serve(server: &'static Server) -> io::Result<()> {
    run_threads(server, iterative::serve)
}
