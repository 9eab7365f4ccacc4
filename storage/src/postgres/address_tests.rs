//! Both forms of an address, and what no error may repeat.

use tokio_postgres::config::{Host, LoadBalanceHosts};

use super::*;

fn tls(address: &str) -> TlsOptions {
    parse(address).expect(address).1
}

fn refused(address: &str) -> String {
    match parse(address) {
        Err(StoreError::BadAddress(reason)) => reason,
        other => panic!("{address}: {other:?}"),
    }
}

#[test]
fn both_forms_say_the_same() {
    let url = "postgres://ann:pa%20ss@a:1,b:2/chat?sslmode=verify-full&sslrootcert=%2Fetc%2Fmy%20ca.pem\
               &connect_timeout=7&sslcert=c.pem&sslkey=k.pem";
    let pairs = r"host=a,b port=1,2 user=ann password='pa ss' dbname=chat sslmode = verify-full
               sslrootcert='/etc/my ca.pem' connect_timeout=7 sslcert=c.pem sslkey=k.pem";
    let (from_url, tls) = parse(url).expect("a URL");
    assert_eq!((from_url.clone(), tls.clone()), parse(pairs).expect("pairs"));
    assert_eq!(tls.mode, SslMode::VerifyFull);
    assert_eq!(tls.roots, Roots::File("/etc/my ca.pem".into()));
    assert_eq!(tls.identity, Some(("c.pem".into(), "k.pem".into())));
    assert_eq!(from_url.get_hosts(), [Host::Tcp("a".into()), Host::Tcp("b".into())]);
    assert_eq!(from_url.get_ports(), [1, 2]);
    assert_eq!(from_url.get_password(), Some(&b"pa ss"[..]));
    assert_eq!(from_url.get_dbname(), Some("chat"));
    assert_eq!(from_url.get_connect_timeout(), Some(&Duration::from_secs(7)));
}

#[test]
fn every_mode_has_its_name_and_its_roots() {
    for (name, mode) in MODES {
        let file = tls(&format!("postgres://a/x?sslmode={name}&sslrootcert=ca.pem"));
        assert_eq!((file.mode, file.roots), (mode, Roots::File("ca.pem".into())));
        assert_eq!(mode.to_string(), name);
    }
    assert_eq!(tls("postgres://a/x").mode, SslMode::Prefer);
    assert_eq!(tls("postgres://a/x").roots, Roots::Anyone);
    assert_eq!(tls("postgres://a/x?sslmode=require").roots, Roots::Anyone);
    assert_eq!(tls("postgres://a/x?sslmode=verify-full").roots, Roots::System);
    let system = tls("postgres://a/x?sslrootcert=system");
    assert_eq!((system.mode, system.roots), (SslMode::VerifyFull, Roots::System));
}

#[test]
fn what_cannot_be_meant_is_refused_with_a_sentence() {
    for (address, said) in [
        ("postgres://a/x?sslmode=on", "verify-full"),
        ("postgres://a/x?sslmode=verify-ca", "sslrootcert=FILE"),
        ("postgres://a/x?sslmode=require&sslrootcert=system", "sslmode=verify-full"),
        ("postgres://a/x?sslcert=c.pem", "sslcert and sslkey"),
        ("postgres://a/x?sslcrl=c.pem", "sslcrl"),
        ("postgres://a/x?target_session_attrs=standby", "read-write"),
        ("postgres://a/x?sslmode", "name=value"),
        ("dbname=x", "no host"),
        ("host=a sslmode", "name=value"),
        ("host='a", "quotes"),
    ] {
        let reason = refused(address);
        assert!(reason.contains(said), "{address}: {reason}");
    }
}

#[test]
fn several_hosts_mean_the_writable_one() {
    let attrs = |address| parse(address).expect(address).0.get_target_session_attrs();
    assert_eq!(attrs("postgres://a/x"), TargetSessionAttrs::Any);
    assert_eq!(attrs("postgres://a,b/x"), TargetSessionAttrs::ReadWrite);
    assert_eq!(attrs("hostaddr=127.0.0.1,127.0.0.2"), TargetSessionAttrs::ReadWrite);
    assert_eq!(attrs("postgres://a,b/x?target_session_attrs=any"), TargetSessionAttrs::Any);
    assert_eq!(attrs("postgres://a/x?target_session_attrs=primary"), TargetSessionAttrs::ReadWrite);
}

#[test]
fn the_other_options_stay_as_they_are() {
    let (config, _) =
        parse("postgres://a,b/x?load_balance_hosts=random&sslmode=require&keepalives_idle=7&options=-c%20a=b")
            .expect("an address");
    assert_eq!(config.get_load_balance_hosts(), LoadBalanceHosts::Random);
    assert_eq!(config.get_keepalives_idle(), Duration::from_secs(7));
    assert_eq!(config.get_options(), Some("-c a=b"));
    assert_eq!(config.get_application_name(), Some("ringwire"));
}

#[test]
fn a2_no_error_repeats_the_password() {
    for address in [
        "postgres://someone:secret@host:notaport/db",
        "postgres://someone:p@ss?secret=word@host/db",
        "postgres://someone:p@ss?secret@host/db",
        "postgres://someone:secret@host/db?sslmode=on",
        "postgres://someone:secret@/db",
        "host=a password=pass secret=word",
        "host=a password='pass'secret",
        "host=a password=pass secret",
        "host=a password='secret",
    ] {
        let error = parse(address).expect_err(address);
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
}

#[test]
fn a2_an_at_sign_in_a_password_is_not_taken_for_a_host() {
    let reason = refused("postgres://ann:s3@cret@db/chat");
    assert!(reason.contains("%40") && !reason.contains("cret"), "{reason}");
    let (config, _) = parse("postgres://ann:s3%40cret@db/chat").expect("an address");
    assert_eq!(config.get_password(), Some(&b"s3@cret"[..]));
}
