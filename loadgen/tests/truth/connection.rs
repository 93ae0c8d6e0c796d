//! A connection of a planned server: takes heads from the bytes read, and builds the answers.

use std::net::TcpStream;

use super::plan::Fate;

/// A connection and the request on it.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    /// Bytes read but not yet served.
    pub(super) input: Vec<u8>,
    /// The request under way.
    pub(super) request: Option<Request>,
    pub(super) generation: u32,
    /// Whether the server closes its listener for a while once this request is answered.
    pub(super) last_before_refusals: bool,
}

impl Connection {
    /// The next head, in lower case, once it is complete and the request before it is answered.
    pub(super) fn take_head(&mut self) -> Option<String> {
        if self.request.is_some() {
            return None;
        }
        let end = self
            .input
            .windows(4)
            .position(|bytes| bytes == b"\r\n\r\n")?;
        let head: Vec<u8> = self.input.drain(..end + 4).collect();
        Some(String::from_utf8_lossy(&head).to_ascii_lowercase())
    }
}

/// A request and its fate; instants are nanoseconds of the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    /// When its head had been read.
    pub(crate) received_ns: u64,
    /// When it is to be answered.
    pub(crate) due_ns: u64,
    pub(crate) fate: Fate,
    pub(super) keep: bool,
    pub(super) http_1_0: bool,
}

/// The bytes that answer a request of this fate.
pub(super) fn answer_to(request: Request) -> Vec<u8> {
    let connection = match (request.keep, request.http_1_0) {
        (false, _) => "Connection: close\r\n",
        (true, true) => "Connection: keep-alive\r\n",
        (true, false) => "",
    };
    let head =
        |status: &str| format!("HTTP/1.1 {status}\r\nContent-Length: 14\r\n{connection}\r\n");
    match request.fate {
        Fate::Answered => head("200 OK") + "Hola, cliente!",
        Fate::ResetMidBody | Fate::ShortBody => head("200 OK") + "Hola",
        Fate::Status500 => {
            "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\nConnection: close\r\n\r\noops"
                .to_owned()
        }
        Fate::BadStatusLine => "NOPE\r\n\r\n".to_owned(),
        Fate::Reset | Fate::ClosedEarly | Fate::Silence => String::new(),
    }
    .into_bytes()
}
