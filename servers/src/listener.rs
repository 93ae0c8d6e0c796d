//! The one function that binds: every model gets the same listener.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use crate::conversation::Patience;
use crate::settings::{Accept, Settings};

/// The listeners of a server, bound and listening: one for each worker where each has its own, otherwise one.
///
/// # Errors
/// What the kernel said, such as [`io::ErrorKind::AddrInUse`].
pub fn bind(settings: &Settings) -> io::Result<Vec<TcpListener>> {
    if settings.accept != Some(Accept::Reuseport) {
        return Ok(vec![listen(settings, settings.bind, false)?]);
    }
    // With SO_REUSEPORT alone, a second server of the same user would join the first one unasked.
    let address = listen(settings, settings.bind, false)?.local_addr()?;
    (0..settings.workers)
        .map(|_| listen(settings, address, true))
        .collect()
}

/// A listener whose accepted sockets inherit what every conversation needs.
///
/// On Linux an accepted socket starts as a copy of its listener (tcp(7), socket(7)): setting `TCP_NODELAY`,
/// `SO_RCVTIMEO` and `SO_SNDTIMEO` once here spares three system calls per client.
fn listen(settings: &Settings, address: SocketAddr, reuse_port: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A restarted server must not wait for its last clients' TIME_WAIT. Two servers on one port stay impossible.
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(reuse_port)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_read_timeout(settings.limits.of(Patience::Idle))?;
    socket.set_write_timeout(settings.limits.of(Patience::Write))?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(settings.backlog).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}
