//! Where to listen, as an argument.

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;

/// What an address looks like.
const FORMS: &str =
    "write an address and a port, such as 127.0.0.1:8080, localhost:0, [::1]:8080 or 8080";

/// Addresses to listen on; the server takes the first that it can bind. A name such as `localhost` may have several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bind(Vec<SocketAddr>);

impl Bind {
    /// The addresses, each once, in the resolver's order; at least one.
    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.0
    }
}

impl FromStr for Bind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A port alone means loopback, which other machines cannot reach.
        let port = text.strip_prefix(':').unwrap_or(text);
        if let Ok(port) = port.parse() {
            return Ok(Self(vec![(Ipv4Addr::LOCALHOST, port).into()]));
        }
        let found = text
            .to_socket_addrs()
            .map_err(|error| format!("{error}; {FORMS}"))?;
        let mut addresses = Vec::new();
        for address in found {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        if addresses.is_empty() {
            return Err(FORMS.to_owned());
        }
        Ok(Self(addresses))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_names_and_ports_alone() {
        for (text, address) in [
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("[::1]:8080", "[::1]:8080"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("8080", "127.0.0.1:8080"),
            (":8080", "127.0.0.1:8080"),
            ("0", "127.0.0.1:0"),
        ] {
            let bind: Bind = text.parse().unwrap();
            assert_eq!(bind.addresses(), [address.parse().unwrap()], "{text}");
        }
        let by_name: Bind = "localhost:0".parse().unwrap();
        assert!(
            by_name
                .addresses()
                .iter()
                .all(|address| address.ip().is_loopback())
        );
        for bad in [
            "",
            ":",
            "127.0.0.1",
            "localhost",
            "localhost:",
            "65536",
            "a b:1",
            "::1:x",
        ] {
            let error = bad.parse::<Bind>().unwrap_err();
            assert!(error.contains("such as 127.0.0.1:8080"), "{bad}: {error}");
        }
    }
}
