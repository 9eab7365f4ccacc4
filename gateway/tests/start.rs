//! What operators can mend is one line on standard error that says how, and exit code 2.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

/// The program in an empty folder, without variables of ours.
fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringwire"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("RINGWIRE_")) {
        command.env_remove(name);
    }
    command.current_dir(folder).args(arguments);
    command
}

fn ringwire(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

fn assert_one_line(output: &Output, what: &str, mend: &str) {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("ringwire: ") && text.contains(what) && text.contains(mend), "{text}");
}

#[test]
fn a_taken_port_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = ringwire(folder.path(), &["--listen", &address, "--data-dir", "data"]);
    assert_one_line(&output, &address, "--listen");
}

#[test]
fn an_unusable_data_folder_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let output = ringwire(folder.path(), &["--listen", "127.0.0.1:0", "--data-dir", "file"]);
    assert_one_line(&output, "data folder file", "--data-dir");
}

#[test]
fn an_exposed_key_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let token = ringwire(folder.path(), &["token", "--user", "1", "--data-dir", "data"]);
    assert!(token.status.success());
    let key = folder.path().join("data/jwt.secret");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let output = ringwire(folder.path(), &["--listen", "127.0.0.1:0", "--data-dir", "data"]);
    assert_one_line(&output, "jwt.secret", "chmod 600");
}

#[test]
fn a_bad_value_and_an_unknown_option_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let output = ringwire(folder.path(), &["--driver", "kqueue"]);
    assert_one_line(&output, "server.driver = \"kqueue\" (flag --driver)", "auto, uring or epoll");
    fs::write(folder.path().join("r.toml"), "[server]\nport = 1\n").unwrap();
    let output = ringwire(folder.path(), &["check-config", "--config", "r.toml"]);
    assert_one_line(&output, "unknown option server.port", "the nearest one is server.");
    let output = ringwire(folder.path(), &["check-config", "--config", "none.toml"]);
    assert_one_line(&output, "none.toml", "--config");
}

#[test]
fn check_config_shows_values_and_origins_and_touches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let url = "postgres://ann:s3cret@db/chat";
    let output = ringwire(folder.path(), &["check-config", "--database", url]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let line = "storage.database = \"postgres://ann:***@db/chat\"  # flag --database";
    assert!(text.lines().any(|shown| shown == line), "{text}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_reader_that_goes_away_is_no_error_and_a_full_disk_is_one() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["check-config"][..], &["config", "doc"], &["token", "--user", "1"]] {
        let (reader, gone) = io::pipe().unwrap();
        drop(reader);
        let output = command(folder.path(), arguments).stdout(gone).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = command(folder.path(), arguments).stdout(full).output().unwrap();
        assert_one_line(&output, "No space left on device", "");
    }
}

#[test]
fn check_config_refuses_files_that_a_start_would_miss() {
    let trusted =
        "[[auth.trusted_keys]]\nissuer = \"a\"\nalgorithm = \"EdDSA\"\nkey_file = \"absent\"";
    let reset = "[auth]\npassword_reset_url = \"https://a.example/\"\npassword_reset_secret_file = \"absent\"";
    let vapid = "[push]\nweb_push_subject = \"mailto:ops@a.example\"\nvapid_key_file = \"absent\"";
    for lines in [
        "[auth]\njwt_secret_file = \"absent\"",
        "[auth]\nprevious_secret_files = [\"absent\"]",
        reset,
        trusted,
        "[[auth.issuers]]\nissuer = \"a\"\njwks_file = \"absent\"",
        "[storage.encryption]\nkeys_file = \"absent\"",
        vapid,
        "[push]\nfcm_account_file = \"absent\"",
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("r.toml"), lines).unwrap();
        let run = |arguments: &[&str]| {
            let output = ringwire(folder.path(), &[&["--config", "r.toml"], arguments].concat());
            assert_one_line(&output, "absent", "No such file");
        };
        run(&["check-config"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{lines}");
        run(&["--listen", "127.0.0.1:0", "--data-dir", "data"]);
        assert!(!folder.path().join("absent").exists(), "{lines}");
    }
}

#[test]
fn operators_of_a_mistyped_folder_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let operator = |arguments: &[&str]| {
        let all = [&["--data-dir", "typo", "operator"], arguments].concat();
        ringwire(folder.path(), &all)
    };
    for arguments in
        [&["list"][..], &["disable", "--name", "a"], &["reset-password", "--name", "a"]]
    {
        assert_one_line(&operator(arguments), "typo/ringwire.db", "--data-dir");
    }
    assert!(!folder.path().join("typo").exists(), "nothing was made");
    let create = |name| operator(&["create", "--name", name]);
    let said = |output: Output| {
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(said(create("ann")).contains("typo/ringwire.db, so a new one was made"));
    assert_eq!(said(create("bob")), "");
}

#[test]
fn token_prints_the_token_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["token", "--user", "7", "--ttl-s", "60", "--data-dir", "data"];
    let output = ringwire(folder.path(), &arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
    assert_eq!(text.lines().count(), 1);
    assert_eq!(text.trim().split('.').count(), 3, "{text}");
}
