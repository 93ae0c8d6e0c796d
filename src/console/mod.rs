//! A server with an operator: the operator's terminal, and a page in the browser, which show the same.
//!
//! ```text
//! server ──events──▶ this thread ─▶ Chat ─▶ History ─▶ threads of pages
//!        ──counters, /proc──▶ sampler, a thread ─▶ History
//! ```
//!
//! One thread waits for events of the server, for lines of the operator, and for room in the connections of clients that
//! have not read what was sent to them. Pages write to those connections, too, and never wait for them.

mod chat;
mod clients;
mod event;
mod history;
mod load;
mod page;
mod served;

use std::io::{self, ErrorKind, Read};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use hola_base::output::{Reader, print, say};
use hola_servers::conversation::Protocol;
use hola_servers::counters::Counters;
use hola_servers::models::Model;
use hola_servers::operator::{Event, OperatorSocket};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use self::chat::Chat;
use self::event::ConsoleEvent;
use self::load::TrialLoad;
use self::page::ConsolePage;
use self::served::{ServedModel, name_of};
use crate::live::{LiveServer, ServerProbe, sample_each_second};

/// The program: the file that this process runs.
const PROGRAM: &str = "/proc/self/exe";
/// The line that ends the server; it is never sent.
const LEAVE: &str = "salir";
/// How often it looks whether the processes that serve clients are alive, and whether it was interrupted.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// What to serve, and where to show it.
#[derive(Clone, Debug)]
pub(crate) struct ConsoleSettings {
    /// Model to serve with.
    pub(crate) model: &'static Model,
    /// What is said on connections.
    pub(crate) conversation: Protocol,
    /// Address and port for the server.
    pub(crate) bind: String,
    /// Further options of `hola serve`.
    pub(crate) options: Vec<String>,
    /// Loopback address and port for the page; `None` shows no page.
    pub(crate) page: Option<SocketAddr>,
}

/// Serves until the operator leaves, the server ends, or `is_interrupted`. Returns how the server ended.
///
/// # Errors
/// Returns an error if the server cannot be started, if the page cannot listen, or if events cannot be read.
pub(crate) fn run(
    settings: &ConsoleSettings,
    is_interrupted: &dyn Fn() -> bool,
) -> Result<ExitStatus> {
    let page = settings.page.map(ConsolePage::bind).transpose()?;
    let (events, servers_end) = OperatorSocket::pair().context("cannot make a socket pair")?;
    let mut command = Command::new(PROGRAM);
    command
        .args(["serve", settings.model.name])
        .args(["--conversation", name_of(settings.conversation)])
        .args(["--bind", &settings.bind, "--operator", "0"])
        .args(["--parent", &std::process::id().to_string()])
        .args(&settings.options)
        .stdin(Stdio::from(servers_end));
    let server = command.spawn().context("cannot start the server")?;
    // Only the server keeps its end: otherwise the end of the server would not be seen.
    drop(command);
    let mut console = Console {
        settings,
        server,
        events,
        chat: Arc::new(Chat::new()),
        page,
        load: None,
        typed: Vec::new(),
        input_is_open: true,
        checked_at: Instant::now(),
    };
    let ended = console.talk(is_interrupted);
    // If the console ends first, nobody is left to answer.
    console.stop_server();
    let status = console.server.wait();
    ended?;
    status.context("cannot wait for the server")
}

struct Console<'s> {
    settings: &'s ConsoleSettings,
    server: Child,
    events: OperatorSocket,
    chat: Arc<Chat>,
    /// The page, until it is served: it shows where the server listens.
    page: Option<ConsolePage>,
    load: Option<Arc<TrialLoad>>,
    /// The beginning of a line of the operator.
    typed: Vec<u8>,
    input_is_open: bool,
    /// When it last looked whether the processes that serve clients are alive.
    checked_at: Instant,
}

impl Console<'_> {
    /// Shows events and sends answers until no process of the server is left, or nobody reads what is printed.
    fn talk(&mut self, is_interrupted: &dyn Fn() -> bool) -> Result<()> {
        loop {
            let ready = self.wait()?;
            if is_interrupted() {
                self.stop_server();
            }
            if ready.has_events {
                let event = match self.events.receive() {
                    Ok(Some(event)) => event,
                    Ok(None) => return Ok(()),
                    Err(error) => {
                        return Err(error).context("cannot read the events of the server");
                    }
                };
                if self.on_event(event)? == Reader::Gone {
                    return Ok(());
                }
            }
            if ready.has_input {
                self.read_operator()?;
            }
            self.chat.send_pending();
            if self.checked_at.elapsed() >= CHECK_INTERVAL {
                self.checked_at = Instant::now();
                if show(self.chat.on_dead_processes())? == Reader::Gone {
                    return Ok(());
                }
            }
        }
    }

    fn wait(&self) -> Result<Ready> {
        let (stdin, slow) = (io::stdin(), self.chat.slow());
        let mut watched = vec![PollFd::new(self.events.as_fd(), PollFlags::POLLIN)];
        if self.input_is_open {
            watched.push(PollFd::new(stdin.as_fd(), PollFlags::POLLIN));
        }
        watched.extend(
            slow.iter()
                .map(|connection| PollFd::new(connection.as_fd(), PollFlags::POLLOUT)),
        );
        let timeout = PollTimeout::try_from(CHECK_INTERVAL).unwrap_or(PollTimeout::ZERO);
        match poll(&mut watched, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error).context("cannot wait for events"),
        }
        let is_ready = |at: usize| watched.get(at).and_then(PollFd::any).unwrap_or(false);
        Ok(Ready {
            has_events: is_ready(0),
            has_input: self.input_is_open && is_ready(1),
        })
    }

    fn on_event(&mut self, event: Event) -> Result<Reader> {
        match event {
            Event::Listening {
                address,
                workers,
                counters,
            } => self.show_page(address, workers, counters),
            event => show(self.chat.on_server_event(event)),
        }
    }

    /// Begins to serve the page, if there is to be one, with live figures of the server.
    fn show_page(
        &mut self,
        address: SocketAddr,
        workers: usize,
        counters: Option<OwnedFd>,
    ) -> Result<Reader> {
        let Some(page) = self.page.take() else {
            return Ok(Reader::Present);
        };
        let served = ServedModel {
            name: self.settings.model.name,
            address,
            conversation: self.settings.conversation,
        };
        match counters {
            Some(counters) => {
                let counters = Counters::from_memory(counters, workers)
                    .context("cannot read the server's counters")?;
                self.sample(served, counters);
            }
            None => say("no live figures: the system forbids memory files (memfd_create)"),
        }
        let load = || Arc::new(TrialLoad::new(served, Arc::clone(&self.chat)));
        self.load = served.client_protocol().map(|_| load());
        let mut lines = format!("page at {}\n", page.url());
        if served.conversation == Protocol::Chat {
            lines += &format!("page for clients at {}\n", page.client_url());
        }
        page.serve(served, Arc::clone(&self.chat), self.load.clone());
        print(lines)
    }

    fn sample(&self, served: ServedModel, counters: Counters) {
        let server = LiveServer {
            pid: self.server_id().as_raw(),
            counters: Some(counters),
        };
        let probe = served
            .client_protocol()
            .map(|protocol| ServerProbe::start(served.local_address(), protocol));
        let chat = Arc::clone(&self.chat);
        sample_each_second(server, probe, move |sample| {
            chat.history().push(ConsoleEvent::Sample(Box::new(sample)));
        });
    }

    /// Reads what the operator has typed, and carries out every whole line.
    fn read_operator(&mut self) -> Result<()> {
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
                self.carry_out(&line);
            }
        }
        Ok(())
    }

    fn carry_out(&self, line: &str) {
        if self.settings.conversation != Protocol::Chat {
            return say("write salir to end the server");
        }
        let (whom, text) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let to = match whom.parse::<u64>() {
            Ok(number) => Some(number),
            Err(_) if whom == "*" => None,
            Err(_) => {
                return say(
                    "write `3 text` to answer client 3, `* text` to answer all, salir to end",
                );
            }
        };
        let reached = self.chat.answer(to, text.trim_start());
        if let Some(number) = to.filter(|_| reached == 0) {
            say(format_args!("no client {number} is here"));
        }
    }

    fn stop_server(&self) {
        if let Some(load) = &self.load {
            load.stop();
        }
        // It has not been waited for, so no other process has its number.
        let _ = kill(self.server_id(), Signal::SIGTERM);
    }

    fn server_id(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.server.id()).unwrap_or(i32::MAX))
    }
}

struct Ready {
    has_events: bool,
    has_input: bool,
}

/// Prints the lines of events.
fn show(events: impl IntoIterator<Item = ConsoleEvent>) -> Result<Reader> {
    let lines = events.into_iter().filter_map(|event| event.terminal_line());
    match lines.collect::<String>() {
        lines if lines.is_empty() => Ok(Reader::Present),
        lines => print(lines),
    }
}
