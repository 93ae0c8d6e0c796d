//! A TLS session on a socket, without waiting.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, send};
use rustls::ClientConnection;

use super::channel::ByteChannel;
use super::job::Job;
use crate::tls::TlsClient;

/// A TLS session and its socket. An error of TLS is `EPROTO`.
pub(super) struct TlsChannel {
    session: ClientConnection,
    socket: SocketStream,
    /// Bytes of the request that the session has taken, and the socket not all of.
    taken: usize,
}

/// A socket as the session takes it.
struct SocketStream(OwnedFd);

impl Read for SocketStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(recv(self.0.as_raw_fd(), buffer, MsgFlags::empty())?)
    }
}

impl Write for SocketStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(send(self.0.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ByteChannel for TlsChannel {
    type Settings = TlsClient;

    const HAS_HANDSHAKE: bool = true;

    fn settings(job: &Job) -> nix::Result<TlsClient> {
        job.workload.tls.clone().ok_or(Errno::EPROTO)
    }

    fn new(socket: OwnedFd, settings: &TlsClient) -> nix::Result<Self> {
        Ok(Self {
            session: settings.0.session().map_err(|_| Errno::EPROTO)?,
            socket: SocketStream(socket),
            taken: 0,
        })
    }

    fn socket(&self) -> BorrowedFd<'_> {
        self.socket.0.as_fd()
    }

    fn send(&mut self, bytes: &[u8]) -> nix::Result<usize> {
        self.shake_hands()?;
        if self.taken == 0 {
            self.taken = self.session.writer().write(bytes).map_err(errno_of)?;
        }
        self.flush()?;
        Ok(std::mem::take(&mut self.taken))
    }

    fn receive(&mut self, buffer: &mut [u8]) -> nix::Result<usize> {
        loop {
            match self.session.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // The server closed the connection without closing the session.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                received => return received.map_err(errno_of),
            }
            self.read_records()?;
            // What the session has to say, such as to a new key, may wait for the next request.
            let _ = self.flush();
        }
    }
}

impl TlsChannel {
    fn shake_hands(&mut self) -> nix::Result<()> {
        while self.session.is_handshaking() {
            self.flush()?;
            if self.session.is_handshaking() && self.read_records()? == 0 {
                return Err(Errno::EPROTO);
            }
        }
        Ok(())
    }

    /// Writes what the session has to say.
    fn flush(&mut self) -> nix::Result<()> {
        while self.session.wants_write() {
            self.session.write_tls(&mut self.socket).map_err(errno_of)?;
        }
        Ok(())
    }

    /// Reads and decrypts what has arrived; zero bytes at the end.
    fn read_records(&mut self) -> nix::Result<usize> {
        let count = self.session.read_tls(&mut self.socket).map_err(errno_of)?;
        if self.session.process_new_packets().is_err() {
            // The server learns why.
            let _ = self.flush();
            return Err(Errno::EPROTO);
        }
        Ok(count)
    }
}

impl Drop for TlsChannel {
    /// Says that nothing more will come, as far as the socket takes it at once.
    fn drop(&mut self) {
        self.session.send_close_notify();
        let _ = self.flush();
    }
}

fn errno_of(error: io::Error) -> Errno {
    match error.kind() {
        ErrorKind::WouldBlock => Errno::EAGAIN,
        _ => Errno::try_from(error).unwrap_or(Errno::EPROTO),
    }
}
