//! # Pre-forked: processes that are there before the clients
//!
//! **Idea.** A fixed number of processes is forked at the start. Each is an iterative server of its own; all of them
//! accept from the same queue. The parent only replaces processes that die.
//!
//! ```text
//!                      ┌▶ process: accept ▶ converse ▶ close ─┐
//! client ─ listener ───┼▶ process: accept ▶ converse ▶ close ─┤◀── parent: waits, replaces
//!                      └▶ process: accept ▶ converse ▶ close ─┘
//! ```
//!
//! **Cost per client.** A switch to the process that the kernel wakes. The processes are created only once.
//!
//! **Fails when** slow clients keep all processes waiting: the next client waits too. A crash ends one connection.

use std::io;

use super::{Attention, BLOCKING_WORKERS_PER_CPU, Bilingual, Capacity, Model, iterative};
use crate::server::Server;
use crate::settings::Accept;
use crate::workers::{WorkerMain, Workers};

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
    choose: Bilingual {
        en: "A crash must harm one client only, and requests are short.",
        es: "Un fallo solo debe dañar a un cliente, y las peticiones son cortas.",
    },
    attention: Attention::Process,
    capacity: Capacity::Workers,
    accept: &[
        Accept::Shared,
        Accept::Locked,
        Accept::Reuseport,
        Accept::Passed,
    ],
    workers_per_cpu: BLOCKING_WORKERS_PER_CPU,
    serve,
    ..Model::COMMON
};

fn serve(server: &'static Server) -> io::Result<()> {
    run_processes(server, iterative::serve)
}

/// Keeps all of the server's worker processes running `work`.
pub(super) fn run_processes(server: &'static Server, work: WorkerMain) -> io::Result<()> {
    let mut workers = Workers::new(server)?;
    while let Some(missing) = workers.next_missing_worker()? {
        workers.spawn_worker(missing, work)?;
    }
    workers.drain();
    Ok(())
}
