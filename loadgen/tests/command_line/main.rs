//! The program as scripts see it: arguments, exit codes, streams, files and formats.

mod answers;
mod arguments;
mod exits;
mod files;
mod formats;
mod intervals;
mod junit;
mod live_line;
mod openmetrics;
mod plans;
mod ranks;
mod requests;
mod series;
mod tls;
#[path = "../truth/mod.rs"]
mod truth;
mod unix_sockets;
mod urls;

use std::process::{Child, Command, Output, Stdio};

use hola_loadgen::summary::{Levels, Summary};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use truth::{CLOSE, Truth, answer_once, greeter};

/// A server that closes each `period`-th connection without an answer.
fn flawed(period: u64) -> Truth {
    Truth::start(move |id, stream| {
        answer_once(stream, if (id + 1) % period == 0 { b"" } else { CLOSE });
    })
}

/// An address without a listener.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// The program with arguments that are separated by spaces.
fn program(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hola-load"));
    command
        .args(arguments.split(' ').filter(|argument| !argument.is_empty()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The program on `server`, without a warm-up.
fn load(server: &Truth, arguments: &str) -> Command {
    program(&format!("{} --warmup=0s {arguments}", server.address))
}

/// What a finished program left.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Asserts that the program refuses its arguments: exit code 2, and these words on standard error.
fn assert_refused(command: Command, words: &str) -> Ran {
    let shown = format!("{command:?}");
    let ran = run(command);
    assert_eq!(ran.code, Some(2), "{shown}: {ran:?}");
    assert!(ran.stderr.contains(words), "{words}: {shown}: {ran:?}");
    ran
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// Asserts that the program exited with this code.
    fn exits_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// The one JSON object on standard output.
    fn summary(&self) -> Summary {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The one JSON object of several loads.
    fn levels(&self) -> Levels {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

fn run(mut command: Command) -> Ran {
    command.output().unwrap().into()
}

/// The result of a load that succeeds.
fn measured(mut command: Command) -> Summary {
    command.arg("--format=json");
    run(command).exits_with(0).summary()
}

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}

/// Starts a load, and returns once the server has accepted so many connections.
fn under_way(server: &Truth, accepted: u64, mut command: Command) -> Child {
    let enough = server.accepted() + accepted;
    let child = command.spawn().unwrap();
    while server.accepted() < enough {
        std::thread::yield_now();
    }
    child
}

/// Starts a load, sends a signal once the server has accepted so many connections, and waits for the end.
fn interrupted(server: &Truth, accepted: u64, sent: Signal, command: Command) -> Ran {
    let child = under_way(server, accepted, command);
    signal(&child, sent);
    child.wait_with_output().unwrap().into()
}
