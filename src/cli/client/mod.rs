//! `hola client`: sends lines to a server, and prints what the server sends as soon as it arrives.
//!
//! One thread receives and prints, another reads lines and sends them. So neither a silent server nor a silent user
//! blocks the other direction.

mod transcript;

use std::io::{self, BufRead, ErrorKind, IsTerminal, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, SyncSender, TryRecvError, channel, sync_channel,
};
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
/// The error if the server closes the connection.
const CLOSED: &str = "the server closed the connection";

/// Arguments of `client`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola client                                  talk to what `hola serve` listens to by default
  hola client '[::1]:8080'
  hola client 8081                             a port of this machine
  hola client --conversation ack < lines.txt   fail unless every line is answered
  hola client --conversation chat              take part in a chat of `hola console`
  printf 'hola\\nadiós\\n' | hola client localhost:8080

Each line is sent as one message, without its line end; an empty line is not sent. TCP does not
mark where a message ends, so the client sends a line only after the answer to the line before it,
or after a second without one. `salir` or the end of the input leaves: the client sends no more, and
prints what the server sends until the server closes or is silent for a second. Each line from the
server goes to standard output after `[SERVIDOR]`, with control characters escaped.

Exit codes: 0 ok, 1 no server, the server closed first, or an answer is missing, 2 usage, 130
interrupted.")]
pub(super) struct ClientArgs {
    /// Address and port of the server
    #[arg(value_name = "ADDR", default_value = ADDRESS_DEFAULT, value_parser = host_and_port)]
    address: String,
    /// What the server speaks. With `ack` and `echo` each line waits up to 5 s for its whole answer, and fails without it;
    /// in a chat each line is sent at once, with its line end
    #[arg(long, value_enum)]
    conversation: Option<Expected>,
}

/// What the server answers to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Expected {
    /// `Mensaje recibido` to each message
    Ack,
    /// Each message back
    Echo,
    /// Whatever an operator writes, at any time
    Chat,
}

/// A host and a port, as an argument.
fn host_and_port(text: &str) -> Result<String, &'static str> {
    let text = target::with_host(text);
    let is_in_names = |letter: char| letter.is_alphanumeric() || "-._".contains(letter);
    let is_name = |host: &str| !host.is_empty() && host.chars().all(is_in_names);
    text.rsplit_once(':')
        .filter(|(host, _)| is_name(host) || text.parse::<SocketAddr>().is_ok())
        .filter(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0))
        .map(|_| text.to_string())
        .ok_or(
            "write a host and a port, such as 127.0.0.1:8080, localhost:8080, [::1]:8080 or 8080",
        )
}

/// Sends and prints lines until the user leaves or the connection ends.
pub(super) fn run(args: &ClientArgs) -> Result<ExitCode> {
    // There is nothing to save: Ctrl-C ends the process at once.
    let at_once = Arc::new(AtomicBool::new(true));
    signal_hook::flag::register_conditional_shutdown(SIGINT, i32::from(INTERRUPTED), at_once)?;

    let socket = connect(args)?;
    if io::stdin().is_terminal() {
        say(format_args!("Connected to {}; salir leaves", args.address));
    }
    let received_bytes = Arc::new(AtomicU64::new(0));
    let (received, news) = sync_channel(1);
    let (left, how_the_user_left) = channel();
    let mut sender = Sender {
        socket: socket.try_clone()?,
        received_bytes: Arc::clone(&received_bytes),
        news,
        expected: args.conversation,
        awaited: None,
    };
    thread::Builder::new().spawn(move || {
        let result = sender.talk(io::stdin().lock());
        // Ends the other thread's read. Fails if the connection has ended.
        let _ = sender.socket.shutdown(Shutdown::Both);
        let _ = left.send(result);
    })?;
    let Some(ending) = print_received(&socket, &received_bytes, received)? else {
        return Ok(ExitCode::SUCCESS);
    };
    // A thread that is still reading the keyboard ends with the process.
    let left = how_the_user_left.recv_timeout(GRACE);
    left.unwrap_or(Err(ending)).map(|()| ExitCode::SUCCESS)
}

fn connect(args: &ClientArgs) -> Result<TcpStream> {
    let typed = &args.address;
    let addresses = target::resolve(typed).with_context(|| format!("cannot find {typed}"))?;
    let (socket, address) =
        target::connect(&addresses, TIMEOUT).map_err(|failures| no_connection(args, &failures))?;
    if typed.parse::<SocketAddr>().is_err() {
        say(format_args!("hola: {typed} is {address}"));
    }
    socket.set_nodelay(true)?;
    socket.set_write_timeout(Some(TIMEOUT))?;
    Ok(socket)
}

/// Why no address accepts a connection.
fn no_connection(args: &ClientArgs, failures: &[(SocketAddr, io::Error)]) -> anyhow::Error {
    let typed = &args.address;
    let (address, error) = failures.last().expect("a name has an address");
    let server = match args.conversation {
        None | Some(Expected::Ack) => "serve thread-per-client --conversation ack",
        Some(Expected::Echo) => "serve thread-per-client --conversation echo",
        Some(Expected::Chat) => "console thread-per-client",
    };
    let mut reason = match error.kind() {
        ErrorKind::ConnectionRefused if address.ip().is_loopback() => {
            format!("nobody listens at {typed} (start one with: hola {server} --bind {address})")
        }
        ErrorKind::ConnectionRefused => format!("nobody listens at {typed}"),
        ErrorKind::TimedOut => format!("{typed} does not answer"),
        _ => format!("cannot connect to {typed}: {error}"),
    };
    if failures.len() > 1 {
        let tried = failures.iter().map(|(address, _)| address.to_string());
        reason += &format!("; tried {}", tried.collect::<Vec<_>>().join(", "));
    }
    anyhow!(reason)
}

/// Prints what the server sends, counts its bytes and tells the other thread of them, until the connection ends. Returns
/// the reason, or `None` if standard output is closed.
fn print_received(
    mut socket: &TcpStream,
    received_bytes: &AtomicU64,
    received: SyncSender<()>,
) -> Result<Option<anyhow::Error>> {
    let mut transcript = Transcript::default();
    let mut space = [0; 4096];
    let ending = loop {
        match socket.read(&mut space) {
            Ok(0) => break anyhow!(CLOSED),
            Ok(count) => {
                if print(transcript.continued(&space[..count]))? == Reader::Gone {
                    return Ok(None);
                }
                received_bytes.fetch_add(count as u64, Ordering::Release);
                // If the channel is full, the other thread has not read the last news yet.
                let _ = received.try_send(());
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => break broken(&error),
        }
    };
    drop(received);
    print(transcript.ended())?;
    Ok(Some(ending))
}

/// Sends the user's messages.
struct Sender {
    socket: TcpStream,
    received_bytes: Arc<AtomicU64>,
    /// Brings one `()` after each increase of `received_bytes`; disconnected once the server has closed.
    news: Receiver<()>,
    expected: Option<Expected>,
    /// When the wait for the answer to the last message ends, and `received_bytes` once the answer is whole.
    awaited: Option<(Instant, u64)>,
}

impl Sender {
    /// Sends each line until the user leaves, then waits until the server closes or is silent.
    fn talk(&mut self, mut input: impl BufRead) -> Result<()> {
        while let Some(line) = next_line(&mut input).context("cannot read the input")? {
            if line.trim_ascii() == LEAVE {
                break;
            }
            if !line.is_empty() {
                self.await_answer()?;
                self.send(&line)?;
            }
        }
        // An answer that is not required may still arrive after the sending half is closed.
        if self.expected.is_some() {
            self.await_answer()?;
        }
        // Fails if the server has already closed; there is nothing to wait for then.
        let _ = self.socket.shutdown(Shutdown::Write);
        // A server may send without end.
        let latest = Instant::now() + TIMEOUT;
        while Instant::now() < latest && self.news.recv_timeout(SILENCE).is_ok() {}
        Ok(())
    }

    fn send(&mut self, line: &[u8]) -> Result<()> {
        while self.news.try_recv().is_ok() {}
        let is_open = self.news.try_recv() == Err(TryRecvError::Empty);
        ensure!(is_open, CLOSED);
        let mut message = line.to_vec();
        let answer = match self.expected {
            None => Some((SILENCE, 1)),
            // A server acknowledges once per read, of at most 1 KiB: it may send more than this.
            Some(Expected::Ack) => Some((TIMEOUT, ACKNOWLEDGEMENT.len())),
            Some(Expected::Echo) => Some((TIMEOUT, line.len())),
            Some(Expected::Chat) => {
                message.push(b'\n');
                None
            }
        };
        let before = self.received_bytes.load(Ordering::Acquire);
        self.awaited =
            answer.map(|(longest, bytes)| (Instant::now() + longest, before + bytes as u64));
        let sent = self.socket.write_all(&message);
        sent.map_err(|error| broken(&error))
    }

    /// Waits until the last message is answered, so that the server does not read the next one as part of it. Any bytes
    /// count as the answer: unrequested ones look the same.
    fn await_answer(&mut self) -> Result<()> {
        let Some((until, whole_bytes)) = self.awaited.take() else {
            return Ok(());
        };
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let news = self.news.recv_timeout(left);
            if self.received_bytes.load(Ordering::Acquire) >= whole_bytes {
                return Ok(());
            }
            match (news, self.expected) {
                (Ok(()), _) => {}
                (Err(RecvTimeoutError::Disconnected), _) => bail!(CLOSED),
                (Err(RecvTimeoutError::Timeout), None) => return Ok(()),
                (Err(RecvTimeoutError::Timeout), Some(_)) => {
                    bail!("no whole answer within {} s", TIMEOUT.as_secs())
                }
            }
        }
    }
}

/// Why the connection ended.
fn broken(error: &io::Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => anyhow!(CLOSED),
        // The write timeout.
        ErrorKind::WouldBlock => anyhow!("the server took nothing for {} s", TIMEOUT.as_secs()),
        _ => anyhow!("the connection broke: {error}"),
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
    fn an_address_is_a_host_and_a_port_or_a_port_of_this_machine() {
        for good in "127.0.0.1:8080,localhost:80,[::1]:8080,a-b.example:1".split(',') {
            assert_eq!(host_and_port(good).as_deref(), Ok(good));
        }
        for port_alone in ["8080", ":8080"] {
            assert_eq!(host_and_port(port_alone).as_deref(), Ok("127.0.0.1:8080"));
        }
    }
}
