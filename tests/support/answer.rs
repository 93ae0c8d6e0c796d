//! What a client sends, and the answers it gets.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use socket2::SockRef;

use super::ASK_AND_CLOSE;

/// One answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub closes: bool,
    pub body: Vec<u8>,
}

impl Answer {
    /// Reads the next answer of a connection, and no byte more.
    pub fn read(from: &mut impl BufRead) -> io::Result<Answer> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if from.read_line(&mut head)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        let mut lines = head.lines();
        let length = lines.find_map(|line| line.strip_prefix("Content-Length: "));
        let length = length.map_or(0, |length| length.parse().expect("a length"));
        let mut body = vec![0; length];
        from.read_exact(&mut body)?;
        Ok(Answer {
            status: head[9..12].parse().expect("a status code"),
            closes: head.contains("\r\nConnection: close\r\n"),
            body,
        })
    }

    /// The body as a number.
    pub fn number(&self) -> u64 {
        let text = std::str::from_utf8(&self.body).expect("text");
        text.parse().unwrap_or_else(|_| panic!("no number: {text}"))
    }
}

/// The last request of a connection, for `path`.
pub fn last_request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
}

/// Asks for `path`, as the last request of a connection.
pub fn ask(socket: &mut impl Write, path: &str) {
    let request = last_request(path);
    socket.write_all(request.as_bytes()).expect("sent");
}

/// The next answer on this connection.
pub fn answer(socket: impl Read) -> Answer {
    Answer::read(&mut BufReader::new(socket)).expect("an answer")
}

/// Completes the request that [`Server::stalled`] began; it must be answered.
pub fn end_stall(mut socket: TcpStream) {
    socket.write_all(&ASK_AND_CLOSE[20..]).expect("sent");
    assert_eq!(answer(socket).status, 200);
}

/// Sends a message and reads as many bytes as the answer must have.
pub fn say(mut socket: &TcpStream, message: impl AsRef<[u8]>, answer: impl AsRef<[u8]>) {
    let answer = answer.as_ref();
    socket.write_all(message.as_ref()).expect("sent");
    let mut bytes = vec![0; answer.len()];
    socket.read_exact(&mut bytes).expect("an answer");
    assert!(bytes == answer, "{}", bytes.escape_ascii());
}

/// Answers without their `Date` lines.
pub fn undated(answers: &str) -> String {
    let lines = answers.split_inclusive("\r\n");
    lines.filter(|line| !line.starts_with("Date: ")).collect()
}

/// All bytes until the server closes or resets the connection.
pub fn rest(mut socket: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = socket.read_to_end(&mut bytes);
    bytes
}

/// The status codes of a stream of answers.
pub fn statuses(answers: &str) -> Vec<u16> {
    let answers = answers.split("HTTP/1.1 ").skip(1);
    let status = |answer: &str| answer[..3].parse().expect("a status code");
    answers.map(status).collect()
}

/// Makes close(2) send a reset instead of a FIN, as when a program ends with unread bytes.
pub fn reset_on_close(socket: &TcpStream) {
    let socket = SockRef::from(socket);
    socket.set_linger(Some(Duration::ZERO)).expect("an option");
}
