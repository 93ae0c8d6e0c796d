//! The settings of a TLS client, and its sessions (rustls).

use std::io;
use std::net::{IpAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

/// Configuration of all sessions, and the name that the server must have.
#[derive(Clone, Debug)]
pub(crate) struct TlsSettings {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl PartialEq for TlsSettings {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.config, &other.config) && self.name == other.name
    }
}

impl TlsSettings {
    pub(super) fn new(
        host: &str,
        cacert: Option<&Path>,
        accepts_any: bool,
    ) -> Result<Self, String> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let mut config = if accepts_any {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
                .with_no_client_auth()
        } else {
            builder
                .with_root_certificates(authorities(cacert)?)
                .with_no_client_auth()
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Each connection is that of a new client, which has no session to resume.
        config.resumption = Resumption::disabled();
        Ok(Self {
            config: Arc::new(config),
            name: server_name(host)?,
        })
    }

    /// A new session.
    ///
    /// # Errors
    /// Returns the library's error.
    pub(crate) fn session(&self) -> Result<ClientConnection, Error> {
        ClientConnection::new(Arc::clone(&self.config), self.name.clone())
    }

    /// Makes the handshake on a connection.
    ///
    /// # Errors
    /// Says what is wrong with the server's certificate or its TLS.
    pub(crate) fn check(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut session = self.session().map_err(io::Error::other)?;
        while session.is_handshaking() {
            session.complete_io(&mut stream)?;
        }
        session.send_close_notify();
        let _ = session.complete_io(&mut stream);
        Ok(())
    }
}

/// Name of a host in a certificate: a DNS name or an IP address, without brackets.
fn server_name(host: &str) -> Result<ServerName<'static>, String> {
    let host = host.trim_matches(['[', ']']);
    match host.parse::<IpAddr>() {
        Ok(ip) => Ok(ServerName::from(ip)),
        Err(_) => ServerName::try_from(host.to_owned())
            .map_err(|_| format!("`{host}` is not a name that a certificate can have")),
    }
}

/// The authorities of a PEM file, or those of the system.
fn authorities(file: Option<&Path>) -> Result<RootCertStore, String> {
    let certificates = match file {
        Some(file) => {
            let in_file = |error| format!("--cacert {}: {error}", file.display());
            let read = CertificateDer::pem_file_iter(file).map_err(in_file)?;
            read.collect::<Result<Vec<_>, _>>().map_err(in_file)?
        }
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut authorities = RootCertStore::empty();
    authorities.add_parsable_certificates(certificates);
    match (authorities.is_empty(), file) {
        (false, _) => Ok(authorities),
        (true, Some(file)) => Err(format!(
            "--cacert {}: it has no certificate",
            file.display()
        )),
        (true, None) => Err("the system trusts no authority: give --cacert FILE".to_owned()),
    }
}

/// Accepts every certificate, but not a server that does not have its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.0.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
