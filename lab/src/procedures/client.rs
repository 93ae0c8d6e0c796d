//! Single clients with blocking sockets: what a procedure says to a server, and hears.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use hola_loadgen::response::{Progress, Response};
use hola_loadgen::workload::GREETING;
use nix::libc;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockProtocol, SockType, SockaddrIn, bind, connect, setsockopt, socket,
    sockopt,
};

/// A request as far as its last field: the server has to remember who said it, and wait for more.
pub(crate) const HALF_A_HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n";

/// How often a client that waits asks whether it still should.
const LOOK_UP: Duration = Duration::from_millis(50);

/// An answer, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Whether the body was the expected one; true where none was expected.
    pub(crate) body_is_right: bool,
}

/// A socket that is connected from `source`, or with `flags` `SOCK_NONBLOCK` about to be.
///
/// # Errors
/// What the system said, a refusal included.
pub(crate) fn connect_from(
    source: Ipv4Addr,
    target: SocketAddrV4,
    flags: SockFlag,
) -> io::Result<TcpStream> {
    let socket = socket(
        AddressFamily::Inet,
        SockType::Stream,
        flags | SockFlag::SOCK_CLOEXEC,
        SockProtocol::Tcp,
    )?;
    // The port is chosen when the other end is known, so each source address has its own range for each server.
    setsockopt(&socket, sockopt::IpBindAddressNoPort, &true)?;
    let source = SockaddrIn::from(SocketAddrV4::new(source, 0));
    bind(socket.as_raw_fd(), &source)?;
    match connect(socket.as_raw_fd(), &SockaddrIn::from(target)) {
        Ok(()) | Err(nix::Error::EINPROGRESS) => Ok(TcpStream::from(socket as OwnedFd)),
        Err(errno) => Err(errno.into()),
    }
}

/// Has a socket close without a TIME_WAIT, so that ports are free for the next server.
pub(crate) fn reset_on_close(socket: &TcpStream) -> io::Result<()> {
    let at_once = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    Ok(setsockopt(socket, sockopt::Linger, &at_once)?)
}

/// Asks for `path` on a connection of its own and takes the whole answer, within `longest` and for no longer than
/// `go_on` says so.
///
/// # Errors
/// `TimedOut`, `Interrupted` when `go_on` ended it, `UnexpectedEof` when the server closed too early, `InvalidData` for
/// what is not HTTP, and what the system said.
pub(crate) fn ask(
    target: SocketAddr,
    path: &str,
    expected_body: Option<&[u8]>,
    longest: Duration,
    go_on: impl Fn() -> bool,
) -> io::Result<Reply> {
    let deadline = Instant::now() + longest;
    let mut socket = TcpStream::connect_timeout(&target, longest)?;
    socket.set_nodelay(true)?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes())?;
    let mut response = Response::default();
    let mut octets = [0; 4096];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        if !go_on() {
            return Err(ErrorKind::Interrupted.into());
        }
        socket.set_read_timeout(Some(left.min(LOOK_UP)))?;
        let malformed = |error| io::Error::new(ErrorKind::InvalidData, error);
        let is_whole = match socket.read(&mut octets) {
            Ok(0) if !response.finish().map_err(malformed)? => {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            Ok(0) => true,
            Ok(count) => {
                let fed = response.feed(&octets[..count], expected_body);
                matches!(fed.map_err(malformed)?, Progress::Done { .. })
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                false
            }
            Err(error) => return Err(error),
        };
        if is_whole {
            return Ok(Reply {
                status: response.status().unwrap_or(0),
                body_is_right: expected_body.is_none_or(|body| response.body_is(body)),
            });
        }
    }
}

/// Whether a fresh client gets the exact greeting within `longest`.
pub(crate) fn is_greeted(target: SocketAddr, longest: Duration) -> bool {
    let greeting = Reply {
        status: 200,
        body_is_right: true,
    };
    ask(target, "/", Some(GREETING), longest, || true).is_ok_and(|reply| reply == greeting)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Answers one client with `octets` and closes.
    fn answering(octets: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        thread::spawn(move || {
            let (mut client, _) = listener.accept().expect("a client");
            let _ = client.read(&mut [0; 1024]);
            client.write_all(octets).expect("sent");
        });
        address
    }

    fn asked(octets: &'static [u8]) -> io::Result<Reply> {
        let longest = Duration::from_secs(5);
        ask(answering(octets), "/", Some(b"Hola"), longest, || true)
    }

    #[test]
    fn hears_whole_answers_and_names_what_is_none() {
        let reply = asked(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nHola").expect("whole");
        assert_eq!((reply.status, reply.body_is_right), (200, true));
        let reply = asked(b"HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno").expect("whole");
        assert_eq!((reply.status, reply.body_is_right), (503, false));
        let kind = |octets| asked(octets).expect_err("no answer").kind();
        assert_eq!(
            kind(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nHol"),
            ErrorKind::UnexpectedEof
        );
        assert_eq!(kind(b""), ErrorKind::UnexpectedEof);
        assert_eq!(kind(b"nonsense\r\n\r\n"), ErrorKind::InvalidData);
    }

    #[test]
    fn stops_waiting_when_the_time_is_up_or_it_is_told_to() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let silent = listener.local_addr().expect("an address");
        let moment = Duration::from_millis(20);
        assert!(!is_greeted(silent, moment));
        let told = ask(silent, "/", None, Duration::from_secs(60), || false);
        assert_eq!(told.expect_err("no answer").kind(), ErrorKind::Interrupted);
    }

    #[test]
    fn connects_from_any_loopback_address() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let SocketAddr::V4(target) = listener.local_addr().expect("an address") else {
            panic!("IPv4 was asked for")
        };
        let source = Ipv4Addr::new(127, 0, 0, 9);
        let client = connect_from(source, target, SockFlag::empty()).expect("connected");
        assert_eq!(client.local_addr().expect("an address").ip(), source);
        let (_, peer) = listener.accept().expect("a client");
        assert_eq!(peer.ip(), source);
    }
}
