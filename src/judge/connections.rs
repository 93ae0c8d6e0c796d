//! Checks of connections: how they are closed, kept and broken.

use std::io::Write;
use std::net::Shutdown;
use std::time::Duration;

use socket2::SockRef;

use super::client::{ANSWER_MAX, ASK, ASK_AND_CLOSE, ExchangeEnd, connect, exchange, read};
use super::examiner::Examiner;
use super::{Observation, both, observed};

/// The beginning of a request.
pub(super) const HALF_REQUEST: &[u8] = b"GET / HTTP";
/// A wait for a server that closes after each answer.
const CLOSE_WAIT: Duration = Duration::from_millis(300);
/// Requests of a client that leaves before any answer. The first answer finds nobody, so that the client's kernel resets
/// the connection; a later answer then meets SIGPIPE (send(2)).
const UNREAD_REQUESTS: usize = 8;

pub(super) fn half_close(examiner: &Examiner) -> Observation {
    let server = examiner.start()?;
    let socket = connect(server.address)?;
    let _ = (&socket).write_all(ASK);
    let _ = socket.shutdown(Shutdown::Write);
    server.answer_on(&socket, ANSWER_MAX)
}

pub(super) fn close(examiner: &Examiner) -> Observation {
    let server = examiner.start()?;
    let answer = exchange(server.address, ASK_AND_CLOSE, ANSWER_MAX, |_| false)?;
    observed(answer.end == ExchangeEnd::Closed, answer.shown())
}

pub(super) fn two_requests(examiner: &Examiner) -> Observation {
    let server = examiner.start()?;
    let socket = connect(server.address)?;
    let _ = (&socket).write_all(ASK);
    server.answer_on(&socket, ANSWER_MAX)?;
    let after = read(&socket, CLOSE_WAIT, |_| false);
    match after.end {
        ExchangeEnd::Closed => {
            let (en, es) = (
                "closed after the first answer",
                "cerrada tras la primera respuesta",
            );
            return Ok(both(en, es));
        }
        ExchangeEnd::Reset => return Err(after.shown()),
        ExchangeEnd::TimedOut | ExchangeEnd::Complete => {}
    }
    let _ = (&socket).write_all(ASK);
    server.answer_on(&socket, ANSWER_MAX)?;
    Ok(both(
        "kept; the second request was answered",
        "mantenida; la segunda petición se respondió",
    ))
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
        let sent = sent.escape_ascii();
        server.lives_on(both(
            format!("a client reset its connection after `{sent}`"),
            format!("un cliente reinició su conexión tras `{sent}`"),
        ))?;
    }
    for sent in [HALF_REQUEST, &ASK.repeat(UNREAD_REQUESTS)] {
        let socket = connect(server.address)?;
        // A corked request goes out when the client leaves, in one packet with its end (tcp(7)): no answer is earlier.
        let _ = SockRef::from(&socket).set_tcp_cork(true);
        let _ = (&socket).write_all(sent);
        drop(socket);
        let sent = sent.escape_ascii();
        server.lives_on(both(
            format!("a client left after `{sent}`"),
            format!("un cliente se fue tras `{sent}`"),
        ))?;
    }
    // A thread that ends its process at a reset may do so after the next greeting.
    match server.death() {
        Some(death) => Err(death),
        None => Ok(both("the greeting came", "llegó el saludo")),
    }
}
