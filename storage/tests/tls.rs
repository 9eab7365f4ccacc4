//! Every `sslmode` against every kind of server, client certificates, passwords with channel binding, and what the
//! errors say to somebody who has to mend them.

#[expect(dead_code, reason = "shared with the contract suite, which needs more of it")]
mod support;

use std::path::{Path, PathBuf};

use ringwire_storage::{Database, Store, StoreError};
use ringwire_testkit::{Authority, Identity, PrivatePostgres};
use tempfile::TempDir;

/// The files that an address can name.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    }
}

async fn open(url: &str) -> Result<Store, StoreError> {
    support::open(Database::Postgres { url: url.to_owned() }).await
}

/// What became of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Got {
    Tls,
    Plain,
    /// Somebody has to mend something, and the error says what.
    Refused,
}

/// Opens a store and asks the server how it talks to it.
async fn try_url(server: &PrivatePostgres, url: &str) -> (Got, String) {
    let store = match open(url).await {
        Ok(store) => store,
        Err(StoreError::Misconfigured(reason)) => return (Got::Refused, reason),
        Err(error) => panic!("{url}: {error}"),
    };
    // A writer connects as the pool does.
    store.ping().await.unwrap();
    let (client, connection) =
        tokio_postgres::connect(&server.url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let rows = client
        .query(
            "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
             WHERE application_name = 'ringwire'",
            &[],
        )
        .await
        .unwrap();
    let tls: Vec<bool> = rows.iter().map(|row| row.get(0)).collect();
    store.shut_down(std::time::Duration::from_secs(10)).await;
    drop(store);
    // The sessions end a little later than the store; the next look must not find them.
    while client
        .query_one("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ringwire'", &[])
        .await
        .unwrap()
        .get::<_, i64>(0)
        > 0
    {
        tokio::task::yield_now().await;
    }
    assert!(!tls.is_empty() && tls.iter().all(|&each| each == tls[0]), "{url}: {tls:?}");
    (if tls[0] { Got::Tls } else { Got::Plain }, String::new())
}

fn url(server: &PrivatePostgres, options: &str) -> String {
    format!("postgres://ringwire@localhost:{}/postgres?hostaddr=127.0.0.1&{options}", server.port())
}

/// The server's rules in which TLS is welcome and nobody needs a password.
const OPEN: &[&str] = &["host all all 127.0.0.1/32 trust"];

fn root(file: &Path) -> String {
    format!("&sslrootcert={}", file.display())
}

#[tokio::test]
async fn every_mode_meets_every_kind_of_server() {
    use Got::{Plain, Refused, Tls};
    let (ours, strangers) = (Authority::new().unwrap(), Authority::new().unwrap());
    let files = Files::new();
    let roots = root(&files.put("ca.pem", ours.certificate()));
    let mut server = PrivatePostgres::start().unwrap();
    server.allow(OPEN).unwrap();

    let modes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
    let mut try_all = async |kind: &str,
                             identity: Option<&Identity>,
                             roots: &str,
                             expected: [Got; 6],
                             rooted: [Got; 6]| {
        match identity {
            Some(identity) => server.use_tls(identity, ours.certificate()).unwrap(),
            None => server.use_no_tls().unwrap(),
        }
        for (n, mode) in modes.into_iter().enumerate() {
            let options = format!("sslmode={mode}");
            let (got, reason) = try_url(&server, &url(&server, &format!("{options}{roots}"))).await;
            assert_eq!(got, rooted[n], "{kind}, {mode} with a root: {reason}");
            if got == Refused {
                let place = format!("localhost:{} (sslmode={mode})", server.port());
                assert!(reason.contains(&place) && reason.contains("; "), "{reason}");
            }
            if mode != "verify-ca" {
                let (got, reason) = try_url(&server, &url(&server, &options)).await;
                assert_eq!(got, expected[n], "{kind}, {mode}: {reason}");
                let asked = "the authorities of the operating system were asked";
                let is_stranger = mode == "verify-full" && identity.is_some();
                assert_eq!(reason.contains(asked), is_stranger, "{kind}, {mode}: {reason}");
            }
        }
    };
    // Without a root, verify-full asks the authorities of this machine, who do not know ours.
    let blind = [Plain, Plain, Tls, Tls, Refused, Refused];
    let trusted = [Plain, Plain, Tls, Tls, Tls, Tls];
    let misnamed = [Plain, Plain, Tls, Tls, Tls, Refused];
    // As with libpq, `prefer` falls back where the certificate is not trusted.
    let untrusted = [Plain, Plain, Plain, Refused, Refused, Refused];

    let good = ours.server("localhost").unwrap();
    try_all("good", Some(&good), &roots, blind, trusted).await;
    let elsewhere = ours.server("elsewhere.example").unwrap();
    try_all("other name", Some(&elsewhere), &roots, blind, misnamed).await;
    let strange = strangers.server("localhost").unwrap();
    try_all("other authority", Some(&strange), &roots, blind, untrusted).await;
    try_all("no TLS", None, &roots, untrusted, untrusted).await;

    // The server's own certificate as the root, alone or beside others.
    let own = |identity: &Identity| {
        let bundle = format!("{}{}", ours.certificate(), identity.certificate);
        root(&files.put("own.pem", &bundle))
    };
    let marked = Identity::self_signed("localhost").unwrap();
    try_all("self-signed", Some(&marked), &own(&marked), blind, trusted).await;
    let plain = Identity::self_signed_plain("localhost").unwrap();
    try_all("self-signed, no authority", Some(&plain), &own(&plain), blind, trusted).await;
    let elsewhere = Identity::self_signed("elsewhere.example").unwrap();
    try_all("self-signed, other name", Some(&elsewhere), &own(&elsewhere), blind, misnamed).await;
    // The same names, another key.
    let impostor = Identity::self_signed("localhost").unwrap();
    try_all("self-signed, not the one", Some(&impostor), &own(&marked), blind, untrusted).await;
    let expired = Identity::self_signed_expired("localhost").unwrap();
    server.use_tls(&expired, ours.certificate()).unwrap();
    for mode in ["require", "verify-ca", "verify-full"] {
        let options = format!("sslmode={mode}{}", own(&expired));
        let (got, reason) = try_url(&server, &url(&server, &options)).await;
        assert_eq!(got, Refused, "{mode}");
        assert!(reason.contains("renew the server's certificate"), "{mode}: {reason}");
    }
}

#[tokio::test]
async fn a_client_certificate_opens_the_door() {
    let ours = Authority::new().unwrap();
    let files = Files::new();
    let mut server = PrivatePostgres::start().unwrap();
    server.execute("CREATE ROLE ann SUPERUSER LOGIN").unwrap();
    server.use_tls(&ours.server("localhost").unwrap(), ours.certificate()).unwrap();
    server.allow(&["hostssl all ann 127.0.0.1/32 cert"]).unwrap();
    let roots = root(&files.put("ca.pem", ours.certificate()));
    let address = url(&server, "sslmode=verify-full").replace("ringwire@", "ann@") + &roots;

    let ann = ours.client("ann").unwrap();
    let certificate = files.put("ann.pem", &ann.certificate);
    let key = files.put("ann.key", &ann.key);
    let with = format!("{address}&sslcert={}&sslkey={}", certificate.display(), key.display());
    assert_eq!(try_url(&server, &with).await.0, Got::Tls);
    let (got, reason) = try_url(&server, &address).await;
    assert_eq!(got, Got::Refused);
    assert!(reason.contains("certificate"), "{reason}");

    let missing = with.replace("ann.key", "bob.key");
    let error = open(&missing).await.err().unwrap();
    assert!(matches!(error, StoreError::BadAddress(_)), "{error}");
    assert!(
        error.to_string().contains("bob.key") && error.to_string().contains("sslkey"),
        "{error}"
    );
}

#[tokio::test]
async fn a_password_is_bound_to_the_tls_session() {
    let ours = Authority::new().unwrap();
    let mut server = PrivatePostgres::start().unwrap();
    server.execute("CREATE ROLE ann SUPERUSER LOGIN PASSWORD 's3cret'").unwrap();
    server.use_tls(&ours.server("localhost").unwrap(), ours.certificate()).unwrap();
    server.allow(&["host all ann 127.0.0.1/32 scram-sha-256"]).unwrap();
    let ann = |options: &str| url(&server, options).replace("ringwire@", "ann:s3cret@");

    let bound = ann("sslmode=require&channel_binding=require");
    assert_eq!(try_url(&server, &bound).await.0, Got::Tls);
    let (got, reason) = try_url(&server, &ann("sslmode=disable&channel_binding=require")).await;
    assert_eq!(got, Got::Refused);
    assert!(reason.contains("channel_binding") && !reason.contains("s3cret"), "{reason}");
    assert_eq!(try_url(&server, &ann("sslmode=disable")).await.0, Got::Plain);
}

#[tokio::test]
async fn what_somebody_has_to_mend_ends_the_start_with_a_sentence() {
    let mut server = PrivatePostgres::start().unwrap();
    server.execute("CREATE ROLE ann LOGIN PASSWORD 's3cret'").unwrap();
    server.allow(&["host all ann 127.0.0.1/32 scram-sha-256"]).unwrap();
    let at = format!("127.0.0.1:{}", server.port());
    for (address, said) in [
        (format!("postgres://ann:wr0ng@{at}/postgres"), ["28P01", "correct the password"]),
        (
            format!("postgres://ann@{at}/postgres"),
            ["password missing", "complete the database address"],
        ),
        (format!("postgres://ann:s3cret@{at}/nowhere"), ["3D000", "CREATE DATABASE"]),
        (format!("postgres://bob:s3cret@{at}/postgres"), ["28000", "pg_hba.conf"]),
        (format!("postgres://ann:s3cret@{at}/postgres"), ["42501", "GRANT"]),
    ] {
        let error = open(&address).await.err().unwrap();
        assert!(matches!(error, StoreError::Misconfigured(_)), "{address}: {error}");
        let error = error.to_string();
        assert!(said.iter().all(|part| error.contains(part)), "{address}: {error}");
        assert!(!error.contains("s3cret") && !error.contains("wr0ng"), "{error}");
    }
    // A host that is merely away may come back, so this is worth waiting for; the other one's error is told all the same.
    let error =
        open(&format!("postgres://ann:wr0ng@{at},127.0.0.1:1/postgres")).await.err().unwrap();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    let error = error.to_string();
    assert!(error.contains("28P01") && error.contains("127.0.0.1:1 (sslmode=prefer)"), "{error}");
}
