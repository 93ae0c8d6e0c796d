//! # Pre-threaded: threads that are there before the clients
//!
//! **Idea.** A fixed number of threads is made at the start. Each is an iterative server of its own; all of them wait
//! at the same door.
//!
//! ```text
//!                      ┌▶ thread: accept ▶ converse ▶ close
//! client ─ listener ───┼▶ thread: accept ▶ converse ▶ close      one address space
//!                      └▶ thread: accept ▶ converse ▶ close
//! ```
//!
//! **Cost per client.** A switch to whichever thread the kernel wakes. The threads are paid for once.
//!
//! **Fails when** all of them are kept waiting by slow clients: the next one waits too. A crash takes every client
//! along.

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
