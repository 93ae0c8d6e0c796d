//! `hola client`: sends lines to a server, and prints what the server sends as soon as it arrives.
//!
//! One task receives and prints, another reads lines and sends them. So neither a silent server nor a silent user
//! blocks the other direction.

mod transcript;

use std::io::{self, ErrorKind, IsTerminal};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::{Args, ValueEnum};
use hola_base::output::{Reader, print, say};
use hola_loadgen::target;
use hola_servers::conversation::ack::ACKNOWLEDGEMENT;
use signal_hook::consts::SIGINT;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader, stdin};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::runtime;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use self::transcript::Transcript;
use super::INTERRUPTED;
use crate::line::next_line;

/// Where `hola serve` listens unless told otherwise.
const ADDRESS_DEFAULT: &str = "127.0.0.1:8080";
/// The line that ends the client; it is never sent.
const LEAVE: &[u8] = b"salir";
/// Timeout of connecting, of an expected answer, and of a write.
const TIMEOUT: Duration = Duration::from_secs(5);
/// After this silence the client expects no answer: some servers only receive.
const SILENCE: Duration = Duration::from_secs(1);
/// When the server closes: time for the other task to notice that its input has ended as well.
const GRACE: Duration = Duration::from_millis(250);
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
    const WANTED: &str =
        "write a host and a port, such as 127.0.0.1:8080, localhost:8080, [::1]:8080 or 8080";
    let text = target::with_host(text);
    let (host, port) = text.rsplit_once(':').ok_or(WANTED)?;
    let is_in_names = |letter: char| letter.is_alphanumeric() || "-._".contains(letter);
    let is_name = !host.is_empty() && host.chars().all(is_in_names);
    let is_host = is_name || text.parse::<SocketAddr>().is_ok();
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    (is_host && is_port).then(|| text.to_string()).ok_or(WANTED)
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
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let ended = runtime.block_on(talk(socket, args.conversation));
    // A thread that is still reading the keyboard ends with the process.
    runtime.shutdown_background();
    ended.map(|()| ExitCode::SUCCESS)
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
    socket.set_nonblocking(true)?;
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
        ErrorKind::ConnectionRefused => format!("nobody listens at {typed}"),
        ErrorKind::TimedOut => format!("{typed} does not answer"),
        _ => format!("cannot connect to {typed}: {error}"),
    };
    if error.kind() == ErrorKind::ConnectionRefused && address.ip().is_loopback() {
        reason += &format!(" (start one with: hola {server} --bind {address})");
    }
    if failures.len() > 1 {
        let tried = failures.iter().map(|(address, _)| address.to_string());
        reason += &format!("; tried {}", tried.collect::<Vec<_>>().join(", "));
    }
    anyhow!(reason)
}

/// Runs both directions of a connection until it ends.
async fn talk(socket: TcpStream, expected: Option<Expected>) -> Result<()> {
    let (from, mut to) = tokio::net::TcpStream::from_std(socket)?.into_split();
    let (received, news) = watch::channel(0);
    let sending = tokio::spawn(async move {
        let sent = send_lines(&mut to, news, expected).await;
        // Ends the other task's read. Fails if the connection has ended.
        let _ = SockRef::from(to.as_ref()).shutdown(Shutdown::Both);
        sent
    });
    let Some(ending) = print_received(from, received).await? else {
        return Ok(());
    };
    let sent = timeout(GRACE, sending).await;
    sent.map_or(Err(ending), |sent| sent?)
}

/// Prints what the server sends, and counts its bytes, until the connection ends. Returns the reason, or `None` if standard
/// output is closed.
async fn print_received(
    mut from: OwnedReadHalf,
    received: watch::Sender<usize>,
) -> Result<Option<anyhow::Error>> {
    let mut transcript = Transcript::default();
    let mut space = [0; 4096];
    loop {
        let read = from.read(&mut space).await;
        let count = *read.as_ref().unwrap_or(&0);
        if print(transcript.continued(&space[..count]))? == Reader::Gone {
            return Ok(None);
        }
        if count == 0 {
            return Ok(Some(
                read.map_or_else(|error| broken(&error), |_| anyhow!(CLOSED)),
            ));
        }
        received.send_modify(|bytes| *bytes += count);
    }
}

/// Sends each line until the user leaves, then waits until the server closes or is silent. `received` tells how many bytes
/// have come, and closes once the server has.
async fn send_lines(
    to: &mut OwnedWriteHalf,
    mut received: watch::Receiver<usize>,
    expected: Option<Expected>,
) -> Result<()> {
    let mut input = BufReader::new(stdin());
    // When the wait for the answer to the last message ends, and the bytes received once the answer is whole.
    let (mut until, mut whole) = (Instant::now(), 0);
    loop {
        let line = next_line(&mut input)
            .await
            .context("cannot read the input")?;
        let line = line.filter(|line| line.trim_ascii() != LEAVE);
        if line.as_ref().is_some_and(Vec::is_empty) {
            continue;
        }
        // So that the server does not read a message as part of the one before. Any bytes count as the answer: unrequested
        // ones look the same. One that is not required may still arrive after the user has left.
        if line.is_some() || expected.is_some() {
            let answer = received.wait_for(|bytes| *bytes >= whole);
            match timeout_at(until, answer).await {
                Ok(answer) => ensure!(answer.is_ok(), CLOSED),
                Err(_) if expected.is_none() => {}
                Err(_) => bail!("no whole answer within {} s", TIMEOUT.as_secs()),
            }
        }
        let Some(mut message) = line else {
            break;
        };
        ensure!(received.has_changed().is_ok(), CLOSED);
        let (longest, answer_bytes) = match expected {
            None => (SILENCE, 1),
            // A server acknowledges once per read, of at most 1 KiB: it may send more than this.
            Some(Expected::Ack) => (TIMEOUT, ACKNOWLEDGEMENT.len()),
            Some(Expected::Echo) => (TIMEOUT, message.len()),
            Some(Expected::Chat) => (TIMEOUT, 0),
        };
        if expected == Some(Expected::Chat) {
            message.push(b'\n');
        }
        until = Instant::now() + longest;
        whole = *received.borrow_and_update() + answer_bytes;
        send(to, &message).await?;
    }
    // Fails if the server has already closed; there is nothing to wait for then.
    let _ = to.shutdown().await;
    // A server may send without end.
    let latest = Instant::now() + TIMEOUT;
    while let Ok(Ok(())) = timeout(SILENCE, received.changed()).await
        && Instant::now() < latest
    {}
    Ok(())
}

async fn send(to: &mut OwnedWriteHalf, mut message: &[u8]) -> Result<()> {
    while !message.is_empty() {
        match timeout(TIMEOUT, to.write(message)).await {
            Ok(written) => message = &message[written.map_err(|error| broken(&error))?..],
            Err(_) => bail!("the server took nothing for {} s", TIMEOUT.as_secs()),
        }
    }
    Ok(())
}

/// Why the connection ended.
fn broken(error: &io::Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => anyhow!(CLOSED),
        _ => anyhow!("the connection broke: {error}"),
    }
}
