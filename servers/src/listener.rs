//! The one function that binds: every model gets the same listener.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use crate::context::ErrorContext;
use crate::conversation::TimeoutKind;
use crate::settings::{Accept, Settings};

/// Binds the listeners of a server: one for each worker if each has its own, otherwise one. Returns
/// [`io::ErrorKind::AddrInUse`] or another error, in a plain line that names the address.
pub fn bind(settings: &Settings) -> io::Result<Vec<TcpListener>> {
    let first = listen(settings, settings.bind, false).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            io::Error::new(error.kind(), "the port is in use by another program")
        }
        _ => error,
    });
    let first = first.context(|| settings.bind.to_string())?;
    if settings.accept != Some(Accept::Reuseport) {
        return Ok(vec![first]);
    }
    // The first bind had no SO_REUSEPORT: with it, a second server of the same user would share the port by mistake.
    let address = first.local_addr()?;
    drop(first);
    let one_more = |number| {
        let listener = listen(settings, address, true);
        listener.context(|| format!("{address}, listener {number} of {}", settings.workers))
    };
    (1..=settings.workers).map(one_more).collect()
}

/// A listener whose accepted sockets inherit the options that every conversation needs.
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
    socket.set_read_timeout(settings.timeouts.limit(TimeoutKind::Idle))?;
    socket.set_write_timeout(settings.timeouts.limit(TimeoutKind::Write))?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(settings.backlog).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}
