//! The operator of a server: another process, which reads its counters; in a chat it also learns who comes, what is said and
//! who leaves, and answers.
//!
//! The processes of the server share one end of a socket (`SOCK_SEQPACKET`, unix(7)), and write an event to it at a
//! time. The event of a server that listens carries the memory of its counters: reading it costs the server nothing. That of
//! a client that comes carries a copy of its connection, on which the operator writes. So an answer costs the server nothing,
//! a slow client delays nobody, and no model has to wait for two things at once. In a chat the server itself writes
//! nothing, so that the two never write into each other's words.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicI32, Ordering};

use socket2::{Domain, Socket, Type};

use crate::conversation::messages::MESSAGE_BYTES_MAX;
use crate::log::warn_rate_limited;
use crate::sys;

/// Descriptor of the server's end, or -1 if there is no operator.
static SERVERS_END: AtomicI32 = AtomicI32::new(-1);

/// What happened to the server or, in a chat, to a client. The number of the first client is 1.
#[derive(Debug)]
pub enum Event {
    /// All its acceptors wait for clients.
    Listening {
        /// Where it listens.
        address: SocketAddr,
        /// Workers that its counters have room for.
        workers: usize,
        /// The memory of its counters, for [`Counters::from_memory`](crate::counters::Counters::from_memory); `None` if the
        /// system forbids memory files.
        counters: Option<OwnedFd>,
    },
    /// It is served from now on, by that process.
    Joined {
        /// Number of the client.
        client: u64,
        /// Id of the process that serves it.
        process: u32,
        /// A copy of its connection, to be dropped once the client has left. Write with `MSG_DONTWAIT`: a mode that is
        /// set on the copy is set on the server's, too.
        connection: TcpStream,
    },
    /// It sent these bytes, at most [`MESSAGE_BYTES_MAX`].
    Said {
        /// Number of the client.
        client: u64,
        /// What it sent.
        bytes: Vec<u8>,
    },
    /// Its connection broke, or it took too long. Its end follows.
    Failed {
        /// Number of the client.
        client: u64,
        /// The system's message, in one line.
        reason: String,
    },
    /// Its conversation has ended.
    Left {
        /// Number of the client.
        client: u64,
    },
}

/// Kinds of events, in their first byte. A number follows, of the client or of workers, and then bytes, a text or a process
/// id.
const LISTENING: u8 = b'@';
const JOINED: u8 = b'+';
const SAID: u8 = b'=';
const FAILED: u8 = b'!';
const LEFT: u8 = b'-';

/// Bytes of the kind and the number.
const HEAD_BYTES: usize = 1 + size_of::<u64>();

/// The operator's end.
#[derive(Debug)]
pub struct OperatorSocket(UnixStream);

impl OperatorSocket {
    /// Both ends: the operator's, and the server's, which is to be inherited by `hola serve --operator`.
    ///
    /// # Errors
    /// Returns the error of socketpair(2).
    pub fn pair() -> io::Result<(Self, OwnedFd)> {
        let (operators, servers) = Socket::pair(Domain::UNIX, Type::SEQPACKET, None)?;
        let operators = OwnedFd::from(operators);
        Ok((OperatorSocket(operators.into()), servers.into()))
    }

    /// Waits for the next event; `None` once no process of the server is left.
    ///
    /// # Errors
    /// Returns the error of recvmsg(2), or an error for a message that is no event.
    pub fn receive(&self) -> io::Result<Option<Event>> {
        let mut message = [0; HEAD_BYTES + MESSAGE_BYTES_MAX];
        let (length, descriptor) = sys::receive_with_descriptor(&self.0, &mut message)?;
        if length == 0 {
            return Ok(None);
        }
        let event = decode(&message[..length], descriptor);
        event
            .map(Some)
            .ok_or_else(|| io::Error::other("no event of a server"))
    }
}

impl AsFd for OperatorSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn decode(message: &[u8], descriptor: Option<OwnedFd>) -> Option<Event> {
    let (head, bytes) = message.split_at_checked(HEAD_BYTES)?;
    let number = u64::from_be_bytes(head[1..].try_into().ok()?);
    Some(match head[0] {
        LISTENING => Event::Listening {
            address: str::from_utf8(bytes).ok()?.parse().ok()?,
            workers: usize::try_from(number).ok()?,
            counters: descriptor,
        },
        JOINED => Event::Joined {
            client: number,
            process: u32::from_be_bytes(bytes.try_into().ok()?),
            connection: TcpStream::from(descriptor?),
        },
        SAID => Event::Said {
            client: number,
            bytes: bytes.to_vec(),
        },
        FAILED => Event::Failed {
            client: number,
            reason: String::from_utf8_lossy(bytes).into_owned(),
        },
        LEFT => Event::Left { client: number },
        _ => return None,
    })
}

/// From now on, events go to the operator at that descriptor, which was inherited.
pub(crate) fn report_to(descriptor: Option<i32>) {
    SERVERS_END.store(descriptor.unwrap_or(-1), Ordering::Relaxed);
}

pub(crate) fn listening(address: SocketAddr, workers: usize, counters: Option<BorrowedFd<'_>>) {
    let address = address.to_string();
    tell(LISTENING, workers as u64, address.as_bytes(), counters);
}

pub(crate) fn joined(client: u64, connection: &TcpStream) {
    let process = std::process::id().to_be_bytes();
    tell(JOINED, client, &process, Some(connection.as_fd()));
}

pub(crate) fn said(client: u64, bytes: &[u8]) {
    tell(SAID, client, bytes, None);
}

pub(crate) fn failed(client: u64, reason: &str) {
    tell(FAILED, client, reason.as_bytes(), None);
}

pub(crate) fn left(client: u64) {
    tell(LEFT, client, &[], None);
}

/// Sends an event, without waiting: an operator that does not keep up loses events, and its clients lose nothing.
fn tell(kind: u8, number: u64, bytes: &[u8], descriptor: Option<BorrowedFd<'_>>) {
    let operator = SERVERS_END.load(Ordering::Relaxed);
    if operator < 0 {
        return;
    }
    let message = [&[kind], &number.to_be_bytes()[..], bytes].concat();
    let descriptor = descriptor.map(|descriptor| descriptor.as_raw_fd());
    if let Err(error) = sys::send_with_descriptor(operator, &message, descriptor) {
        warn_rate_limited(&format!("the operator does not listen: {error}"));
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn events_arrive_whole_in_their_order_and_then_the_end() {
        let (operator, server) = OperatorSocket::pair().expect("a pair");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let client = TcpStream::connect(listener.local_addr().expect("an address"));
        let client = client.expect("connected");
        report_to(Some(server.as_raw_fd()));
        let address = listener.local_addr().expect("an address");
        listening(address, 3, Some(listener.as_fd()));
        joined(7, &client);
        said(7, b"\xff\0 hola");
        failed(7, "timed out");
        left(7);
        report_to(None);
        drop(server);
        let next = || operator.receive().expect("readable");
        assert!(
            matches!(next(), Some(Event::Listening { address: its, workers: 3, counters: Some(_) }) if its == address)
        );
        let address = client.local_addr().expect("an address");
        assert!(
            matches!(next(), Some(Event::Joined { client: 7, process, connection })
            if process == std::process::id() && connection.local_addr().expect("open") == address)
        );
        assert!(
            matches!(next(), Some(Event::Said { client: 7, bytes }) if bytes == b"\xff\0 hola")
        );
        assert!(
            matches!(next(), Some(Event::Failed { client: 7, reason }) if reason == "timed out")
        );
        assert!(matches!(next(), Some(Event::Left { client: 7 })));
        assert!(next().is_none());
    }
}
