//! TLS to the server: bytes in, bytes out, around a socket that never blocks.
//!
//! ```text
//!   socket ──► records ──► Session ──► plaintext      plaintext ──► Session ──► records ──► socket
//! ```
//!
//! Every connection makes a full handshake, as those of different people do: nothing is kept from one for the next.
//! Invariant: plaintext is taken in only while no record waits to be written, so what a session holds is bounded by one
//! write; and records are read only when no plaintext waits.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

/// Plaintext taken in at once: what fits into one record.
const RECORD_BYTES: usize = 16 * 1024;

/// Whose certificates are taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// Those signed by an authority the system trusts.
    #[default]
    System,
    /// Those signed by an authority in this PEM file.
    File(PathBuf),
    /// Any.
    Anyone,
}

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file of authorities cannot be used.
    #[error("--ca {path}: {reason}")]
    Authorities {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The system trusts nobody.
    #[error("the system has no certificates to trust; name some with --ca, or use --insecure")]
    NobodyTrusted,
    /// No certificate can be for such a host.
    #[error("--url: {0} cannot be in a certificate")]
    Name(String),
    /// The protocol library refuses.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] Error),
}

/// How to speak TLS with one server.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Tls {
    /// With the server of this name (without port).
    pub(crate) fn new(host: &str, trust: &Trust) -> Result<Self, TlsError> {
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare).map_err(|_| TlsError::Name(host.to_owned()))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let config = match trust {
            Trust::System => config.with_root_certificates(system_roots()?),
            Trust::File(path) => config.with_root_certificates(roots_of(path)?),
            Trust::Anyone => config
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider))),
        };
        let mut config = config.with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(Self { config: Arc::new(config), name })
    }

    /// A session that has not said anything.
    pub(crate) fn session(&self) -> io::Result<Session> {
        let connection = ClientConnection::new(Arc::clone(&self.config), self.name.clone());
        connection.map(Session).map_err(io::Error::other)
    }
}

fn roots_of(path: &Path) -> Result<RootCertStore, TlsError> {
    let unusable = |reason: String| TlsError::Authorities { path: path.to_owned(), reason };
    let mut roots = RootCertStore::empty();
    for certificate in
        CertificateDer::pem_file_iter(path).map_err(|error| unusable(error.to_string()))?
    {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unusable("it holds no certificate".to_owned()));
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(TlsError::NobodyTrusted) } else { Ok(roots) }
}

/// One connection's TLS.
#[derive(Debug)]
pub(crate) struct Session(ClientConnection);

impl Session {
    /// The handshake is not over.
    pub(crate) fn is_handshaking(&self) -> bool {
        self.0.is_handshaking()
    }

    /// Plaintext has arrived that [`Self::read`] can give without the socket.
    pub(crate) fn has_plaintext(&mut self) -> bool {
        self.0.process_new_packets().is_ok_and(|state| state.plaintext_bytes_to_read() > 0)
    }

    /// Takes in what the socket has, once.
    pub(crate) fn take_in(&mut self, socket: &mut (impl Read + Write)) -> io::Result<()> {
        let count = self.0.read_tls(socket)?;
        self.0
            .process_new_packets()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, explain(error)))?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    /// Plaintext; 0 at the end, `WouldBlock` when nothing has arrived.
    pub(crate) fn read(
        &mut self,
        socket: &mut (impl Read + Write),
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        loop {
            match self.0.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return other,
            }
            self.take_in(socket)?;
            // An answer of TLS itself: what does not go out now goes out with the next write.
            match self.flush(socket) {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
        }
    }

    /// Takes plaintext, as much as fits into a record, and writes what the socket takes; `WouldBlock` if it takes
    /// nothing of what was there before.
    pub(crate) fn write(
        &mut self,
        socket: &mut (impl Read + Write),
        bytes: &[u8],
    ) -> io::Result<usize> {
        self.flush(socket)?;
        let count = self.0.writer().write(&bytes[..bytes.len().min(RECORD_BYTES)])?;
        match self.flush(socket) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(count),
        }
    }

    /// Writes what is waiting; `WouldBlock` if the socket does not take all of it.
    pub(crate) fn flush(&mut self, socket: &mut (impl Read + Write)) -> io::Result<()> {
        while self.0.wants_write() {
            self.0.write_tls(socket)?;
        }
        Ok(())
    }
}

/// What TLS says, in words where it says it in names of its own.
fn explain(error: rustls::Error) -> Box<dyn std::error::Error + Send + Sync> {
    let text = error.to_string();
    if text.contains("CaUsedAsEndEntity") {
        return "the server shows an authority's certificate as its own, as self-signed ones often are; \
                have one signed by it, or use --insecure"
            .into();
    }
    error.into()
}

/// Takes any certificate, but only from somebody who has its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
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
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
