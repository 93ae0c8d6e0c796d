//! # Pre-forked: processes that are there before the clients
//!
//! **Idea.** A fixed number of processes is forked at the start. Each is an iterative server of its own; all of them
//! wait at the same door. The parent does nothing but replace those that die.
//!
//! ```text
//!                      ┌▶ process: accept ▶ converse ▶ close ─┐
//! client ─ listener ───┼▶ process: accept ▶ converse ▶ close ─┤◀── parent: waits, replaces
//!                      └▶ process: accept ▶ converse ▶ close ─┘
//! ```
//!
//! **Cost per client.** A switch to whichever process the kernel wakes. The processes are paid for once.
//!
//! **Fails when** all of them are kept waiting by slow clients: the next one waits too. A crash takes along one client.

use std::io;

use super::{Attention, BLOCKING_WORKERS_PER_CPU, Bilingual, Capacity, Model, iterative};
use crate::server::Server;
use crate::settings::Accept;
use crate::workers::{Work, Workers};

pub(super) const MODEL: Model = Model {
    name: "pre-forked",
    page: include_str!("pre_forked.rs"),
    title: Bilingual {
        en: "Pre-forked processes",
        es: "Procesos creados de antemano",
    },
    summary: Bilingual {
        en: "Processes forked at the start take turns at accepting and talk to one client each.",
        es: "Procesos creados al arrancar se turnan para aceptar y atienden a un cliente cada uno.",
    },
    attention: Attention::Process,
    capacity: Capacity::Workers,
    accept: &[Accept::Shared, Accept::Locked, Accept::Reuseport],
    workers_per_cpu: BLOCKING_WORKERS_PER_CPU,
    serve,
    ..Model::COMMON
};

fn serve(server: &'static Server) -> io::Result<()> {
    keep_working(server, iterative::serve)
}

/// Keeps all of the server's worker processes at `work`.
pub(super) fn keep_working(server: &'static Server, work: Work) -> io::Result<()> {
    let mut workers = Workers::of(server)?;
    while let Some(vacancy) = workers.next_vacancy()? {
        workers.hire(vacancy, work)?;
    }
    workers.drain();
    Ok(())
}
