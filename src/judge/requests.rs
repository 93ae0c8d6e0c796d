//! Checks of single requests: what is asked, and what is answered.

use std::io::Write;
use std::thread;
use std::time::Duration;

use hola_lab::record::StoredText;

use super::client::{
    ANSWER_MAX, ASK_AND_CLOSE, Exchange, ExchangeEnd, GREETING, connect, exchange, find, read,
};
use super::examiner::Examiner;
use super::{Observation, both, observed};

pub(super) const HEAD: &[u8] = b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
pub(super) const UNKNOWN_PATH: &[u8] =
    b"GET /no/such/path HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
pub(super) const NO_REQUEST: &[u8] = b"nonsense\r\n\r\n";
/// Its beginning; 64 KiB of `a` and the end of the head follow.
pub(super) const LONG_HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: ";
/// Length of the long field, in bytes.
const LONG_FIELD: usize = 64 * 1024;
/// Pause between two bytes of a request: long enough that a server reads each of them alone.
const BETWEEN_BYTES: Duration = Duration::from_millis(3);
/// A wait for an answer that comes too early.
const EARLY_WAIT: Duration = Duration::from_millis(50);
/// A wait for what must not come.
const SURPLUS_WAIT: Duration = Duration::from_millis(500);

pub(super) fn greeting(examiner: &Examiner) -> Observation {
    let server = examiner.start()?;
    let socket = connect(server.address)?;
    let _ = (&socket).write_all(ASK_AND_CLOSE);
    let mut answer = read(&socket, ANSWER_MAX, |bytes| find(bytes, GREETING).is_some());
    if answer.end == ExchangeEnd::Complete {
        let rest = read(&socket, SURPLUS_WAIT, |_| false);
        answer.bytes.extend(rest.bytes);
        answer.end = rest.end;
    }
    let is_right = answer.is_answer(GREETING) && is_framed(&answer);
    observed(is_right, answer.shown())
}

/// Whether the declared length of the body is that of the greeting, and nothing else comes.
fn is_framed(answer: &Exchange) -> bool {
    let Some((head, body)) = answer.parts() else {
        return false;
    };
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let field = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(found, _)| *found == name)?;
        Some(found.1.trim().to_owned())
    };
    if field("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        return unchunked(body).as_deref() == Some(GREETING);
    }
    // Without a length, the end of the connection is the end of the body.
    let is_length_right = match field("content-length") {
        Some(length) => length == GREETING.len().to_string(),
        None => answer.end == ExchangeEnd::Closed,
    };
    is_length_right && body == GREETING
}

/// The body in chunks (RFC 9112, section 7.1); `None` if they are broken or do not end.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = find(rest, b"\r\n")?;
        let size = std::str::from_utf8(&rest[..end]).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        rest = &rest[end + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

pub(super) fn pieces(examiner: &Examiner) -> Observation {
    let server = examiner.start()?;
    let socket = connect(server.address)?;
    let (others, last) = ASK_AND_CLOSE.split_at(ASK_AND_CLOSE.len() - 1);
    for byte in others {
        // A server that has closed already is seen by its answer.
        let _ = (&socket).write_all(&[*byte]);
        thread::sleep(BETWEEN_BYTES);
    }
    // A server that takes the first piece for all of a request answers too early.
    let early = read(&socket, EARLY_WAIT, |_| true);
    if !early.bytes.is_empty() {
        let StoredText { en, es } = early.shown();
        return Err(both(
            format!("before the request was complete: {en}"),
            format!("antes de que la petición estuviera completa: {es}"),
        ));
    }
    let _ = (&socket).write_all(last);
    server.answer_on(&socket, ANSWER_MAX)
}

pub(super) fn head(examiner: &Examiner) -> Observation {
    let server = examiner.start()?;
    let socket = connect(server.address)?;
    let _ = (&socket).write_all(HEAD);
    let mut answer = read(&socket, ANSWER_MAX, is_head_complete);
    if answer.end == ExchangeEnd::Complete && answer.has_no_body() {
        let rest = read(&socket, SURPLUS_WAIT, |_| false);
        answer.bytes.extend(rest.bytes);
    }
    let is_right = answer.status() == Some(200) && answer.has_no_body();
    observed(is_right, answer.shown())
}

pub(super) fn unknown_path(examiner: &Examiner) -> Observation {
    let server = examiner.start()?;
    let answer = exchange(server.address, UNKNOWN_PATH, ANSWER_MAX, is_head_complete)?;
    observed(answer.status() == Some(404), answer.shown())
}

pub(super) fn bad_request(examiner: &Examiner) -> Observation {
    let server = examiner.start()?;
    let answer = exchange(server.address, NO_REQUEST, ANSWER_MAX, is_head_complete)?;
    let seen = server.lives_on(answer.shown())?;
    observed(answer.status() == Some(400), seen)
}

pub(super) fn long_head(examiner: &Examiner) -> Observation {
    let server = examiner.start()?;
    let end = b"\r\nConnection: close\r\n\r\n";
    let request = [LONG_HEAD, &[b'a'; LONG_FIELD], end].concat();
    let answer = exchange(server.address, &request, ANSWER_MAX, is_head_complete)?;
    let seen = server.lives_on(answer.shown())?;
    // A reset can overtake the answer of a server that reads no further, so an end without an answer is a refusal.
    let is_refused = match answer.status() {
        Some(status) => (400..600).contains(&status),
        None => matches!(answer.end, ExchangeEnd::Closed | ExchangeEnd::Reset),
    };
    observed(is_refused, seen)
}

fn is_head_complete(bytes: &[u8]) -> bool {
    find(bytes, b"\r\n\r\n").is_some()
}
