//! The arguments of `hola serve`.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use hola_base::process::Cpus;

use super::values::{ModelName, addresses, deadlines, size, stack};
use crate::conversation::Protocol;
use crate::drive::Timeouts;
use crate::models::Model;
use crate::one_client::OneClient;
use crate::settings::{Accept, BACKLOG_DEFAULT, FirstRead};

/// Arguments of `serve`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola serve iterative
  hola serve tokio --bind 127.0.0.1:0 --workers 2
  hola serve thread-per-client --max-clients 100 --stats json
  hola serve pre-forked --workers 8 --accept locked
  hola serve epoll-per-core --workers 4 --processes
  hola serve epoll --first-read at-once
  hola serve thread-per-client --conversation ack --log
  hola console epoll --page          serve, watch it in the browser, and answer a chat

The first line on stdout is `MODEL listening on ADDRESS`, once all workers accept clients. SIGTERM or Ctrl-C stops the
server: it answers the clients that it serves and ends with code 0, or with code 1 if that takes more than 5 s.
For experiments, an HTTP server also answers /wait/MS, /block/MS, /compute/ROUNDS, /bytes/N and /count.
Exit codes: 0 ok, 1 error while running, 2 usage, 3 the server did not start.")]
pub struct ServeArgs {
    /// Concurrency model to serve with; `hola models` lists them
    #[arg(value_name = "MODEL", value_parser = ModelName, hide_possible_values = true)]
    pub(super) model: &'static Model,
    /// Address or name, and port, to listen on; a port alone means 127.0.0.1, and port 0 takes a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = addresses)]
    pub(super) bind: Box<[SocketAddr]>,
    /// Protocol that clients and server speak
    #[arg(long, value_enum, default_value_t = Protocol::Http)]
    pub(super) conversation: Protocol,
    /// Most connections that wait to be accepted; the kernel may allow fewer (net.core.somaxconn)
    #[arg(long, value_name = "N", default_value_t = BACKLOG_DEFAULT, value_parser = clap::value_parser!(u32).range(1..=65_535))]
    pub(super) backlog: u32,
    /// Number of threads or processes, if the model has a fixed number [default: 4 per CPU if each serves one client at a time, else 1 per CPU]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=2048))]
    pub(super) workers: Option<u16>,
    /// Most clients that are connected at once; later ones wait [default: 1024 with threads, 256 with processes; never more than the limit on open files allows]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) max_clients: Option<u32>,
    /// How workers share new clients; `hola models --json` shows what each model can do
    #[arg(long, value_enum)]
    pub(super) accept: Option<Accept>,
    /// What a loop or a task does first with a new client; `hola models --json` shows which models can choose [default: when-ready]
    #[arg(long, value_enum, value_name = "WHEN")]
    pub(super) first_read: Option<FirstRead>,
    /// Size of each client's stack, if the model gives it one, from 16K on [default: 64K]
    #[arg(long, value_name = "SIZE", value_parser = stack)]
    pub(super) stack: Option<u64>,
    /// Close a connection when the server has waited for its client for so many seconds; `off` for never [default: 5 for a request, 300 for a message, 10 for the client to take an answer]
    #[arg(long, value_name = "SECONDS", value_parser = deadlines)]
    pub(super) deadlines: Option<Timeouts>,
    /// Make the workers processes instead of threads, if the model can have either
    #[arg(long)]
    pub(super) processes: bool,
    /// Allocate and fill so much memory before serving, such as 500M: each fork then has more page tables to copy
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = size)]
    pub(super) ballast: u64,
    /// Keep the CPU busy for so many nanoseconds before each answer: a known difference that a comparison has to find
    #[arg(long, value_name = "NS", default_value_t = 0, hide = true)]
    pub(super) extra_work_ns: u64,
    /// Crash when a client asks for `/crash/panic`, `/crash/abort` or `/crash/segv`
    #[arg(long)]
    pub(super) allow_crash: bool,
    /// Write to stderr what clients send, and when they come and leave; lines that stderr does not take at once are dropped and counted
    #[arg(long)]
    pub(super) log: bool,
    /// CPUs to run on, such as 0 or 0,2-3 [default: all]
    #[arg(long, value_name = "LIST")]
    pub(super) cpus: Option<Cpus>,
    /// Print counters to stderr at the end; `json` adds the settings
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(super) stats: Option<StatsFormat>,
    /// Give the counters, and the events of a chat, to the operator at this descriptor, which the program was started with
    #[arg(long, value_name = "FD", hide = true)]
    pub(super) operator: Option<i32>,
    /// Talk to one client only, whose connection this program was started with
    #[arg(long, value_name = "JSON", hide = true, value_parser = |text: &str| serde_json::from_str::<OneClient>(text))]
    pub(super) one_client: Option<OneClient>,
    /// Be killed when this process, which must be the parent, ends
    #[arg(long, value_name = "PID", hide = true)]
    pub(super) parent: Option<i32>,
}

/// How counters are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum StatsFormat {
    /// One line of JSON
    Json,
    /// A line for each counter
    Text,
}
