//! # A loop over io_uring(7) per core
//!
//! **Idea.** As many completion loops as there are cores, each with a ring and a listener of its own on the same port
//! (`SO_REUSEPORT`). The kernel assigns each client to a listener; the loops share nothing. They are threads: the kernel
//! ends the ring of a killed process only some time later, and until then its accepts take clients that nobody answers.
//!
//! ```text
//!            ┌▶ listener ▶ loop over io_uring    core 0
//! client ────┤    (the kernel assigns)
//!            └▶ listener ▶ loop over io_uring    core 1
//! ```
//!
//! **Cost per client.** As in a single loop; the other loops do no work for it.
//!
//! **Fails when** the kernel assigns clients unevenly: a client of a busy loop waits while another loop is idle. Many
//! systems forbid io_uring.

use std::io;

use super::{Attention, Bilingual, Capacity, Model, io_uring};
use crate::server::Server;
use crate::settings::Accept;
use crate::workers::run_threads;

pub(super) const MODEL: Model = Model {
    name: "io-uring-per-core",
    page: include_str!("io_uring_per_core.rs"),
    title: Bilingual {
        en: "Completion loop per core",
        es: "Un bucle de finalizaciones por núcleo",
    },
    summary: Bilingual {
        en: "A loop over io_uring(7) on each core serves the clients the kernel deals to it.",
        es: "En cada núcleo, un bucle sobre io_uring(7) atiende a los clientes que el sistema le reparte.",
    },
    choose: Bilingual {
        en: "The same, with all cores.",
        es: "Lo mismo, con todos los núcleos.",
    },
    attention: Attention::Nothing,
    capacity: Capacity::Unbounded,
    accept: &[Accept::Reuseport, Accept::Shared],
    available: io_uring::available,
    serve,
    ..Model::COMMON
};

fn serve(server: &'static Server) -> io::Result<()> {
    run_threads(server, io_uring::serve)
}
