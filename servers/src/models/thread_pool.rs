//! # Thread pool: one acceptor, a bounded queue, a few threads
//!
//! **Idea.** One thread accepts and puts each client into a queue. The threads of a pool (Rayon's) take clients out of
//! it. The queue is bounded: when it is full, clients are refused at once instead of waiting for an answer that comes
//! too late.
//!
//! ```text
//!                             ┌▶ pool thread ▶ converse ▶ close
//! accept ──▶ bounded queue ───┤
//!    └─ full: 503             └▶ pool thread ▶ converse ▶ close
//! ```
//!
//! **Cost per client.** An entry in the queue, waking a thread that sleeps, and a switch from the acceptor to it.
//!
//! **Fails when** slow clients keep all threads waiting: the queue fills and the rest are refused.

use std::io;

use rayon::ThreadPoolBuilder;

use super::{Attention, BLOCKING_WORKERS_PER_CPU, Bilingual, Capacity, Model};
use crate::context::ErrorContext;
use crate::server::Server;

pub(super) const MODEL: Model = Model {
    name: "thread-pool",
    page: include_str!("thread_pool.rs"),
    title: Bilingual {
        en: "Thread pool",
        es: "Grupo de hilos",
    },
    summary: Bilingual {
        en: "One thread accepts; the threads of a pool (Rayon) talk to the clients in its bounded queue.",
        es: "Un hilo acepta; los hilos de un grupo (Rayon) atienden a los clientes de su cola limitada.",
    },
    choose: Bilingual {
        en: "Too much work is to be refused at once rather than answered late.",
        es: "El trabajo de más se debe rechazar enseguida en vez de responderse tarde.",
    },
    attention: Attention::Thread,
    capacity: Capacity::Workers,
    workers_per_cpu: BLOCKING_WORKERS_PER_CPU,
    serve,
    ..Model::COMMON
};

fn serve(server: &'static Server) -> io::Result<()> {
    let workers = server.settings().workers;
    let pool = ThreadPoolBuilder::new().num_threads(workers).build();
    let pool = pool
        .map_err(io::Error::other)
        .context(|| format!("cannot make a pool of {workers} threads"))?;
    for client in server.clients()? {
        if server.queue_is_full(workers) {
            client.refuse();
        } else {
            pool.spawn(move || server.converse(client));
        }
    }
    server.drain();
    Ok(())
}
