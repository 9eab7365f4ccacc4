//! TLS to the server, by rustls.
//!
//! | sslmode | certificate |
//! |---|---|
//! | disable | no TLS |
//! | allow, prefer, require | any; with `sslrootcert`: signed by one of those, or one of them itself |
//! | verify-ca | signed by one of `sslrootcert`, or one of them itself |
//! | verify-full | and made for the host's name; without `sslrootcert`: signed by an authority of the operating system |
//!
//! The system's authorities, not a list compiled in: a company's own authority is installed there, and it ages with the
//! system's updates. Names are looked for in the certificate's subjectAltName only; a mere common name does not count.
//! The connector offers the certificate's hash to SCRAM-SHA-256-PLUS (channel binding), so that a man in the middle
//! with any certificate cannot use a password that he sees go by.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CertificateError, ClientConfig, Error, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::{Roots, SslMode, TlsOptions};
use super::verify::{Anyone, Trusted};
use crate::error::StoreError;

/// Makes the connector that the options ask for; reads their files once.
pub(super) fn connector(options: &TlsOptions) -> Result<MakeRustlsConnect, StoreError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match &options.roots {
        _ if options.mode == SslMode::Disable => Arc::new(Anyone(Arc::clone(&provider))),
        Roots::Anyone => Arc::new(Anyone(Arc::clone(&provider))),
        roots => {
            let (store, listed) = load(roots)?;
            let signed =
                WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider))
                    .build()
                    .map_err(|error| StoreError::BadAddress(format!("sslrootcert: {error}")))?;
            Arc::new(Trusted { signed, listed, by_name: options.mode == SslMode::VerifyFull })
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

/// Whom to trust to sign, and the certificates that a server may show themselves: those somebody chose for this server,
/// not the system's.
fn load(roots: &Roots) -> Result<(RootCertStore, Vec<CertificateDer<'static>>), StoreError> {
    let mut store = RootCertStore::empty();
    if let Roots::File(file) = roots {
        let listed = certificates("sslrootcert", file)?;
        for certificate in &listed {
            store
                .add(certificate.clone())
                .map_err(|error| unreadable("sslrootcert", file, &error))?;
        }
        return Ok((store, listed));
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
    Ok((store, Vec::new()))
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

/// How to mend a handshake that failed for this reason, when these were trusted.
pub(super) fn advice(error: &Error, roots: &Roots) -> &'static str {
    match error {
        Error::InvalidCertificate(reason) => match reason {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "connect by a name of the certificate's subjectAltName, or use sslmode=verify-ca with sslrootcert=FILE"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "renew the server's certificate, or set this machine's clock"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "set this machine's clock, or that of the one that made the certificate"
            }
            _ if *roots == Roots::System => {
                "the authorities of the operating system were asked, as no file is given: name the one that signed \
                 the server's certificate, or this certificate itself, in sslrootcert=FILE"
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "sslrootcert has to name the authority that signed the server's certificate, or this certificate itself"
            }
            _ if *roots == Roots::Anyone => "give the server a certificate of version 3",
            _ => {
                "give the server a certificate (version 3, no authority's) signed by one in sslrootcert, or name the \
                 server's own in sslrootcert"
            }
        },
        Error::AlertReceived(_) => {
            "the server refuses our side: it may ask for a client certificate, see sslcert and sslkey"
        }
        _ => "see the server's log and its settings ssl_*",
    }
}
