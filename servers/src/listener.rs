//! The one function that binds: every model gets the same listener.

use std::io;
use std::net::TcpListener;

use socket2::{Domain, Protocol, Socket, Type};

use crate::conversation::Patience;
use crate::settings::Settings;

/// A listener, bound and listening, whose accepted sockets inherit what every conversation needs.
///
/// On Linux an accepted socket starts as a copy of its listener (tcp(7), socket(7)): setting `TCP_NODELAY`,
/// `SO_RCVTIMEO` and `SO_SNDTIMEO` once here spares three system calls per client.
///
/// # Errors
/// What the kernel said, such as [`io::ErrorKind::AddrInUse`].
pub fn bind(settings: &Settings) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(settings.bind),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A restarted server must not wait for its last clients' TIME_WAIT. Two listeners on one port stay impossible.
    socket.set_reuse_address(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_read_timeout(Some(settings.limits.of(Patience::Idle)))?;
    socket.set_write_timeout(Some(settings.limits.of(Patience::Write)))?;
    socket.bind(&settings.bind.into())?;
    socket.listen(i32::try_from(settings.backlog).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}
