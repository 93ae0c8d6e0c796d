//! Finds the server that a text names: its addresses, the first that accepts, and whether it is on this machine.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::time::Duration;

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{self, SockFlag, SockType, SockaddrLike, SockaddrStorage, UnixAddr};

/// Where a server accepts connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerAddress {
    /// A TCP port.
    Tcp(SocketAddr),
    /// A Unix domain socket, by its file (unix(7)).
    Unix(PathBuf),
}

impl ServerAddress {
    /// The address as the kernel takes it.
    ///
    /// # Errors
    /// `ENAMETOOLONG` if the name of the socket file has more than 107 bytes.
    pub(crate) fn for_kernel(&self) -> nix::Result<Box<dyn SockaddrLike>> {
        Ok(match self {
            Self::Tcp(address) => Box::new(SockaddrStorage::from(*address)),
            Self::Unix(file) => Box::new(UnixAddr::new(file)?),
        })
    }

    /// Its IP address, if it has one.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp(address) => Some(address.ip()),
            Self::Unix(_) => None,
        }
    }

    /// Opens a connection and closes it, after at most `timeout`.
    ///
    /// # Errors
    /// The error of connect(2).
    pub(crate) fn check_accepts(&self, timeout: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(address) => TcpStream::connect_timeout(address, timeout).map(drop),
            Self::Unix(file) => {
                // Non-blocking: a full accept queue would stop it for ever, and is an error at once.
                let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
                let family = socket::AddressFamily::Unix;
                let client = socket::socket(family, SockType::Stream, flags, None)?;
                Ok(socket::connect(client.as_raw_fd(), &UnixAddr::new(file)?)?)
            }
        }
    }
}

impl From<SocketAddr> for ServerAddress {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

impl Display for ServerAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(formatter),
            Self::Unix(file) => file.display().fmt(formatter),
        }
    }
}

/// Adds a host to `text` if it is only a port: `8080` or `:8080` is a port of this machine.
pub fn with_host(text: &str) -> Cow<'_, str> {
    let port = text.strip_prefix(':').unwrap_or(text);
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    if is_port {
        Cow::Owned(format!("{}:{port}", Ipv4Addr::LOCALHOST))
    } else {
        Cow::Borrowed(text)
    }
}

/// All addresses of `HOST:PORT`, each once, in the resolver's order.
///
/// # Errors
/// The resolver's error, or an error if the name has no address.
pub fn resolve(host_and_port: &str) -> io::Result<Vec<SocketAddr>> {
    let mut addresses = Vec::new();
    for address in host_and_port.to_socket_addrs()? {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    match addresses.as_slice() {
        [] => Err(io::Error::other("the name has no address")),
        _ => Ok(addresses),
    }
}

/// Connects to the first of `addresses` that accepts. Each address is tried once, for at most `timeout`. A name may
/// have addresses at which its server does not listen, as `localhost` has `[::1]`.
///
/// # Errors
/// The error of each address, if none accepts.
pub fn connect(
    addresses: &[SocketAddr],
    timeout: Duration,
) -> Result<(TcpStream, SocketAddr), Vec<(SocketAddr, io::Error)>> {
    let mut failures = Vec::new();
    for address in addresses {
        match TcpStream::connect_timeout(address, timeout) {
            Ok(stream) => return Ok((stream, *address)),
            Err(error) => failures.push((*address, error)),
        }
    }
    Err(failures)
}

/// The address that the kernel connects to if it is asked for `address`: an IPv4-mapped IPv6 address becomes its IPv4
/// address (RFC 4291 §2.5.5.2), and the unspecified address becomes loopback.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip().to_canonical() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip if ip == address.ip() => return address,
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Whether a canonical address belongs to this machine: a loopback address, or one of a network interface.
pub(crate) fn is_on_this_machine(ip: IpAddr) -> bool {
    ip.is_loopback() || interface_addresses().contains(&ip)
}

/// Addresses of the network interfaces; none if the kernel does not provide them.
fn interface_addresses() -> Vec<IpAddr> {
    let Ok(interfaces) = getifaddrs() else {
        return Vec::new();
    };
    interfaces
        .filter_map(|interface| {
            let address = interface.address?;
            let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
            v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_port_alone_is_one_of_this_machine() {
        for (text, meaning) in [
            ("8080", "127.0.0.1:8080"),
            (":8080", "127.0.0.1:8080"),
            ("a:8080", "a:8080"),
            (":", ":"),
            ("", ""),
            ("[::1]:8080", "[::1]:8080"),
        ] {
            assert_eq!(with_host(text), meaning);
        }
    }

    #[test]
    fn connects_to_the_first_address_that_takes_it() {
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addresses = [nobody.unwrap(), listener.local_addr().unwrap()];
        let (_, used) = connect(&addresses, Duration::from_secs(5)).unwrap();
        assert_eq!(used, addresses[1]);
        drop(listener);
        let failures = connect(&addresses, Duration::from_secs(5)).unwrap_err();
        assert!(failures.iter().map(|(address, _)| *address).eq(addresses));
    }

    #[test]
    fn knows_the_addresses_of_this_machine_in_all_their_spellings() {
        for (address, meaning) in [
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80"),
            ("[::ffff:127.0.0.1]:80", "127.0.0.1:80"),
            ("[::ffff:0.0.0.0]:80", "127.0.0.1:80"),
        ] {
            let canonical = canonical(address.parse().unwrap());
            assert_eq!(canonical, meaning.parse().unwrap());
            assert!(is_on_this_machine(canonical.ip()), "{address}");
        }
        for ip in interface_addresses() {
            assert!(is_on_this_machine(ip), "{ip}");
        }
        for foreign in ["192.0.2.1:80", "[2001:db8::1]:80", "[::ffff:192.0.2.1]:80"] {
            let canonical = canonical(foreign.parse().unwrap());
            assert!(!is_on_this_machine(canonical.ip()), "{foreign}");
        }
    }
}
