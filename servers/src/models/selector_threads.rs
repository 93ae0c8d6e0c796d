//! # A selector for the listener, a thread per client
//!
//! **Idea.** The acceptor never blocks in accept(2): it waits in poll(2) until the accept queue has clients, and then
//! accepts all of them. Each client gets a thread of its own. The hybrid is said to make a threaded server scale.
//!
//! ```text
//!                       ┌▶ thread ▶ converse ▶ close
//! poll ▶ accept ────────┼▶ thread ▶ converse ▶ close
//!   ▲──── queue empty ──┴▶ thread ▶ converse ▶ close
//! ```
//!
//! **Cost per client.** A thread, as without the selector, and a share of a poll and of an accept on an empty queue.
//!
//! **Fails when** a thread per client does. The selector waits for one socket only, so it saves no thread.

use std::io;

use super::{Attention, Bilingual, Capacity, Model, thread_per_client};
use crate::server::Server;

pub(super) const MODEL: Model = Model {
    name: "selector-threads",
    page: include_str!("selector_threads.rs"),
    title: Bilingual {
        en: "Selector and threads",
        es: "Selector e hilos",
    },
    summary: Bilingual {
        en: "A selector waits for clients; a new thread talks to each.",
        es: "Un selector espera a los clientes; un hilo nuevo atiende a cada uno.",
    },
    choose: Bilingual {
        en: "An acceptor has to watch something else, too; otherwise a thread per client does the same.",
        es: "Quien acepta debe vigilar también otra cosa; si no, un hilo por cliente hace lo mismo.",
    },
    attention: Attention::Thread,
    capacity: Capacity::Unbounded,
    serve,
    ..Model::COMMON
};

fn serve(server: &'static Server) -> io::Result<()> {
    thread_per_client::attend_each(server, server.selected_clients()?)
}
