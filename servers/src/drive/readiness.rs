//! The driver for loops that serve whoever can go on: it never waits, it says what for.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::time::Duration;

use super::{Performed, Turn, perform};
use crate::conversation::{Conversation, Patience, Step};

/// What a conversation cannot go on without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Octets from the client, or its end of stream.
    Readable,
    /// Room for octets to the client.
    Writable,
    /// Time; then the conversation is to be told.
    Time(Duration),
    /// Its next turn: it could go on at once, but others have waited long enough.
    Turn,
    /// Nothing: it is over.
    Nothing,
}

/// Takes a conversation as far as its non-blocking socket, and its turn, let it.
///
/// A read that did not fill its space has emptied the socket: reading again at once would only be told so. Readiness
/// is level-triggered, so whatever arrives meanwhile is not missed. Only a client that has more to be done than that
/// costs a look at the clock.
///
/// # Errors
/// What the socket said.
pub fn advance(
    conversation: &mut impl Conversation,
    socket: &TcpStream,
    turn: Turn,
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
        let has_more = reads && has_read || step == Step::Wait(Duration::ZERO) && has_moved;
        if has_more && turn.is_over() {
            return Ok(Need::Turn);
        }
        match perform(conversation, socket) {
            Ok(Performed::Over) => return Ok(Need::Nothing),
            Ok(Performed::Wait(Duration::ZERO)) => {
                conversation.waited();
                has_moved = true;
            }
            Ok(Performed::Wait(time)) => return Ok(Need::Time(time)),
            Ok(Performed::Moved { may_have_more }) => {
                emptied |= !may_have_more;
                has_read |= reads;
                has_moved = true;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return Ok(match conversation.patience() {
                    Patience::Write => Need::Writable,
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

    use super::*;
    use crate::conversation::http::Http;
    use crate::conversation::{Spoken, player};

    /// A server's end of a connection, which does not block, and a client's.
    fn connection() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let client = TcpStream::connect(listener.local_addr().expect("an address"));
        let (server, _) = listener.accept().expect("a client");
        server.set_nonblocking(true).expect("a flag");
        (server, client.expect("the listener accepts"))
    }

    /// What is needed after each turn of one request, of a client that has sent `octets` at once.
    fn needs(octets: &[u8]) -> Vec<Need> {
        let (server, mut client) = connection();
        client.write_all(octets).expect("sent");
        wait(&server);
        let site = player::site(Spoken::Http);
        let mut conversation = Http::new(&site);
        let mut needs = Vec::new();
        while needs.last().is_none_or(|need| *need == Need::Turn) {
            let need = advance(&mut conversation, &server, Turn::ONE_REQUEST);
            needs.push(need.expect("a connection"));
        }
        assert!(client.read(&mut [0; 1]).expect("an answer") > 0);
        needs
    }

    /// Waits until the octets of one write are there.
    fn wait(server: &TcpStream) {
        while server.peek(&mut [0; 1]).is_err() {
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_client_that_sends_one_request_never_comes_to_the_end_of_its_turn() {
        let kept = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(needs(kept), [Need::Readable]);
        let last = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        assert_eq!(needs(last), [Need::Nothing]);
    }

    #[test]
    fn a_client_that_sends_several_requests_has_a_turn_for_each() {
        let three = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(3);
        assert_eq!(needs(&three), [Need::Turn, Need::Turn, Need::Readable]);
    }
}
