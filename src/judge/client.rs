//! A client of a server that may do anything: every wait has an end.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use hola_lab::record::StoredText;

use super::{Observation, both, observed};

/// The greeting.
pub(super) const GREETING: &[u8] = b"Hola, cliente!";
/// A request after which the connection may stay.
pub(super) const ASK: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
/// A request after which the server closes.
pub(super) const ASK_AND_CLOSE: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
/// Longest wait for an answer that waits for no other client.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(3);
/// Most bytes that are read of an answer.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Most bytes of an answer that are shown.
const SHOWN_MAX: usize = 160;

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExchangeEnd {
    /// What was waited for has arrived.
    Complete,
    /// The server closed the connection.
    Closed,
    /// The server, or the kernel, reset the connection.
    Reset,
    /// Nothing more came in time.
    TimedOut,
}

/// What a server sent, and how that ended.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) bytes: Vec<u8>,
    pub(super) end: ExchangeEnd,
}

impl Exchange {
    /// Status of the first answer; `None` if there is none.
    pub(super) fn status(&self) -> Option<u16> {
        let rest = self.bytes.strip_prefix(b"HTTP/1.")?;
        let digits = rest.get(2..5)?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    /// Head and body, once the head is complete.
    pub(super) fn parts(&self) -> Option<(&[u8], &[u8])> {
        let end = find(&self.bytes, b"\r\n\r\n")?;
        Some((&self.bytes[..end], &self.bytes[end + 4..]))
    }

    /// Whether the head is complete, and nothing follows it.
    pub(super) fn has_no_body(&self) -> bool {
        self.parts().is_some_and(|(_, body)| body.is_empty())
    }

    /// Whether this is an answer with that body, however its length is declared.
    pub(super) fn is_answer(&self, body: &[u8]) -> bool {
        self.status() == Some(200) && find(&self.bytes, body).is_some()
    }

    /// What came, for people.
    pub(super) fn shown(&self) -> StoredText {
        let (en, es) = match self.end {
            ExchangeEnd::Complete => return self.bytes_shown(),
            ExchangeEnd::Closed => ("the connection was closed", "se cerró la conexión"),
            ExchangeEnd::Reset => ("the connection was reset", "se reinició la conexión"),
            ExchangeEnd::TimedOut => ("nothing more in time", "nada más a tiempo"),
        };
        let came = self.bytes_shown();
        let (came_en, came_es) = (came.en, came.es);
        both(
            format!("{came_en}, then {en}"),
            format!("{came_es}, y después {es}"),
        )
    }

    fn bytes_shown(&self) -> StoredText {
        if self.bytes.is_empty() {
            return both("nothing came", "no llegó nada");
        }
        let shown = self.bytes[..self.bytes.len().min(SHOWN_MAX)].escape_ascii();
        both(format!("came `{shown}`"), format!("llegó `{shown}`"))
    }
}

/// Position of `part` in `bytes`.
pub(super) fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// Connects.
pub(super) fn connect(address: SocketAddr) -> Result<TcpStream, StoredText> {
    connect_within(address, ANSWER_MAX)
}

/// Connects, unless that takes longer than `longest`.
pub(super) fn connect_within(
    address: SocketAddr,
    longest: Duration,
) -> Result<TcpStream, StoredText> {
    let connect = || {
        let socket = TcpStream::connect_timeout(&address, longest)?;
        socket.set_nodelay(true)?;
        socket.set_write_timeout(Some(ANSWER_MAX))?;
        Ok(socket)
    };
    connect().map_err(|error: std::io::Error| {
        both(
            format!("no connection: {error}"),
            format!("sin conexión: {error}"),
        )
    })
}

/// Reads until `is_complete`, the end of the connection, or `longest`.
pub(super) fn read(
    mut socket: &TcpStream,
    longest: Duration,
    is_complete: impl Fn(&[u8]) -> bool,
) -> Exchange {
    let deadline = Instant::now() + longest;
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    let end = loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || bytes.len() > ANSWER_BYTES_MAX {
            break ExchangeEnd::TimedOut;
        }
        // A timeout of the socket that cannot be set is met by the next check of the deadline.
        let _ = socket.set_read_timeout(Some(left));
        match socket.read(&mut buffer) {
            Ok(0) => break ExchangeEnd::Closed,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => break ExchangeEnd::TimedOut,
                ErrorKind::Interrupted => {}
                _ => break ExchangeEnd::Reset,
            },
        }
        if is_complete(&bytes) {
            break ExchangeEnd::Complete;
        }
    };
    Exchange { bytes, end }
}

/// Sends `request` on a new connection, and reads until `is_complete`.
pub(super) fn exchange(
    address: SocketAddr,
    request: &[u8],
    longest: Duration,
    is_complete: impl Fn(&[u8]) -> bool,
) -> Result<Exchange, StoredText> {
    let mut socket = connect(address)?;
    // A server may refuse a request before it has read all of it; its answer counts.
    let _ = socket.write_all(request);
    Ok(read(&socket, longest, is_complete))
}

/// Reads an answer with that body; the error is what came instead.
pub(super) fn read_answer(socket: &TcpStream, body: &[u8], longest: Duration) -> Observation {
    let answer = read(socket, longest, |bytes| find(bytes, body).is_some());
    observed(answer.is_answer(body), answer.shown())
}

/// Asks on a new connection for an answer with that body; the error is what came instead.
pub(super) fn greet(address: SocketAddr, body: &[u8], longest: Duration) -> Observation {
    let mut socket = connect(address)?;
    let _ = socket.write_all(ASK_AND_CLOSE);
    read_answer(&socket, body, longest)
}
