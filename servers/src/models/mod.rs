//! The table of models, in teaching order: the single source for the command line, the tests, the documents and the
//! reports. A model is one file and one line here.

mod epoll;
mod epoll_per_core;
mod fork_per_client;
mod io_uring;
mod iterative;
mod poll;
mod pre_forked;
mod pre_threaded;
mod selector_threads;
mod thread_per_client;
mod thread_pool;
mod tokio;
mod tokio_current_thread;

use std::{fmt, io};

pub use hola_base::Text as Bilingual;
use serde::Serialize;

pub(crate) use self::thread_per_client::STACK_OCTETS;
use crate::server::Server;
use crate::settings::Accept;

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
    /// How its acceptors may share the clients, the usual way first; none for a model with one acceptor.
    pub accept: &'static [Accept],
    /// Workers for each CPU, unless told otherwise, of a model with a fixed number of them.
    pub workers_per_cpu: usize,
    /// Whether its workers may be processes instead of threads.
    pub threads_or_processes: bool,
    /// Whether this system has what the model needs; why not, in one plain sentence.
    #[serde(skip)]
    pub available: fn() -> Result<(), String>,
    /// Serves until the server is told to stop.
    #[serde(skip)]
    pub serve: fn(&'static Server) -> io::Result<()>,
}

impl Model {
    /// What most models have in common: one acceptor, nothing to choose, available everywhere.
    const COMMON: Model = Model {
        name: "",
        title: Bilingual { en: "", es: "" },
        summary: Bilingual { en: "", es: "" },
        attention: Attention::Nothing,
        capacity: Capacity::Unbounded,
        accept: &[],
        workers_per_cpu: 1,
        threads_or_processes: false,
        available: || Ok(()),
        serve: |_| Ok(()),
    };

    /// Clients served at once by that many workers; `None` is as many as come.
    pub fn serves_at_once(&self, workers: usize) -> Option<usize> {
        match self.capacity {
            Capacity::One => Some(1),
            Capacity::Workers => Some(workers),
            Capacity::Unbounded => None,
        }
    }
}

/// Workers for each CPU that block with their client: enough that some can go on while others wait.
const BLOCKING_WORKERS_PER_CPU: usize = 4;

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
    /// As many as there are workers: the next waits for one of them.
    Workers,
    /// As many as come, up to the cap that every model has.
    Unbounded,
}

impl fmt::Display for Capacity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Capacity::One => "one",
            Capacity::Workers => "as many as workers",
            Capacity::Unbounded => "unbounded, capped",
        })
    }
}

/// Every model, in teaching order.
pub const MODELS: &[Model] = &[
    iterative::MODEL,
    fork_per_client::MODEL,
    pre_forked::MODEL,
    thread_per_client::MODEL,
    pre_threaded::MODEL,
    thread_pool::MODEL,
    selector_threads::MODEL,
    poll::MODEL,
    epoll::MODEL,
    epoll_per_core::MODEL,
    tokio_current_thread::MODEL,
    tokio::MODEL,
    io_uring::MODEL,
];

/// The model of that name.
pub fn find(name: &str) -> Option<&'static Model> {
    MODELS.iter().find(|model| model.name == name)
}
