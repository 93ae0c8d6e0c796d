//! The driver for loops over ready sockets: it never waits, but returns what the conversation has to wait for.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{Budget, StepResult, perform};
use crate::conversation::{Conversation, Step, TimeoutKind};

/// What a conversation needs before it can continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Bytes from the client, or its end of stream.
    Readable,
    /// Room for bytes to the client.
    Writable,
    /// This time to pass; the caller then reports it with [`Conversation::waited`].
    Time(Duration),
    /// A new budget: it could continue at once, but other clients have waited long enough.
    Budget,
    /// Long work to be done with [`Conversation::work`], which this budget does not allow.
    Work,
    /// Nothing: the conversation is over.
    Nothing,
}

/// What a client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What its conversation needs.
    pub need: Need,
    /// When it continues even if its socket is not ready: at its deadline, or when its time has passed.
    pub until: Option<Instant>,
}

/// Advances a conversation until its non-blocking socket is not ready or its budget is used up.
///
/// A read that did not fill its space has emptied the socket, so a second read would only return `EAGAIN`. Readiness is
/// level-triggered, so bytes that arrive meanwhile are not missed. The clock is read only for a client that has more to
/// be done. Fails with the error of the socket.
pub fn advance(
    conversation: &mut impl Conversation,
    socket: &TcpStream,
    budget: Budget,
) -> io::Result<Need> {
    let mut emptied = false;
    let mut has_read = false;
    let mut has_moved = false;
    loop {
        let step = conversation.step();
        let reads = matches!(step, Step::Read(_));
        if reads && emptied {
            return Ok(Need::Readable);
        }
        if step == Step::Work && !budget.allows_long_work {
            return Ok(Need::Work);
        }
        let has_more = reads && has_read || step == Step::Wait(Duration::ZERO) && has_moved;
        if has_more && budget.is_over() {
            return Ok(Need::Budget);
        }
        match perform(conversation, socket) {
            Ok(StepResult::Over) => return Ok(Need::Nothing),
            Ok(StepResult::Wait(Duration::ZERO)) => {
                conversation.waited();
                has_moved = true;
            }
            Ok(StepResult::Wait(time)) => return Ok(Need::Time(time)),
            Ok(StepResult::Moved { may_have_more }) => {
                emptied |= !may_have_more;
                has_read |= reads;
                has_moved = true;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return Ok(match conversation.timeout_kind() {
                    TimeoutKind::Write => Need::Writable,
                    _ => Need::Readable,
                });
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::super::BUDGET;
    use super::*;
    use crate::conversation::http::Http;
    use crate::conversation::{Protocol, player};

    /// The server's end of a connection, which does not block, and the client's end.
    fn connection() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let client = TcpStream::connect(listener.local_addr().expect("an address"));
        let (server, _) = listener.accept().expect("a client");
        server.set_nonblocking(true).expect("a flag");
        (server, client.expect("the listener accepts"))
    }

    /// What a client that has sent `bytes` at once needs after each budget of one request.
    fn needs(bytes: &[u8]) -> Vec<Need> {
        let (server, mut client) = connection();
        client.write_all(bytes).expect("sent");
        while server.peek(&mut [0; 1]).is_err() {
            thread::yield_now();
        }
        let context = player::context(Protocol::Http);
        let mut conversation = Http::new(&context);
        let mut needs = Vec::new();
        while needs.last().is_none_or(|need| *need == Need::Budget) {
            let used_up = Budget::new(Instant::now() - BUDGET, true);
            let need = advance(&mut conversation, &server, used_up);
            needs.push(need.expect("a connection"));
        }
        assert!(client.read(&mut [0; 1]).expect("an answer") > 0);
        needs
    }

    #[test]
    fn a_client_gets_a_budget_for_each_request_and_uses_up_none_with_its_last_one() {
        let kept = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let last = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        assert_eq!(needs(kept), [Need::Readable]);
        assert_eq!(needs(last), [Need::Nothing]);
        let expected = [Need::Budget, Need::Budget, Need::Readable];
        assert_eq!(needs(&kept.repeat(3)), expected);
    }
}
