//! The generator against servers that log the truth, and its parts against their specification. One program, since
//! none of these tests needs a quiet machine.

mod engines;
mod hostile;
mod loops;
mod response;
mod schedule;
mod seeded;
#[path = "../truth/mod.rs"]
mod truth;

use std::net::SocketAddr;

use hola_loadgen::{Engine, Workload};

/// The engines that this machine has; at least readiness.
fn engines() -> Vec<Engine> {
    let mut engines = vec![Engine::Readiness];
    match Engine::Completion.unavailable() {
        None => engines.push(Engine::Completion),
        Some(reason) => eprintln!("skipped: completion: {reason}"),
    }
    engines
}

/// [`truth::load`] by this engine.
fn load_by(engine: Engine, address: SocketAddr, clients: u32, requests: u64) -> Workload {
    Workload {
        engine,
        ..truth::load(address, clients, requests)
    }
}
