//! `hola console`: serves a chat, shows what its clients write, and sends them what the operator answers.
//!
//! One thread does it all: it waits for events of the server, for lines of the operator, and for room in the
//! connections of clients that have not read what was sent to them.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd};
use std::process::{Child, Command, ExitCode, Stdio};

use anyhow::{Context, Result};
use clap::Args;
use hola_base::output::{Reader, print, say};
use hola_base::visible;
use hola_servers::cli::ModelName;
use hola_servers::models::Model;
use hola_servers::operator::{Event, OperatorSocket};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{MsgFlags, send};
use nix::unistd::Pid;

use super::{Interruption, RUN_ERROR};

/// The program: the file that this process runs.
const PROGRAM: &str = "/proc/self/exe";
/// Messages that may wait for a client that does not read.
const PENDING_MAX: usize = 64;
/// The line that ends the chat; it is never sent.
const LEAVE: &str = "salir";
/// How often it looks whether the processes that serve clients are alive, and whether it was interrupted.
const CHECK_MS: u16 = 250;

/// Arguments of `console`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola console epoll
  hola console fork-per-client --bind 127.0.0.1:9000
  hola console pre-forked -- --workers 4
  hola client 127.0.0.1:8080          a participant, in another terminal; so is any plain TCP client

Each client has a number. Its messages are printed as `[3] text`, with control characters escaped.
Write `3 text` to answer client 3, `* text` to answer all, and `salir` to end the chat. A client that
does not read loses the oldest of 64 messages that wait for it, and nobody else notices.

Exit codes: 0 ok, 1 error while running, 2 usage, 3 the server did not start, 130 interrupted.")]
pub(super) struct ConsoleArgs {
    /// Concurrency model to serve with; `hola models` lists them
    #[arg(value_name = "MODEL", value_parser = ModelName, hide_possible_values = true)]
    model: &'static Model,
    /// Address and port to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    bind: String,
    /// Further options of `hola serve`
    #[arg(value_name = "OPTIONS", last = true)]
    options: Vec<String>,
}

/// Serves until the operator leaves, the server ends, or a signal comes.
pub(super) fn run(args: &ConsoleArgs) -> Result<ExitCode> {
    let interruption = Interruption::watch()?;
    let (events, servers_end) = OperatorSocket::pair().context("cannot make a socket pair")?;
    let mut command = Command::new(PROGRAM);
    command
        .args(["serve", args.model.name, "--conversation", "chat"])
        .args(["--bind", &args.bind, "--operator", "0"])
        .args(["--parent", &std::process::id().to_string()])
        .args(&args.options)
        .stdin(Stdio::from(servers_end));
    let server = command.spawn().context("cannot start the server")?;
    // Only the server keeps its end: otherwise the end of the server would not be seen.
    drop(command);
    let mut console = Console {
        server,
        events,
        participants: BTreeMap::new(),
        typed: Vec::new(),
        input_is_open: true,
    };
    let ended = console.talk(&interruption);
    // If the console ends first, nobody is left to answer.
    console.stop_server();
    let status = console
        .server
        .wait()
        .context("cannot wait for the server")?;
    ended?;
    if interruption.is_asked() {
        return Ok(interruption.exit_code());
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(RUN_ERROR)))
}

struct Console {
    server: Child,
    events: OperatorSocket,
    participants: BTreeMap<u64, Participant>,
    /// The beginning of a line of the operator.
    typed: Vec<u8>,
    input_is_open: bool,
}

/// A client that is connected.
struct Participant {
    connection: TcpStream,
    process: Pid,
    /// Messages that it has not taken yet, the oldest first.
    pending: VecDeque<Vec<u8>>,
}

impl Console {
    /// Shows events and sends answers until no process of the server is left, or nobody reads what is printed.
    fn talk(&mut self, interruption: &Interruption) -> Result<()> {
        loop {
            let ready = self.wait()?;
            if interruption.is_asked() {
                self.stop_server();
            }
            if ready.has_events {
                let event = match self.events.receive() {
                    Ok(Some(event)) => event,
                    Ok(None) => return Ok(()),
                    Err(error) => return Err(error).context("cannot hear the server"),
                };
                if let Some(line) = self.tell(event)
                    && print(line)? == Reader::Gone
                {
                    return Ok(());
                }
            } else if ready.has_input {
                self.hear_operator()?;
            }
            self.send_pending();
            if let Some(lines) = self.bury()
                && print(lines)? == Reader::Gone
            {
                return Ok(());
            }
        }
    }

    fn wait(&self) -> Result<Ready> {
        let stdin = io::stdin();
        let mut watched = vec![PollFd::new(self.events.as_fd(), PollFlags::POLLIN)];
        if self.input_is_open {
            watched.push(PollFd::new(stdin.as_fd(), PollFlags::POLLIN));
        }
        let slow = self.participants.values();
        let slow = slow.filter(|one| !one.pending.is_empty());
        watched.extend(slow.map(|one| PollFd::new(one.connection.as_fd(), PollFlags::POLLOUT)));
        match poll(&mut watched, PollTimeout::from(CHECK_MS)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error).context("cannot wait for events"),
        }
        let is_ready = |at: usize| watched.get(at).and_then(PollFd::any).unwrap_or(false);
        Ok(Ready {
            has_events: is_ready(0),
            has_input: self.input_is_open && is_ready(1),
        })
    }

    /// Takes note of an event; returns the line that tells it.
    fn tell(&mut self, event: Event) -> Option<String> {
        match event {
            Event::Joined {
                client,
                process,
                connection,
            } => {
                let address = connection.peer_addr();
                let address = address.map_or_else(|error| error.to_string(), |one| one.to_string());
                let participant = Participant {
                    connection,
                    process: Pid::from_raw(i32::try_from(process).ok()?),
                    pending: VecDeque::new(),
                };
                self.participants.insert(client, participant);
                let count = self.participants.len();
                Some(format!(
                    "[{client}] connected from {address}; {count} here\n"
                ))
            }
            Event::Said { client, bytes } => {
                let text = String::from_utf8_lossy(&bytes);
                let text = visible::one_line(text.trim_end_matches(['\r', '\n']));
                Some(format!("[{client}] {text}\n"))
            }
            Event::Left { client } => {
                self.participants.remove(&client)?;
                let count = self.participants.len();
                Some(format!("[{client}] left; {count} here\n"))
            }
        }
    }

    /// Removes the clients whose process has died before it could tell; returns the lines that tell it.
    fn bury(&mut self) -> Option<String> {
        let is_dead = |one: &Participant| kill(one.process, None) == Err(Errno::ESRCH);
        let dead = self.participants.iter().filter(|(_, one)| is_dead(one));
        let dead: Vec<u64> = dead.map(|(client, _)| *client).collect();
        let lines = dead
            .into_iter()
            .filter_map(|client| self.tell(Event::Left { client }));
        Some(lines.collect()).filter(|lines: &String| !lines.is_empty())
    }

    /// Reads what the operator has typed, and carries out every whole line.
    fn hear_operator(&mut self) -> Result<()> {
        let mut piece = [0; 4096];
        match io::stdin().lock().read(&mut piece) {
            Ok(0) => self.input_is_open = false,
            Ok(count) => self.typed.extend_from_slice(&piece[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error).context("cannot read what is typed"),
        }
        while let Some(end) = self.typed.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.typed.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line).trim().to_owned();
            if line == LEAVE {
                self.stop_server();
            } else if !line.is_empty() {
                self.answer(&line);
            }
        }
        Ok(())
    }

    fn answer(&mut self, line: &str) {
        let (whom, text) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let message = format!("{}\n", text.trim_start());
        let number = whom.parse::<u64>();
        let chosen = self.participants.iter_mut();
        let chosen = chosen.filter(|(client, _)| whom == "*" || number.as_ref() == Ok(client));
        let mut count = 0;
        for (client, participant) in chosen {
            count += 1;
            if participant.pending.len() == PENDING_MAX {
                participant.pending.pop_front();
                say(format_args!(
                    "client {client} does not read; it loses the oldest message"
                ));
            }
            participant.pending.push_back(message.clone().into_bytes());
        }
        match number {
            Ok(number) if count == 0 => say(format_args!("no client {number} is here")),
            Err(_) if whom != "*" => {
                say("write `3 text` to answer client 3, `* text` to answer all, salir to end");
            }
            _ => {}
        }
    }

    /// Sends to each client what it takes without waiting.
    fn send_pending(&mut self) {
        for participant in self.participants.values_mut() {
            while let Some(message) = participant.pending.front_mut() {
                let connection = participant.connection.as_raw_fd();
                let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
                match send(connection, message, flags) {
                    Ok(count) if count < message.len() => drop(message.drain(..count)),
                    Ok(_) => drop(participant.pending.pop_front()),
                    Err(Errno::EINTR) => {}
                    Err(Errno::EAGAIN) => break,
                    // It has gone; the server tells.
                    Err(_gone) => participant.pending.clear(),
                }
            }
        }
    }

    fn stop_server(&self) {
        let server = i32::try_from(self.server.id()).map(Pid::from_raw);
        // It has not been waited for, so no other process has its number.
        let _ = server.map(|server| kill(server, Signal::SIGTERM));
    }
}

struct Ready {
    has_events: bool,
    has_input: bool,
}
