//! # An event loop with a pool of helpers
//!
//! **Idea.** One loop over epoll(7) reads, writes and waits for all clients, but does nothing that takes long: it hands
//! a request that computes or blocks to a helper thread, serves the others meanwhile, and answers once the helper is
//! done. The queue before the helpers is bounded: when it is full, the client is refused.
//!
//! ```text
//!           ┌──────── loop over epoll ◀───────┐
//!           ▼                                 │ done (eventfd)
//!  bounded queue ──▶ helper ▶ compute, block ─┤
//!    └─ full: 503 ──▶ helper ▶ compute, block ┘
//! ```
//!
//! **Cost per client.** As in an event loop. A long request also costs a pass through the queue, a switch to a helper
//! and back, and leaving and entering the kernel's list. (AMPED: Pai et al., *Flash*, 1999; SEDA: Welsh et al., 2001.)
//!
//! **Fails when** something takes long that nobody thought of: in the loop itself, it makes all others wait.

use std::io;

use super::{Attention, BLOCKING_WORKERS_PER_CPU, Bilingual, Capacity, Model};
use crate::helpers::{Helper, HelperPool};
use crate::loops::{self, StateMachine};
use crate::server::Server;
use crate::settings::FirstRead;

pub(super) const MODEL: Model = Model {
    name: "loop-and-pool",
    page: include_str!("loop_and_pool.rs"),
    title: Bilingual {
        en: "Event loop and thread pool",
        es: "Bucle de eventos y grupo de hilos",
    },
    summary: Bilingual {
        en: "One loop over epoll(7) serves all clients; helper threads do what takes long.",
        es: "Un bucle sobre epoll(7) atiende a todos; unos hilos ayudantes hacen lo que tarda.",
    },
    choose: Bilingual {
        en: "Clients are many, and some of their requests block or compute.",
        es: "Los clientes son muchos, y algunas de sus peticiones bloquean o calculan.",
    },
    attention: Attention::Nothing,
    capacity: Capacity::Unbounded,
    first_reads: FirstRead::CHOICE,
    workers_per_cpu: BLOCKING_WORKERS_PER_CPU,
    serve,
    ..Model::COMMON
};

fn serve(server: &'static Server) -> io::Result<()> {
    let pool = HelperPool::start(server.settings(), help)?;
    loops::select::<StateMachine>(server, loops::epoll()?, Some(pool))
}

/// The whole life of a helper. Its loop hands over and takes back in [`loops::select`].
fn help(helper: &Helper<StateMachine>) {
    while let Some((key, mut client)) = helper.next_job() {
        let survived = client.work();
        helper.finish(key, survived.then_some(client));
    }
}
