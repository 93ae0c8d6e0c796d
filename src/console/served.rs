//! The server that a console runs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hola_loadgen::ClientProtocol;
use hola_servers::conversation::Protocol;

use crate::live::client_protocol;

/// A server that listens, as the page and the load see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ServedModel {
    /// Name of its model.
    pub(super) name: &'static str,
    /// Where it listens.
    pub(super) address: SocketAddr,
    /// What is said on its connections.
    pub(super) conversation: Protocol,
}

impl ServedModel {
    /// Where a client on this machine connects.
    pub(super) fn local_address(&self) -> SocketAddr {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
                SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            });
        }
        address
    }

    /// What the load generator says to it; `None` for a chat, in which no answer follows a message.
    pub(super) fn client_protocol(&self) -> Option<ClientProtocol> {
        client_protocol(self.conversation)
    }
}

/// Name of a conversation on the command line.
pub(super) fn name_of(conversation: Protocol) -> &'static str {
    match conversation {
        Protocol::Http => "http",
        Protocol::Ack => "ack",
        Protocol::Echo => "echo",
        Protocol::Chat => "chat",
    }
}
