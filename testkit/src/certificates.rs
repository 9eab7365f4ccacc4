//! Certificates for tests, made on the spot.

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};

/// An authority that nobody outside of the test has heard of.
#[derive(Debug)]
pub struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, as PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// To be shown.
    pub certificate: String,
    /// To be kept.
    pub key: String,
}

impl Authority {
    /// Makes one with a fresh key.
    pub fn new() -> Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "ringwire test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    /// What those who trust it need, as PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A server's, for one host name.
    pub fn server(&self, name: &str) -> Result<Identity> {
        self.sign(name, vec![name.to_owned()], ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A client's; Postgres takes its common name for a user.
    pub fn client(&self, user: &str) -> Result<Identity> {
        self.sign(user, Vec::new(), ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn sign(
        &self,
        common_name: &str,
        names: Vec<String>,
        usage: ExtendedKeyUsagePurpose,
    ) -> Result<Identity> {
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Identity { certificate, key: key.serialize_pem() })
    }
}
