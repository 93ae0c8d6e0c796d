//! Single clients: sockets that stay open, and non-blocking requests.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use hola_loadgen::response::{ParseProgress, ResponseParser};
use hola_loadgen::workload::GREETING;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockProtocol, SockType, SockaddrStorage, bind, connect, setsockopt,
    socket, sockopt,
};
use nix::sys::time::TimeVal;

/// A request head without its last line: the server has to keep it, and to wait for more.
const HALF_A_HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n";

/// Longest wait for an event; then the caller can decide whether to go on.
const POLL_MAX: Duration = Duration::from_millis(20);

/// Timeout of connect(2) and write(2): when the accept queue is full, the kernel drops the client's first packet.
const BLOCKED_MAX: TimeVal = TimeVal::new(1, 0);

/// Connects from the IPv4 address `source`; with the flag `SOCK_NONBLOCK`, only starts to connect.
fn connect_from(source: Ipv4Addr, target: SocketAddr, flags: SockFlag) -> io::Result<TcpStream> {
    let flags = flags | SockFlag::SOCK_CLOEXEC;
    let socket = socket(
        AddressFamily::Inet,
        SockType::Stream,
        flags,
        SockProtocol::Tcp,
    )?;
    // The kernel chooses the port when it knows the target, so each source address has a whole range of ports for each
    // target.
    setsockopt(&socket, sockopt::IpBindAddressNoPort, &true)?;
    setsockopt(&socket, sockopt::SendTimeout, &BLOCKED_MAX)?;
    let source = SocketAddr::from((source, 0));
    bind(socket.as_raw_fd(), &SockaddrStorage::from(source))?;
    match connect(socket.as_raw_fd(), &SockaddrStorage::from(target)) {
        Ok(()) | Err(nix::Error::EINPROGRESS) => Ok(TcpStream::from(socket)),
        Err(errno) => Err(errno.into()),
    }
}

/// Connects from `source` and sends half a head.
pub(crate) fn connect_idle(source: Ipv4Addr, target: SocketAddr) -> io::Result<TcpStream> {
    let mut socket = connect_from(source, target, SockFlag::empty())?;
    let at_once = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    // Then close(2) sends a reset: no TIME_WAIT is left, so the next server has all ports.
    setsockopt(&socket, sockopt::Linger, &at_once)?;
    socket.write_all(HALF_A_HEAD)?;
    Ok(socket)
}

/// One request on a connection of its own.
pub(crate) struct ClientRequest {
    socket: TcpStream,
    head: String,
    expected_body: Option<&'static [u8]>,
    started: Instant,
    /// How long it took to connect; `None` before it is connected.
    pub(crate) connected_after: Option<Duration>,
    response: ResponseParser,
    /// The status of the answer.
    outcome: Option<io::Result<u16>>,
}

impl ClientRequest {
    /// Begins to connect.
    pub(crate) fn start(
        target: SocketAddr,
        path: &str,
        expected_body: Option<&'static [u8]>,
    ) -> io::Result<Self> {
        let started = Instant::now();
        Ok(ClientRequest {
            socket: connect_from(Ipv4Addr::LOCALHOST, target, SockFlag::SOCK_NONBLOCK)?,
            head: format!("GET {path} HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n\r\n"),
            expected_body,
            started,
            connected_after: None,
            response: ResponseParser::default(),
            outcome: None,
        })
    }

    /// Whether there is an answer, or an error.
    pub(crate) fn has_ended(&self) -> bool {
        self.outcome.is_some()
    }

    /// Whether it was answered with the greeting.
    pub(crate) fn is_greeted(&self) -> bool {
        matches!(self.outcome, Some(Ok(200)))
    }

    /// What it waits for.
    fn poll_fd(&self) -> PollFd<'_> {
        let events = match self.connected_after {
            None => PollFlags::POLLOUT,
            Some(_) => PollFlags::POLLIN,
        };
        PollFd::new(self.socket.as_fd(), events)
    }

    fn advance(&mut self) {
        let step = match self.connected_after {
            None => self.send().map(|()| None),
            Some(_) => self.receive(),
        };
        match step {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            step => self.outcome = step.transpose(),
        }
    }

    fn send(&mut self) -> io::Result<()> {
        if let Some(error) = self.socket.take_error()? {
            return Err(error);
        }
        self.connected_after = Some(self.started.elapsed());
        // A request of a hundred bytes fits into the buffer of a fresh socket.
        self.socket.write_all(self.head.as_bytes())
    }

    fn receive(&mut self) -> io::Result<Option<u16>> {
        let malformed = |error| io::Error::new(ErrorKind::InvalidData, error);
        let mut bytes = [0; 4096];
        let is_whole = match self.socket.read(&mut bytes)? {
            0 if !self.response.finish().map_err(malformed)? => {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            0 => true,
            count => {
                let fed = self.response.feed(&bytes[..count], self.expected_body);
                matches!(fed.map_err(malformed)?, ParseProgress::Done { .. })
            }
        };
        let is_expected = |body| self.response.body_is(body);
        let status = self.response.status();
        match is_whole {
            // Of another status, the status says more than the body.
            true if status == Some(200) && !self.expected_body.is_none_or(is_expected) => {
                Err(io::Error::new(ErrorKind::InvalidData, "another body"))
            }
            true => Ok(status),
            false => Ok(None),
        }
    }
}

/// Waits until a pending request can make progress, for `longest` or a short time at most, and advances those that can.
pub(crate) fn advance(requests: &mut [ClientRequest], longest: Duration) -> io::Result<()> {
    let waiting = requests.iter().filter(|request| !request.has_ended());
    let mut asked: Vec<PollFd> = waiting.map(ClientRequest::poll_fd).collect();
    let longest = PollTimeout::try_from(longest.min(POLL_MAX)).unwrap_or(PollTimeout::ZERO);
    match poll(&mut asked, longest) {
        Ok(_) | Err(nix::Error::EINTR) => {}
        Err(errno) => return Err(errno.into()),
    }
    let ready: Vec<bool> = asked.iter().map(|fd| fd.any().unwrap_or(false)).collect();
    let waiting = requests.iter_mut().filter(|request| !request.has_ended());
    for (request, _) in waiting.zip(ready).filter(|(_, is_ready)| *is_ready) {
        request.advance();
    }
    Ok(())
}

/// Requests `path`, reads the whole answer and returns its status, within `longest` and while `go_on` returns true.
/// Errors: `TimedOut`; `Interrupted` if `go_on` returned false; `UnexpectedEof` if the server closed too early;
/// `InvalidData` if the answer is not HTTP, or is a 200 with another body.
pub(crate) fn ask(
    target: SocketAddr,
    path: &str,
    expected_body: Option<&'static [u8]>,
    longest: Duration,
    go_on: impl Fn() -> bool,
) -> io::Result<u16> {
    let mut request = [ClientRequest::start(target, path, expected_body)?];
    loop {
        let left = longest.saturating_sub(request[0].started.elapsed());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        if !go_on() {
            return Err(ErrorKind::Interrupted.into());
        }
        advance(&mut request, left)?;
        if let Some(outcome) = request[0].outcome.take() {
            return outcome;
        }
    }
}

/// Whether a fresh client gets the exact greeting within `longest`.
pub(crate) fn is_greeted(target: SocketAddr, longest: Duration) -> bool {
    ask(target, "/", Some(GREETING), longest, || true).is_ok_and(|status| status == 200)
}

/// How many of the sockets can be read: the server has answered them, or closed them.
pub(crate) fn count_readable(sockets: &[TcpStream]) -> io::Result<usize> {
    let asked = sockets.iter().map(AsFd::as_fd);
    let asked = asked.map(|socket| PollFd::new(socket, PollFlags::POLLIN));
    let mut asked: Vec<PollFd> = asked.collect();
    let ready = poll(&mut asked, PollTimeout::ZERO)?;
    Ok(usize::try_from(ready).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Answers one client with `bytes` and closes.
    fn answering(bytes: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        thread::spawn(move || {
            let (mut client, _) = listener.accept().expect("a client");
            let _ = client.read(&mut [0; 1024]);
            client.write_all(bytes).expect("sent");
        });
        address
    }

    fn asked(bytes: &'static [u8]) -> io::Result<u16> {
        let longest = Duration::from_secs(5);
        ask(answering(bytes), "/", Some(b"Hola"), longest, || true)
    }

    #[test]
    fn takes_whole_answers_and_names_what_is_none() {
        let status = |bytes| asked(bytes).expect("whole");
        assert_eq!(
            status(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nHola"),
            200
        );
        assert_eq!(
            status(b"HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nbusy"),
            503
        );
        let kind = |bytes| asked(bytes).expect_err("no answer").kind();
        assert_eq!(
            kind(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nHol"),
            ErrorKind::UnexpectedEof
        );
        assert_eq!(kind(b""), ErrorKind::UnexpectedEof);
        assert_eq!(kind(b"nonsense\r\n\r\n"), ErrorKind::InvalidData);
        let other_body = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno";
        assert_eq!(kind(other_body), ErrorKind::InvalidData);
    }

    #[test]
    fn stops_waiting_when_the_time_is_up_or_it_is_told_to() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let silent = listener.local_addr().expect("an address");
        assert!(!is_greeted(silent, Duration::from_millis(20)));
        let told = ask(silent, "/", None, Duration::from_secs(60), || false);
        assert_eq!(told.expect_err("no answer").kind(), ErrorKind::Interrupted);
    }

    #[test]
    fn a_refused_connection_is_an_error_and_not_a_wait() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        drop(listener);
        let refused = ask(address, "/", None, Duration::from_secs(60), || true);
        assert_eq!(
            refused.expect_err("no answer").kind(),
            ErrorKind::ConnectionRefused
        );
    }

    #[test]
    fn connects_from_any_loopback_address_and_sees_who_was_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let target = listener.local_addr().expect("an address");
        let source = Ipv4Addr::new(127, 0, 0, 9);
        let clients = [source, Ipv4Addr::LOCALHOST]
            .map(|source| connect_idle(source, target).expect("connected"));
        assert_eq!(clients[0].local_addr().expect("an address").ip(), source);
        assert_eq!(count_readable(&clients).expect("asked"), 0);
        let (first, peer) = listener.accept().expect("a client");
        assert_eq!(peer.ip(), source);
        drop(first);
        let deadline = Instant::now() + Duration::from_secs(5);
        while count_readable(&clients).expect("asked") == 0 && Instant::now() < deadline {
            thread::yield_now();
        }
        assert_eq!(count_readable(&clients).expect("asked"), 1);
    }
}
