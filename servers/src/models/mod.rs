//! The table of models, in teaching order: the single source for the command line, the tests, the documents and the
//! reports. A model is one file and one line here.

mod fork_per_client;
mod iterative;
mod thread_per_client;
mod tokio;

use std::{fmt, io};

use serde::Serialize;

use crate::server::Server;

/// A way of giving clients the server's attention. It decides who runs a conversation, nothing else.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Model {
    /// Name on the command line, in tests and in reports.
    pub name: &'static str,
    /// Title in both languages.
    pub title: Bilingual,
    /// Who runs a conversation, in one sentence in both languages.
    pub summary: Bilingual,
    /// What one client costs.
    pub attention: Attention,
    /// How many clients are served at once.
    pub capacity: Capacity,
    /// Serves until the server is told to stop.
    #[serde(skip)]
    pub serve: fn(&'static Server) -> io::Result<()>,
}

/// One text in English and in Spanish.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Bilingual {
    /// English.
    pub en: &'static str,
    /// Spanish.
    pub es: &'static str,
}

/// What the server spends on one client for as long as it is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Attention {
    /// A turn of a loop.
    Nothing,
    /// A task of a runtime.
    Task,
    /// A thread of the operating system.
    Thread,
    /// A process.
    Process,
}

impl Attention {
    /// Clients held at once unless told otherwise. Threads and processes run a machine down long before descriptors do.
    pub fn clients_max(self, descriptors: u32) -> u32 {
        match self {
            Attention::Process => 256,
            Attention::Thread => 1024,
            // The rest of the descriptors: listener, standard streams, the runtime's own.
            Attention::Nothing | Attention::Task => descriptors.saturating_sub(32),
        }
    }
}

impl fmt::Display for Attention {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Attention::Nothing => "nothing",
            Attention::Task => "task",
            Attention::Thread => "thread",
            Attention::Process => "process",
        })
    }
}

/// How many clients a model serves at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Capacity {
    /// One: the others wait for it to leave.
    One,
    /// As many as come, up to the cap that every model has.
    Unbounded,
}

/// Every model, in teaching order.
pub const MODELS: &[Model] = &[
    iterative::MODEL,
    fork_per_client::MODEL,
    thread_per_client::MODEL,
    tokio::MODEL,
];

/// The model of that name.
pub fn find(name: &str) -> Option<&'static Model> {
    MODELS.iter().find(|model| model.name == name)
}
