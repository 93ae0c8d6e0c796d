//! TLS of a client: what it trusts, and its sessions. It is part of builds with the feature `tls`; in others, nothing here can
//! be made.

use std::io;
use std::net::TcpStream;
use std::path::Path;

#[cfg(feature = "tls")]
mod client;

/// Settings that cannot be made.
#[cfg(not(feature = "tls"))]
mod client {
    use super::{Path, TcpStream, io};

    #[derive(Clone, Debug, PartialEq)]
    pub(crate) enum TlsSettings {}

    impl TlsSettings {
        pub(super) fn new(_: &str, _: Option<&Path>, _: bool) -> Result<Self, String> {
            Err("this build speaks no TLS: build it with `--features tls`".to_owned())
        }

        pub(crate) fn check(&self, _: TcpStream) -> io::Result<()> {
            match *self {}
        }
    }
}

use self::client::TlsSettings;

/// How connections to one server are secured.
#[derive(Clone, Debug, PartialEq)]
pub struct TlsClient(pub(crate) TlsSettings);

impl TlsClient {
    /// A client of the server called `host`, which must have a certificate for that name from an authority in the PEM file
    /// `cacert`, or of those that the system trusts. With `accepts_any`, any certificate will do.
    ///
    /// # Errors
    /// Says why the certificates cannot be used, or that this build speaks no TLS.
    pub fn new(host: &str, cacert: Option<&Path>, accepts_any: bool) -> Result<Self, String> {
        TlsSettings::new(host, cacert, accepts_any).map(Self)
    }

    /// Makes the handshake on a connection.
    ///
    /// # Errors
    /// `InvalidData` if the server's certificate or its TLS is not acceptable.
    pub(crate) fn check(&self, stream: TcpStream) -> io::Result<()> {
        self.0.check(stream)
    }
}
