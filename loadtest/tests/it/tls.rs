//! The same over TLS, through a small terminator in front of the fake server.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use ringwire_loadtest::fleet;
use ringwire_loadtest::report::Report;
use ringwire_loadtest::target::{Target, TargetError};
use ringwire_loadtest::threshold::Verdict;
use ringwire_loadtest::tls::Trust;
use ringwire_loadtest::token::Tokens;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::fake::{self, Fake, Fault};
use crate::scenario;

/// Speaks TLS as `localhost` and plain bytes with the server behind it.
struct Terminator {
    address: SocketAddr,
    certificate: tempfile::NamedTempFile,
}

impl Terminator {
    fn start(behind: SocketAddr) -> Self {
        Self::showing(behind, IsCa::NoCa)
    }

    fn showing(behind: SocketAddr, is_ca: IsCa) -> Self {
        let mut parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
        parameters.is_ca = is_ca;
        let signing_key = KeyPair::generate().unwrap();
        let cert = parameters.self_signed(&signing_key).unwrap();
        let certificate = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(certificate.path(), cert.pem()).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for client in listener.incoming() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let outside = StreamOwned::new(connection, client.unwrap());
                let inside = TcpStream::connect(behind).unwrap();
                // Either side may end at any time; the other one sees it.
                thread::spawn(move || drop(carry(outside, inside)));
            }
        });
        Self { address, certificate }
    }

    fn url(&self) -> String {
        format!("wss://localhost:{}/ws", self.address.port())
    }
}

/// Carries bytes both ways until one side ends.
fn carry(
    mut outside: StreamOwned<ServerConnection, TcpStream>,
    mut inside: TcpStream,
) -> io::Result<()> {
    let pause = Some(Duration::from_millis(1));
    outside.sock.set_read_timeout(pause)?;
    inside.set_read_timeout(pause)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match outside.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => inside.write_all(&buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        match inside.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                outside.write_all(&buffer[..count])?;
                outside.flush()?;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

fn run(url: &str, trust: &Trust, overrides: &[&str]) -> Result<Report, String> {
    let scenario = scenario(overrides);
    let target =
        Target::parse_trusting(url, trust).map_err(|error: TargetError| error.to_string())?;
    let tokens = Tokens::from_secret(fake::SECRET);
    let stop = Arc::new(AtomicBool::new(false));
    let result = fleet::run(scenario.clone(), target, tokens, stop, false)
        .map_err(|error| error.to_string())?;
    Ok(Report::new(&scenario, url, result))
}

#[test]
fn users_talk_over_tls_when_the_authority_is_named_or_anybody_is_taken() {
    let terminator = Terminator::start(Fake::start(Fault::None).address);
    let named = Trust::File(terminator.certificate.path().to_owned());
    // Long texts do not fit into one record.
    let long = ["text_bytes=40000", "rate_per_s=40", "encoding=json"];
    for (trust, overrides) in [(named, &["rate_per_s=100"][..]), (Trust::Anyone, &long)] {
        let report = run(&terminator.url(), &trust, overrides).unwrap();
        assert_eq!(report.verdict, Verdict::Pass, "{report}");
        assert_eq!((report.acked, report.delivered), (report.offered, report.offered), "{report}");
    }
}

/// As `openssl req -x509` makes it: the server's own and an authority's at once.
#[test]
fn an_authority_that_is_shown_as_a_server_is_explained() {
    let authority = IsCa::Ca(BasicConstraints::Unconstrained);
    let terminator = Terminator::showing(Fake::start(Fault::None).address, authority);
    let named = Trust::File(terminator.certificate.path().to_owned());
    let error = run(&terminator.url(), &named, &["users=2"]).unwrap_err();
    assert!(error.contains("--insecure") && !error.contains("OtherError"), "{error}");
    let report = run(&terminator.url(), &Trust::Anyone, &["users=2"]).unwrap();
    assert_eq!(report.verdict, Verdict::Pass, "{report}");
}

#[test]
fn a_certificate_nobody_vouches_for_is_refused() {
    let terminator = Terminator::start(Fake::start(Fault::None).address);
    let other = Terminator::start(terminator.address);
    let trust = Trust::File(other.certificate.path().to_owned());
    let error = run(&terminator.url(), &trust, &["users=2"]).unwrap_err();
    assert!(error.contains("could not connect"), "{error}");
}
