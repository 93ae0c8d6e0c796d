//! # Iterative: one after another
//!
//! **Idea.** The loop that accepts a client also talks to it. It accepts the next client only after this one has left.
//!
//! ```text
//! client 1 ──┐
//! client 2 ──┼─ accept queue ──▶ accept ▶ converse ▶ close ─┐
//! client 3 ──┘                     ▲────────────────────────┘
//! ```
//!
//! **Cost per client.** Nothing but the conversation itself. Every other model is measured against this one.
//!
//! **Fails when** a client is slow: all the others wait for it, and no second core can help.

use std::io;

use super::{Attention, Bilingual, Capacity, Model};
use crate::server::Server;

pub(super) const MODEL: Model = Model {
    name: "iterative",
    page: include_str!("iterative.rs"),
    title: Bilingual {
        en: "Iterative",
        es: "Iterativo",
    },
    summary: Bilingual {
        en: "The accept loop itself talks to each client, one after another.",
        es: "El propio bucle de aceptación atiende a cada cliente, uno tras otro.",
    },
    choose: Bilingual {
        en: "One client at a time is enough: a tool for one person, a first version, the measure of all others.",
        es: "Basta con un cliente a la vez: una herramienta para una persona, una primera versión, la medida de los demás.",
    },
    attention: Attention::Nothing,
    capacity: Capacity::One,
    serve,
    ..Model::COMMON
};

pub(super) fn serve(server: &'static Server) -> io::Result<()> {
    for client in server.clients()? {
        server.converse(client);
    }
    Ok(())
}
