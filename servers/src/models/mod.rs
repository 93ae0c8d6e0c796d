//! The table of models, in teaching order: the single source for the command line, the tests, the documents and the
//! reports. A model is one file and one line here.

mod coroutine_per_client;
mod epoll;
mod epoll_per_core;
mod fork_exec_per_client;
mod fork_per_client;
mod io_uring;
mod io_uring_per_core;
mod iterative;
mod loop_and_pool;
mod poll;
mod pre_forked;
mod pre_threaded;
mod select;
mod selector_threads;
mod thread_per_client;
mod thread_pool;
mod tokio;
mod tokio_current_thread;

use std::{fmt, io};

pub use hola_base::Text as Bilingual;
use serde::Serialize;

pub(crate) use self::thread_per_client::STACK_BYTES;
use crate::server::Server;
use crate::settings::{Accept, ClientLimit, FirstRead};
use crate::sys::ring::Ring;

/// A concurrency model: it decides which thread, process or task runs a conversation, and nothing else.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Model {
    /// Name on the command line, in tests and in reports.
    pub name: &'static str,
    /// Its page: the source of its file.
    #[serde(skip)]
    pub page: &'static str,
    /// Title in both languages.
    pub title: Bilingual,
    /// What runs a conversation, in one sentence in both languages.
    pub summary: Bilingual,
    /// When to choose it, in both languages.
    pub choose: Bilingual,
    /// What one client costs.
    pub attention: Attention,
    /// How many clients are served at once.
    pub capacity: Capacity,
    /// Most descriptors that it can wait for, if its system call sets a limit of its own.
    pub descriptors_max: Option<u32>,
    /// How its acceptors may share the clients, the default first; none for a model with one acceptor.
    pub accept: &'static [Accept],
    /// What it may do with a new client first, the default first; none for a model that always waits for the client in
    /// the first read itself.
    pub first_reads: &'static [FirstRead],
    /// Whether each client has a stack, whose size can be chosen.
    pub has_stacks: bool,
    /// Default number of workers for each CPU, of a model with a fixed number of them.
    pub workers_per_cpu: usize,
    /// Whether its workers may be processes instead of threads.
    pub threads_or_processes: bool,
    /// Whether this system has what the model needs; if not, the error says why in one plain sentence.
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
        page: "",
        title: Bilingual { en: "", es: "" },
        summary: Bilingual { en: "", es: "" },
        choose: Bilingual { en: "", es: "" },
        attention: Attention::Nothing,
        capacity: Capacity::Unbounded,
        descriptors_max: None,
        accept: &[],
        first_reads: &[],
        has_stacks: false,
        workers_per_cpu: 1,
        threads_or_processes: false,
        available: || Ok(()),
        serve: |_| Ok(()),
    };

    /// Lines of code on its page, without comments, blank lines and the description of the model.
    pub fn lines_of_code(&self) -> usize {
        let code = |page: &str| {
            let is_code = |line: &&str| !line.is_empty() && !line.starts_with("//");
            page.lines().map(str::trim).filter(is_code).count()
        };
        let description = self.page.split_once("const MODEL: Model = ");
        let description = description.and_then(|(_, rest)| rest.split_once("};"));
        // The rest of its first line counts as one line; its last line was cut off, so 1 is added.
        let described = description.map_or(0, |(inside, _)| code(inside) + 1);
        code(self.page) - described
    }

    /// Clients served at once by that many workers; `None` if the model sets no limit.
    pub fn serves_at_once(&self, workers: usize) -> Option<usize> {
        match self.capacity {
            Capacity::One => Some(1),
            Capacity::Workers => Some(workers),
            Capacity::Unbounded => None,
        }
    }

    /// Most clients held at once, and what limits them: `asked`, or as many threads or processes as a machine can run,
    /// but never more than there are descriptors for. In every model, a client costs one descriptor of the process that
    /// accepts it, and one of several processes may accept all of them.
    pub fn clients_max(
        &self,
        asked: Option<u32>,
        descriptors: u32,
        workers: usize,
        accept: Option<Accept>,
    ) -> (u32, ClientLimit) {
        let own = self.descriptors_without_clients(workers, accept);
        let (descriptors, limit) = match self.descriptors_max {
            Some(most) if most < descriptors => (most, ClientLimit::FdSetSize),
            _ => (descriptors, ClientLimit::Descriptors),
        };
        let for_clients = (descriptors.saturating_sub(own), limit);
        let wanted = match (asked, self.attention) {
            (Some(asked), _) => (asked, ClientLimit::Asked),
            (None, attention) => attention.clients_max().unwrap_or(for_clients),
        };
        if wanted.0 > for_clients.0 {
            for_clients
        } else {
            wanted
        }
    }

    /// Descriptors that a server may need beside those of its clients.
    pub fn descriptors_without_clients(&self, workers: usize, accept: Option<Accept>) -> u32 {
        let of_its_own = match accept {
            // A listener, or a handle on the lock.
            Some(Accept::Reuseport | Accept::Locked) => 1,
            // The two ends of its channel.
            Some(Accept::Passed) => 2,
            Some(Accept::Shared | Accept::Exclusive) | None => 0,
        };
        let of_its_loop = match (self.capacity, accept) {
            // A selector, and the clients that several acceptors may accept beyond the cap together.
            (Capacity::Unbounded, Some(_)) => 1 + Ring::ACCEPTS,
            (Capacity::Unbounded, None) | (Capacity::One | Capacity::Workers, _) => 0,
        };
        let workers = u32::try_from(workers).unwrap_or(u32::MAX);
        DESCRIPTORS_OWN.saturating_add(workers.saturating_mul(of_its_own + of_its_loop))
    }
}

/// Descriptors of a server without clients and further workers: standard streams, listener, the pipe of the stop,
/// selector or runtime, and what it may have inherited.
const DESCRIPTORS_OWN: u32 = 32;

/// Blocking workers for each CPU: enough that some can run while others wait for their client.
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
    /// Default cap on the clients held at once, and what limits them; `None` if only descriptors do. Threads and
    /// processes overload a machine long before descriptors run out.
    pub fn clients_max(self) -> Option<(u32, ClientLimit)> {
        match self {
            Attention::Process => Some((256, ClientLimit::Processes)),
            Attention::Thread => Some((1024, ClientLimit::Threads)),
            Attention::Nothing | Attention::Task => None,
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
    fork_exec_per_client::MODEL,
    fork_per_client::MODEL,
    pre_forked::MODEL,
    thread_per_client::MODEL,
    pre_threaded::MODEL,
    thread_pool::MODEL,
    selector_threads::MODEL,
    select::MODEL,
    poll::MODEL,
    epoll::MODEL,
    epoll_per_core::MODEL,
    loop_and_pool::MODEL,
    coroutine_per_client::MODEL,
    tokio_current_thread::MODEL,
    tokio::MODEL,
    io_uring::MODEL,
    io_uring_per_core::MODEL,
];

/// The classic models, those of the textbooks, and the modern ones, from epoll(7) on.
pub fn classics_and_moderns() -> (&'static [Model], &'static [Model]) {
    let modern = MODELS
        .iter()
        .position(|model| model.name == epoll::MODEL.name);
    MODELS.split_at(modern.unwrap_or(MODELS.len()))
}

/// The model of that name.
pub fn find(name: &str) -> Option<&'static Model> {
    MODELS.iter().find(|model| model.name == name)
}
