//! Checks of connections: how they are closed, kept and broken.

use std::io::Write;
use std::net::Shutdown;
use std::time::Duration;

use socket2::SockRef;

use super::client::{ANSWER_MAX, ASK, ASK_AND_CLOSE, ExchangeEnd, connect, exchange, read};
use super::examiner::Examiner;
use super::requests::greeted;
use super::{Observation, both};

/// The beginning of a request.
pub(super) const HALF_REQUEST: &[u8] = b"GET / HTTP";
/// A wait for a server that closes after each answer.
const CLOSE_WAIT: Duration = Duration::from_millis(300);

pub(super) fn half_close(examiner: &Examiner) -> Observation {
    let server = examiner.start()?;
    let socket = connect(server.address)?;
    let _ = (&socket).write_all(ASK);
    let _ = socket.shutdown(Shutdown::Write);
    let answer = read(&socket, ANSWER_MAX, |bytes| server.has_body(bytes));
    match answer.is_answer(&server.body) {
        true => Ok(answer.shown()),
        false => Err(answer.shown()),
    }
}

pub(super) fn close(examiner: &Examiner) -> Observation {
    let server = examiner.start()?;
    let answer = exchange(server.address, ASK_AND_CLOSE, ANSWER_MAX, |_| false)?;
    match answer.end == ExchangeEnd::Closed {
        true => Ok(answer.shown()),
        false => Err(answer.shown()),
    }
}

pub(super) fn two_requests(examiner: &Examiner) -> Observation {
    let server = examiner.start()?;
    let socket = connect(server.address)?;
    let _ = (&socket).write_all(ASK);
    let first = read(&socket, ANSWER_MAX, |bytes| server.has_body(bytes));
    if !first.is_answer(&server.body) {
        return Err(first.shown());
    }
    let after = read(&socket, CLOSE_WAIT, |_| false);
    match after.end {
        ExchangeEnd::Closed => {
            return Ok(both(
                "closed after the first answer",
                "cerrada tras la primera respuesta",
            ));
        }
        ExchangeEnd::Reset => return Err(after.shown()),
        ExchangeEnd::TimedOut | ExchangeEnd::Complete => {}
    }
    let _ = (&socket).write_all(ASK);
    let second = read(&socket, ANSWER_MAX, |bytes| server.has_body(bytes));
    match second.is_answer(&server.body) {
        true => Ok(both(
            "kept; the second request was answered",
            "mantenida; la segunda petición se respondió",
        )),
        false => Err(second.shown()),
    }
}

pub(super) fn reset(examiner: &Examiner) -> Observation {
    let server = examiner.start()?;
    // Before a request, within one, and before its answer is read.
    for sent in [b"".as_slice(), HALF_REQUEST, ASK] {
        let socket = connect(server.address)?;
        let _ = (&socket).write_all(sent);
        // With this option, close(2) sends a reset.
        let _ = SockRef::from(&socket).set_linger(Some(Duration::ZERO));
        drop(socket);
        server.lives_on(both(
            format!(
                "a client reset its connection after `{}`",
                sent.escape_ascii()
            ),
            format!(
                "un cliente reinició su conexión tras `{}`",
                sent.escape_ascii()
            ),
        ))?;
    }
    // A thread that ends its process at a reset may do so after the next greeting.
    server.death().map_or_else(|| Ok(greeted()), Err)
}
