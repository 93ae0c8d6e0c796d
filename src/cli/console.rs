//! `hola console`: serves with an operator, who sees what happens at the terminal or on a page in the browser.

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use hola_base::output::say;
use hola_servers::cli::ModelName;
use hola_servers::conversation::Protocol;
use hola_servers::models::Model;

use super::{Interruption, RUN_ERROR, USAGE};
use crate::console::{self, ConsoleSettings};

/// Arguments of `console`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola console epoll                              a chat, at this terminal
  hola console epoll --page                       the same, and a page in the browser
  hola console tokio --page --conversation http   the page of an HTTP server: what it does, live
  hola console fork-per-client --bind 127.0.0.1:9000 --page=9090
  hola console pre-forked -- --workers 4
  hola client 127.0.0.1:8080                      a participant, in another terminal

Any plain TCP client can take part in a chat. Each has a number, and its messages are printed as
`[3] text`, with control characters escaped. Write `3 text` to answer client 3, `* text` to answer
all, and `salir` to end the server. A client that does not read loses the oldest of 64 messages
that wait for it, and nobody else notices.

The page shows the server live: clients, requests per second, threads, processes, CPU, memory,
workers, refused and broken connections, and the response time that 20 small requests per second
meet. It shows a chat and answers it, or puts 2,000 requests per second on the server for 10 s.
It is in English or Spanish, as the browser asks or with `&lang=es`. Its address contains a secret;
without it, and from other machines, the page does not open.

For those who have no terminal, a chat has a second page, whose address has a secret of its own.
Each such page that is open is one client, which the console connects and which leaves with the
page: it writes lines of up to 1,023 bytes, reads what the operator answers, and does nothing else.
64 can be open at once, and in one browser six pages of one console.

Exit codes: 0 ok, 1 error while running, 2 usage, 3 the server did not start, 130 interrupted.")]
pub(super) struct ConsoleArgs {
    /// Concurrency model to serve with; `hola models` lists them
    #[arg(value_name = "MODEL", value_parser = ModelName, hide_possible_values = true)]
    model: &'static Model,
    /// Address and port to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    bind: String,
    /// Also show the server on a page in the browser, at this port or loopback address [default: a free port of 127.0.0.1]
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, require_equals = true, default_missing_value = "0", value_parser = page_address)]
    page: Option<SocketAddr>,
    /// Protocol that clients and server speak; all but `chat` need --page
    #[arg(long, value_enum, default_value_t = Protocol::Chat)]
    conversation: Protocol,
    /// Further options of `hola serve`
    #[arg(value_name = "OPTIONS", last = true)]
    options: Vec<String>,
}

/// A loopback address with its port, or a port of 127.0.0.1, as an argument.
fn page_address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse() {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    let found = text.to_socket_addrs().map_err(|error| error.to_string())?;
    let mut loopback = found.filter(|address| address.ip().is_loopback());
    loopback.next().ok_or_else(|| {
        "the page is for this machine alone; write a port or a loopback address such as 127.0.0.1:9090"
            .into()
    })
}

/// Serves until the operator leaves, the server ends, or a signal comes.
pub(super) fn run(args: &ConsoleArgs) -> Result<ExitCode> {
    if args.page.is_none() && args.conversation != Protocol::Chat {
        say("hola: the terminal shows a chat only; add --page, or leave --conversation out");
        return Ok(ExitCode::from(USAGE));
    }
    let interruption = Interruption::watch()?;
    let settings = ConsoleSettings {
        model: args.model,
        conversation: args.conversation,
        bind: args.bind.clone(),
        options: args.options.clone(),
        page: args.page,
    };
    let status = console::run(&settings, &|| interruption.is_asked())?;
    if interruption.is_asked() {
        return Ok(interruption.exit_code());
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(RUN_ERROR)))
}
