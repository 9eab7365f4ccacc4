//! TLS to the server, by rustls.
//!
//! | sslmode | certificate |
//! |---|---|
//! | disable | no TLS |
//! | allow, prefer, require | any; with `sslrootcert`: signed by one of those |
//! | verify-ca | signed by one of `sslrootcert` |
//! | verify-full | and made for the host's name; without `sslrootcert`: signed by an authority of the operating system |
//!
//! The system's authorities, not a list compiled in: a company's own authority is installed there, and it ages with the
//! system's updates. Names are looked for in the certificate's subjectAltName only; a mere common name does not count.
//! The connector offers the certificate's hash to SCRAM-SHA-256-PLUS (channel binding), so that a man in the middle
//! with any certificate cannot use a password that he sees go by.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::{Roots, SslMode, TlsOptions};
use crate::error::StoreError;

/// Makes the connector that the options ask for; reads their files once.
pub(super) fn connector(options: &TlsOptions) -> Result<MakeRustlsConnect, StoreError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match &options.roots {
        _ if options.mode == SslMode::Disable => Arc::new(Anyone(Arc::clone(&provider))),
        Roots::Anyone => Arc::new(Anyone(Arc::clone(&provider))),
        roots => {
            let store = Arc::new(load(roots)?);
            let signed = WebPkiServerVerifier::builder_with_provider(store, Arc::clone(&provider))
                .build()
                .map_err(|error| StoreError::BadAddress(format!("sslrootcert: {error}")))?;
            if options.mode == SslMode::VerifyFull { signed } else { Arc::new(AnyName(signed)) }
        }
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Fatal(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match &options.identity {
        None => config.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = certificates("sslcert", certificate)?;
            let key_der = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| unreadable("sslkey", key, &error))?;
            config.with_client_auth_cert(chain, key_der).map_err(|error| {
                StoreError::BadAddress(format!("sslcert and sslkey do not fit together: {error}"))
            })?
        }
    };
    // What newer servers ask for, and older ones ignore.
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(MakeRustlsConnect::new(config))
}

fn load(roots: &Roots) -> Result<RootCertStore, StoreError> {
    let mut store = RootCertStore::empty();
    if let Roots::File(file) = roots {
        for certificate in certificates("sslrootcert", file)? {
            store.add(certificate).map_err(|error| unreadable("sslrootcert", file, &error))?;
        }
        return Ok(store);
    }
    let found = rustls_native_certs::load_native_certs();
    // One odd certificate among the system's hundred is no reason to trust none of them.
    store.add_parsable_certificates(found.certs);
    if store.is_empty() {
        return Err(StoreError::BadAddress(
            "this system has no trusted authorities: install its package ca-certificates, or name the authority of \
             the database in sslrootcert=FILE"
                .to_owned(),
        ));
    }
    Ok(store)
}

fn certificates(option: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let found = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(option, file, &error))?;
    if found.is_empty() {
        return Err(unreadable(option, file, &"it holds no certificate"));
    }
    Ok(found)
}

fn unreadable(option: &str, file: &Path, reason: &dyn std::fmt::Display) -> StoreError {
    StoreError::BadAddress(format!(
        "the file of {option}, {}, cannot be used ({reason}); it has to be PEM and readable by this user",
        file.display()
    ))
}

/// How to mend a handshake that failed for this reason.
pub(super) fn advice(error: &Error) -> &'static str {
    match error {
        Error::InvalidCertificate(reason) => match reason {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "sslrootcert has to name the authority that signed the server's certificate"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "connect by a name of the certificate's subjectAltName, or use sslmode=verify-ca"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "renew the server's certificate, or set this machine's clock"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "set this machine's clock, or that of the one that made the certificate"
            }
            CertificateError::Other(_) => {
                "a server needs a certificate of its own (version 3, no authority's) signed by the one in sslrootcert"
            }
            _ => "give the server a certificate that the authority in sslrootcert has signed",
        },
        Error::AlertReceived(_) => {
            "the server refuses our side: it may ask for a client certificate, see sslcert and sslkey"
        }
        _ => "see the server's log and its settings ssl_*",
    }
}

/// Takes any certificate, but only from somebody who has its key.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
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
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Asks for a trusted signature, not for the name. The name is the last thing that the inner verifier looks at, so an
/// error about it says that all else is well.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified =
            self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
