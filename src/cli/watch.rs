//! `hola watch`: shows a running server, or a running comparison, live in the terminal.

use std::env;
use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};
use hola_base::output::{print, say, wants_colours};
use hola_base::visible;
use hola_lab::listening;
use hola_lab::process_tree::processes;
use hola_loadgen::target;
use hola_servers::cli::ModelName;
use hola_servers::conversation::Protocol;
use hola_servers::counters::Counters;
use hola_servers::models::Model;

use super::load::{self, NOT_STARTED};
use super::{Interruption, Lang, RUN_ERROR, USAGE, usage_error};
use crate::live::LiveServer;
use crate::watch::{LiveView, RunView, ServerView, ViewExit, ViewLook, show};

/// Arguments of `watch`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola watch 8080                     a server that listens on this machine
  hola watch --model epoll            start a server, watch it, stop it
  hola watch --model pre-forked -- --workers 4
  hola watch 8080 --lang es           the same in Spanish
  hola watch 8080 --once              one text, for a script
  hola watch results/RUN              how far a running `hola compare` has come

Once a second it reads the server's own counters and /proc, and 20 small requests per second, each
on a new connection, tell what a client meets: their median of the last 10 s (p50) and their 99th
percentile of the last minute (p99). All figures include these requests. The charts show two minutes.
Of a server that is not this same program, it shows the probe, processes, threads, CPU and memory.
A run is told by its records alone: the newest block, the blocks of each experiment, the time left.

q leaves. Colours are left out if NO_COLOR is set.

Exit codes: 0 ok, 1 error while running or no server, 2 usage, 3 the server did not start, 130
interrupted (143 by SIGTERM).")]
pub(super) struct WatchArgs {
    /// Address and port of a server of this machine, or the folder of a run
    #[arg(value_name = "TARGET", required_unless_present = "model", value_parser = watched)]
    target: Option<WatchedTarget>,
    /// Start this model's server, watch it, and stop it; `hola models` lists them
    #[arg(long, value_name = "MODEL", conflicts_with = "target", value_parser = ModelName, hide_possible_values = true)]
    model: Option<&'static Model>,
    /// Protocol that clients and server speak; in a chat there is no probe
    #[arg(long, value_enum, default_value_t = Protocol::Http)]
    conversation: Protocol,
    /// Language
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
    /// Print one text and end
    #[arg(long)]
    once: bool,
    /// Further options of `hola serve`
    #[arg(value_name = "OPTIONS", last = true, requires = "model")]
    options: Vec<String>,
}

/// What is watched, as an argument.
#[derive(Clone, Debug)]
enum WatchedTarget {
    /// A server, by the addresses of its name.
    Server(Vec<SocketAddr>),
    /// A run, by its folder.
    Run(PathBuf),
}

fn watched(text: &str) -> Result<WatchedTarget, String> {
    if Path::new(text).is_dir() {
        return Ok(WatchedTarget::Run(text.into()));
    }
    let found = target::resolve(&target::with_host(text));
    found.map(WatchedTarget::Server).map_err(|error| {
        format!("{error}; write an address such as 127.0.0.1:8080, a port, or the folder of a run")
    })
}

/// Shows what is watched until the user leaves or it ends.
pub(super) fn run(args: &WatchArgs) -> Result<ExitCode> {
    if !args.once && !is_at_terminal() {
        say(
            "hola: watch draws on a terminal, and input or output is none; add --once for one text",
        );
        return Ok(ExitCode::from(USAGE));
    }
    match (&args.target, args.model) {
        (Some(WatchedTarget::Run(folder)), _) => {
            let mut view = RunView::open(folder)?;
            match args.once {
                true => print_once(view.text(args.lang.into())),
                false => observe(args, &mut view),
            }
        }
        (Some(WatchedTarget::Server(addresses)), _) => watch_address(args, addresses),
        (None, Some(model)) => watch_model(args, model),
        (None, None) => usage_error("watch: write what to watch"),
    }
}

/// Whether there is a terminal that can be drawn on.
fn is_at_terminal() -> bool {
    let is_dumb = env::var_os("TERM").is_some_and(|name| name == "dumb");
    io::stdin().is_terminal() && io::stdout().is_terminal() && !is_dumb
}

fn watch_address(args: &WatchArgs, addresses: &[SocketAddr]) -> Result<ExitCode> {
    let mut found = addresses.iter();
    let found = found.find_map(|address| Some((*address, listening::first_holder(*address)?)));
    let Some((address, process)) = found else {
        let address = addresses[0];
        say(format_args!(
            "hola: no process of yours listens at {address} (start one with: hola serve epoll --bind {address})"
        ));
        return Ok(ExitCode::from(RUN_ERROR));
    };
    watch_server(args, &command_of(process), process, address)
}

/// Starts a server, and stops it at the end.
fn watch_model(args: &WatchArgs, model: &Model) -> Result<ExitCode> {
    let conversation = args.conversation.to_possible_value();
    let conversation = conversation.map_or_else(String::new, |value| value.get_name().to_owned());
    let server = match load::start(model.name, &conversation, &args.options) {
        Ok(server) => server,
        Err(error) => {
            say(format_args!("hola: {error}"));
            return Ok(ExitCode::from(NOT_STARTED));
        }
    };
    let code = watch_server(args, model.name, server.pid(), server.address())?;
    match server.stop() {
        Ok(_) => Ok(code),
        Err(reason) => {
            say(format_args!("hola: {reason}"));
            Ok(ExitCode::from(RUN_ERROR))
        }
    }
}

fn watch_server(
    args: &WatchArgs,
    name: &str,
    process: i32,
    address: SocketAddr,
) -> Result<ExitCode> {
    let server = LiveServer {
        pid: process,
        counters: Counters::of_process(process),
    };
    let title = format!("{address} · {name}");
    let mut view = ServerView::start(title, server, address, args.conversation);
    match args.once {
        true => print_once(view.text(args.lang.into())),
        false => observe(args, &mut view),
    }
}

/// The command line of a process, with the name of its program alone.
fn command_of(process: i32) -> String {
    let process = processes(process).into_iter().next();
    let words = process.and_then(|process| process.cmdline().ok());
    let mut words = words.unwrap_or_default();
    if let Some(program) = words.first_mut()
        && let Some(name) = Path::new(program).file_name()
    {
        *program = name.to_string_lossy().into_owned();
    }
    visible::one_line(&words.join(" "))
}

fn print_once(text: String) -> Result<ExitCode> {
    print(text)?;
    Ok(ExitCode::SUCCESS)
}

fn observe(args: &WatchArgs, view: &mut impl LiveView) -> Result<ExitCode> {
    let interruption = Interruption::watch()?;
    let look = ViewLook {
        language: args.lang.into(),
        is_coloured: wants_colours(),
    };
    let exit = show(view, look, &|| interruption.is_asked())?;
    Ok(match exit {
        ViewExit::Left => ExitCode::SUCCESS,
        ViewExit::Interrupted => interruption.exit_code(),
        ViewExit::Ended => {
            say("hola: the server has ended");
            ExitCode::from(RUN_ERROR)
        }
    })
}
