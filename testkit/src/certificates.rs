//! Certificates for tests, made on the spot.

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
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

impl Identity {
    /// A server's for one host name, signed with its own key and marked as an authority's, as `openssl req -x509` does.
    pub fn self_signed(name: &str) -> Result<Self> {
        Self::sign_own(authority_for(name)?)
    }

    /// Like it, without the mark.
    pub fn self_signed_plain(name: &str) -> Result<Self> {
        Self::sign_own(CertificateParams::new(vec![name.to_owned()])?)
    }

    /// Like [`Self::self_signed`], but its time is over.
    pub fn self_signed_expired(name: &str) -> Result<Self> {
        let mut params = authority_for(name)?;
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
        Self::sign_own(params)
    }

    fn sign_own(mut params: CertificateParams) -> Result<Self> {
        params.distinguished_name.push(DnType::CommonName, "ringwire test server");
        let key = KeyPair::generate()?;
        Ok(Self { certificate: params.self_signed(&key)?.pem(), key: key.serialize_pem() })
    }
}

fn authority_for(name: &str) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    Ok(params)
}
