//! # A loop per core
//!
//! **Idea.** As many event loops as there are cores, each with a listener of its own on the same port (`SO_REUSEPORT`).
//! The kernel assigns each client to a listener; the loops share nothing. They are threads, or processes on request.
//!
//! ```text
//!            ┌▶ listener ▶ loop over epoll    core 0
//! client ────┤    (the kernel assigns)
//!            └▶ listener ▶ loop over epoll    core 1
//! ```
//!
//! **Cost per client.** As in a single loop; the other loops do no work for it.
//!
//! **Fails when** the kernel assigns clients unevenly. It chooses by the client's address, not by the load of a loop: a
//! client of a busy loop waits while another loop is idle.

use std::io;

use super::{Attention, Bilingual, Capacity, Model, epoll, pre_forked};
use crate::server::Server;
use crate::settings::{Accept, FirstRead};
use crate::workers::run_threads;

pub(super) const MODEL: Model = Model {
    name: "epoll-per-core",
    page: include_str!("epoll_per_core.rs"),
    title: Bilingual {
        en: "Event loop per core",
        es: "Un bucle de eventos por núcleo",
    },
    summary: Bilingual {
        en: "A loop over epoll(7) on each core serves the clients the kernel deals to it.",
        es: "En cada núcleo, un bucle sobre epoll(7) atiende a los clientes que el sistema le reparte.",
    },
    choose: Bilingual {
        en: "The same, with all cores, and clients that share little.",
        es: "Lo mismo, con todos los núcleos, y clientes que comparten poco.",
    },
    attention: Attention::Nothing,
    capacity: Capacity::Unbounded,
    accept: &[Accept::Reuseport, Accept::Shared, Accept::Exclusive],
    first_reads: FirstRead::CHOICE,
    threads_or_processes: true,
    serve,
    ..Model::COMMON
};

fn serve(server: &'static Server) -> io::Result<()> {
    if server.settings().processes {
        pre_forked::run_processes(server, epoll::serve)
    } else {
        run_threads(server, epoll::serve)
    }
}
