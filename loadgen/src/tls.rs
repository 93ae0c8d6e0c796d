//! TLS of a client: what it trusts, and its sessions. It is part of builds with the feature `tls`; in others, nothing here can
//! be made.

#[cfg(not(feature = "tls"))]
use std::convert::Infallible as TlsSettings;
use std::fmt;
use std::io;
use std::net::TcpStream;
use std::path::Path;

#[cfg(feature = "tls")]
mod client;

#[cfg(feature = "tls")]
use self::client::TlsSettings;

/// How connections to one server are secured.
#[derive(Clone, PartialEq)]
pub struct TlsClient(pub(crate) TlsSettings);

impl TlsClient {
    /// A client of the server called `host`, which must have a certificate for that name from an authority in the PEM file
    /// `cacert`, or of those that the system trusts. With `accepts_any`, any certificate will do.
    ///
    /// # Errors
    /// Says why the certificates cannot be used, or that this build speaks no TLS.
    #[cfg(feature = "tls")]
    pub fn new(host: &str, cacert: Option<&Path>, accepts_any: bool) -> Result<Self, String> {
        TlsSettings::new(host, cacert, accepts_any).map(Self)
    }

    /// A client of the server called `host`, which must have a certificate for that name from an authority in the PEM file
    /// `cacert`, or of those that the system trusts. With `accepts_any`, any certificate will do.
    ///
    /// # Errors
    /// Says why the certificates cannot be used, or that this build speaks no TLS.
    #[cfg(not(feature = "tls"))]
    pub fn new(_host: &str, _cacert: Option<&Path>, _accepts_any: bool) -> Result<Self, String> {
        Err("this build speaks no TLS: build it with `--features tls`".to_owned())
    }
}

impl TlsClient {
    /// Makes the handshake on a connection.
    ///
    /// # Errors
    /// `InvalidData` if the server's certificate or its TLS is not acceptable.
    #[cfg(feature = "tls")]
    pub(crate) fn check(&self, stream: TcpStream) -> io::Result<()> {
        self.0.check(stream)
    }

    /// Makes the handshake on a connection.
    ///
    /// # Errors
    /// None: without the feature there is no client.
    #[cfg(not(feature = "tls"))]
    pub(crate) fn check(&self, _stream: TcpStream) -> io::Result<()> {
        match self.0 {}
    }
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TlsClient")
    }
}
