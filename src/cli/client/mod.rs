//! `hola client`: sends lines to a server, and prints what the server sends as soon as it arrives.
//!
//! Two threads share one connection: one receives and prints, the other reads lines and sends them. So neither a silent
//! server nor a silent user blocks the other direction.

mod transcript;

use std::fmt::Write as _;
use std::io::{self, BufRead, ErrorKind, IsTerminal, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::{Args, ValueEnum};
use hola_base::output::{Reader, print, say};
use hola_loadgen::target;
use hola_servers::conversation::ack::ACKNOWLEDGEMENT;
use signal_hook::consts::SIGINT;

use self::transcript::{Transcript, without_line_end};
use super::INTERRUPTED;

/// Where `hola serve` listens unless told otherwise.
const ADDRESS_DEFAULT: &str = "127.0.0.1:8080";
/// The line that ends the client; it is never sent.
const LEAVE: &[u8] = b"salir";
/// Timeout of connecting, of an expected answer, and of a write.
const TIMEOUT: Duration = Duration::from_secs(5);
/// After this silence the client expects no answer: some servers only receive.
const SILENCE: Duration = Duration::from_secs(1);
/// When the server closes: time for the other thread to notice that its input has ended as well.
const GRACE: Duration = Duration::from_millis(250);
/// Longest message, in bytes; a longer line is sent in pieces of this size.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// Arguments of `client`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola client                                  talk to what `hola serve` listens to by default
  hola client '[::1]:8080'
  hola client 8081                             a port of this machine
  hola client --conversation ack < lines.txt   fail unless every line is answered
  printf 'hola\\nadiós\\n' | hola client localhost:8080

Each line is sent without its line end, as one message; an empty line is nothing to send. TCP keeps
no borders between messages, so a line waits until the one before it is answered, or for a second.
`salir` or the end of the input leaves: nothing more is sent, and what the server still says is
printed until it closes or is silent for a second. What the server says goes to standard output,
each line after `[SERVIDOR]`, control characters escaped.

Exit codes: 0 ok, 1 no server, or it went away first, or owes an answer, 2 usage, 130 interrupted.")]
pub(super) struct ClientArgs {
    /// Address and port of the server
    #[arg(value_name = "ADDR", default_value = ADDRESS_DEFAULT)]
    address: Address,
    /// What the server speaks: each line then waits up to 5 s for its whole answer, and fails without it
    #[arg(long, value_enum)]
    conversation: Option<Expected>,
}

/// A conversation in which every message gets an answer of known length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Expected {
    /// `Mensaje recibido` to each message
    Ack,
    /// Each message back
    Echo,
}

impl Expected {
    /// Minimum length of the answer to `message`: a server acknowledges once per read of at most 1 KiB.
    fn answer_bytes(self, message: &[u8]) -> usize {
        match self {
            Expected::Ack => ACKNOWLEDGEMENT.len(),
            Expected::Echo => message.len(),
        }
    }
}

/// A host and a port, as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Address(String);

impl FromStr for Address {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names_a_host = |host: &str| {
            let allowed = |letter: char| letter.is_alphanumeric() || "-._".contains(letter);
            !host.is_empty() && host.chars().all(allowed)
        };
        let text = target::with_host(text);
        let port = match text.parse::<SocketAddr>() {
            Ok(address) => Some(address.port()),
            Err(_) => text
                .rsplit_once(':')
                .filter(|(host, _)| names_a_host(host))
                .and_then(|(_, port)| port.parse().ok()),
        };
        match port {
            None | Some(0) => Err(
                "write a host and a port, such as 127.0.0.1:8080, localhost:8080, [::1]:8080 or 8080",
            ),
            Some(_) => Ok(Address(text.into_owned())),
        }
    }
}

/// Sends and prints lines until the user leaves or the connection ends.
pub(super) fn run(args: &ClientArgs) -> Result<ExitCode> {
    // There is nothing to save: Ctrl-C ends the process at once.
    let at_once = Arc::new(AtomicBool::new(true));
    signal_hook::flag::register_conditional_shutdown(SIGINT, i32::from(INTERRUPTED), at_once)?;

    let connection = Arc::new(Connection::new(connect(args)?));
    if io::stdin().is_terminal() {
        say(format_args!(
            "Connected to {}; salir leaves",
            args.address.0
        ));
    }
    let speaker = Arc::clone(&connection);
    let expected = args.conversation;
    thread::Builder::new().spawn(move || speaker.speak(io::stdin().lock(), expected))?;

    let Some(ending) = connection.listen()? else {
        return Ok(ExitCode::SUCCESS);
    };
    // A thread that is still reading the keyboard ends with the process.
    match connection.how_the_user_left() {
        Some(left) => left.map(|()| ExitCode::SUCCESS),
        None => Err(anyhow!(ending)),
    }
}

fn connect(args: &ClientArgs) -> Result<TcpStream> {
    let Address(typed) = &args.address;
    let addresses = target::resolve(typed).with_context(|| format!("cannot find {typed}"))?;
    match target::connect(&addresses, TIMEOUT) {
        Ok((socket, address)) => {
            if typed.parse::<SocketAddr>().is_err() {
                say(format_args!("hola: {typed} is {address}"));
            }
            socket.set_nodelay(true)?;
            socket.set_write_timeout(Some(TIMEOUT))?;
            Ok(socket)
        }
        Err(failures) => Err(no_connection(args, &failures)),
    }
}

/// Why no address accepts a connection.
fn no_connection(args: &ClientArgs, failures: &[(SocketAddr, io::Error)]) -> anyhow::Error {
    let Address(typed) = &args.address;
    let Some((address, error)) = failures.last() else {
        return anyhow!("{typed} has no address");
    };
    let reason = unreachable(args, *address, error);
    if failures.len() == 1 {
        return reason;
    }
    let tried = failures.iter().map(|(address, _)| address.to_string());
    anyhow!("{reason}; tried {}", tried.collect::<Vec<_>>().join(", "))
}

fn unreachable(args: &ClientArgs, address: SocketAddr, error: &io::Error) -> anyhow::Error {
    let Address(typed) = &args.address;
    match error.kind() {
        ErrorKind::ConnectionRefused if address.ip().is_loopback() => {
            let spoken = match args.conversation {
                None | Some(Expected::Ack) => "ack",
                Some(Expected::Echo) => "echo",
            };
            let mut remedy = format!("hola serve thread-per-client --conversation {spoken}");
            if address.to_string() != ADDRESS_DEFAULT {
                let _ = write!(remedy, " --bind {address}");
            }
            anyhow!("nobody listens at {typed} (start one with: {remedy})")
        }
        ErrorKind::ConnectionRefused => anyhow!("nobody listens at {typed}"),
        ErrorKind::TimedOut => anyhow!("{typed} does not answer"),
        _ => anyhow!("cannot connect to {typed}: {error}"),
    }
}

/// One connection, and the state that its two threads share.
struct Connection {
    socket: TcpStream,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    heard_bytes: u64,
    /// The server sends no more.
    closed: bool,
    /// Set when the sending thread sends no more: its result.
    left: Option<Result<()>>,
}

impl Connection {
    fn new(socket: TcpStream) -> Self {
        Connection {
            socket,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Prints what the server sends until the connection ends. Returns the reason, or `None` if standard output is
    /// closed.
    fn listen(&self) -> Result<Option<String>> {
        let mut transcript = Transcript::default();
        let mut space = [0; 4096];
        let ending = loop {
            match (&self.socket).read(&mut space) {
                Ok(0) => break CLOSED.into(),
                Ok(count) => {
                    if print(transcript.continued(&space[..count]))? == Reader::Gone {
                        return Ok(None);
                    }
                    self.note(|state| state.heard_bytes += count as u64);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break reason(&error),
            }
        };
        print(transcript.ended())?;
        self.note(|state| state.closed = true);
        Ok(Some(ending))
    }

    /// Sends the user's lines until the input ends, then ends the connection.
    fn speak(&self, input: impl BufRead, expected: Option<Expected>) {
        let left = self.send_lines(input, expected);
        let in_peace = left.is_ok();
        self.note(|state| state.left = Some(left));
        if in_peace {
            // Fails if the server has already closed; there is nothing to wait for then.
            let _ = self.socket.shutdown(Shutdown::Write);
            self.await_silence();
        }
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    fn send_lines(&self, mut input: impl BufRead, expected: Option<Expected>) -> Result<()> {
        let mut previous = None;
        while let Some(line) = next_line(&mut input).context("cannot read the input")? {
            if line.trim_ascii() == LEAVE {
                break;
            }
            if line.is_empty() {
                continue;
            }
            self.await_answer(previous)?;
            ensure!(!self.state().closed, CLOSED);
            previous = Some(Sent {
                at: Instant::now(),
                heard_bytes_before: self.state().heard_bytes,
                owed_bytes: expected.map(|expected| expected.answer_bytes(&line)),
            });
            if let Err(error) = (&self.socket).write_all(&line) {
                bail!(reason(&error));
            }
        }
        // An answer that is not required may still arrive after the sending half is closed.
        self.await_answer(previous.filter(|sent| sent.owed_bytes.is_some()))
    }

    /// Waits until the message is answered, so that the server does not read the next one as part of it. Any bytes
    /// count as the answer: unrequested ones look the same.
    fn await_answer(&self, sent: Option<Sent>) -> Result<()> {
        let Some(sent) = sent else {
            return Ok(());
        };
        let timeout = sent.owed_bytes.map_or(SILENCE, |_| TIMEOUT);
        let enough = sent.heard_bytes_before + sent.owed_bytes.unwrap_or(1) as u64;
        let state = self.await_change(timeout.saturating_sub(sent.at.elapsed()), |state| {
            state.heard_bytes >= enough || state.closed
        });
        let answered = state.heard_bytes >= enough;
        ensure!(answered || !state.closed, CLOSED);
        ensure!(
            answered || sent.owed_bytes.is_none(),
            "no whole answer within {} s",
            TIMEOUT.as_secs()
        );
        Ok(())
    }

    /// Waits until the server closes or is silent for a second; gives up on a server that keeps sending.
    fn await_silence(&self) {
        let latest = Instant::now() + TIMEOUT;
        loop {
            let before = self.state().heard_bytes;
            let state =
                self.await_change(SILENCE, |state| state.heard_bytes > before || state.closed);
            if state.closed || state.heard_bytes == before || Instant::now() >= latest {
                return;
            }
        }
    }

    /// The result of the sending thread, or `None` if the server closed first.
    fn how_the_user_left(&self) -> Option<Result<()>> {
        let mut state = self.await_change(GRACE, |state| state.left.is_some());
        state.left.take()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while it is locked")
    }

    fn note(&self, news: impl FnOnce(&mut State)) {
        news(&mut self.state());
        self.changed.notify_all();
    }

    /// Waits until `enough` holds or `longest` has passed. Returns the state in both cases.
    fn await_change(
        &self,
        longest: Duration,
        enough: impl Fn(&State) -> bool,
    ) -> MutexGuard<'_, State> {
        let waited = self
            .changed
            .wait_timeout_while(self.state(), longest, |state| !enough(state));
        waited.expect("no panic while it is locked").0
    }
}

/// The message that was sent last.
struct Sent {
    at: Instant,
    heard_bytes_before: u64,
    owed_bytes: Option<usize>,
}

/// The error if the server closes the connection.
const CLOSED: &str = "the server closed the connection";

/// Why the connection ended, as text.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => CLOSED.into(),
        // The write timeout.
        ErrorKind::WouldBlock => format!("the server took nothing for {} s", TIMEOUT.as_secs()),
        _ => format!("the connection broke: {error}"),
    }
}

/// The next line without its end; `None` at the end of the input. The client does not check that a line is text.
fn next_line(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if input.take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    line.truncate(without_line_end(&line).len());
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_with_a_port() {
        for good in [
            "127.0.0.1:8080",
            "localhost:80",
            "[::1]:8080",
            "a-b.example:1",
        ] {
            assert_eq!(good.parse(), Ok(Address(good.into())));
        }
        for port_alone in ["8080", ":8080"] {
            assert_eq!(port_alone.parse(), Ok(Address("127.0.0.1:8080".into())));
        }
        for bad in [
            "",
            "localhost",
            ":",
            "0",
            "65536",
            "::1:8080",
            "[::1]",
            "a:0",
            "a:65536",
            "a:b",
            "http://a:80",
            "a b:1",
        ] {
            assert!(bad.parse::<Address>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn lines_lose_their_ends_and_nothing_else() {
        let mut input = &b"uno\n dos \r\n\ntr\xffes"[..];
        let mut lines = Vec::new();
        while let Some(line) = next_line(&mut input).expect("memory") {
            lines.push(line);
        }
        assert_eq!(lines, [&b"uno"[..], b" dos ", b"", b"tr\xffes"]);
    }
}
