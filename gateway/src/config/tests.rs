//! The configuration as operators meet it.

use std::fs;
use std::path::Path;

use ringwire_storage::outbox::EventKind;

use super::hooks::RawWebhook;
use super::issuers::RawIssuer;
use super::raw::{Raw, RawTrustedKey};
use super::{
    AllowedOrigins, Config, Database, DriverChoice, FlagValue, Loaded, TokenAlgorithm, documented,
    load, report,
};

fn env(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Loads a file with this text.
fn load_text(text: &str) -> Result<Loaded, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ringwire.toml");
    fs::write(&path, text).unwrap();
    load(Some(&path), [], &[])
        .map_err(|error| error.to_string().replace(&path.display().to_string(), "ringwire.toml"))
}

fn load_env(variables: &[(&str, &str)]) -> Result<Config, String> {
    load(None, env(variables), &[]).map(|loaded| loaded.config).map_err(|error| error.to_string())
}

#[test]
fn the_documented_file_equals_the_defaults_and_names_every_option() {
    let file = documented();
    let raw: Raw = toml::from_str(&file).unwrap();
    assert_eq!(raw, Raw::default());
    let keys = report::flatten_dict(&toml::from_str(&file).unwrap());
    let written: Vec<_> = keys.into_iter().map(|(key, _)| key).collect();
    let known: Vec<_> = report::flatten(&Raw::default()).into_iter().map(|(key, _)| key).collect();
    assert_eq!(written, known);
    for key in RawTrustedKey::KEYS.into_iter().chain(RawIssuer::KEYS) {
        assert!(file.contains(&format!("#   {key} = ")), "{key}");
    }
    for key in RawWebhook::KEYS {
        assert!(file.contains(&format!("#   {key} = ")), "{key}");
    }
}

#[test]
fn defaults_alone_are_valid_and_safe() {
    let config = load(None, [], &[]).unwrap().config;
    assert!(config.server.listen.ip().is_loopback());
    assert!(config.server.shards >= 1 && config.server.max_connections >= 1);
    assert_eq!(config.server.allowed_origins, AllowedOrigins::SameOrigin);
    assert_eq!(config.auth.jwt_secret_file.path(), Path::new("./ringwire-data/jwt.secret"));
}

#[test]
fn flags_beat_the_environment_beats_the_file_beats_defaults_and_origins_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ringwire.toml");
    fs::write(&path, "[server]\nshards = 2\ndriver = \"epoll\"\n[storage]\nwriters = 3\n").unwrap();
    let flags = [FlagValue { key: "server.shards", flag: "--shards", value: "5".to_owned() }];
    let variables = env(&[("RINGWIRE_SHARDS", "4"), ("RINGWIRE_SERVER__DRIVER", "uring")]);
    let loaded = load(Some(&path), variables, &flags).unwrap();
    assert_eq!(loaded.config.server.shards, 5);
    assert_eq!(loaded.config.server.driver, DriverChoice::Uring);
    assert_eq!(loaded.config.storage.writers, 3);
    let origin = |key: &str| {
        loaded.settings.iter().find(|setting| setting.key == key).unwrap().origin.clone()
    };
    assert_eq!(origin("server.shards"), "flag --shards");
    assert_eq!(origin("server.driver"), "environment RINGWIRE_SERVER__DRIVER");
    assert_eq!(origin("storage.writers"), format!("file {}", path.display()));
    assert_eq!(origin("server.listen"), "default");
}

#[test]
fn the_report_is_a_configuration_file_again() {
    let text = "[auth]\naudience = \"chat\"\n[[auth.trusted_keys]]\nissuer = \"https://a\"\n\
                algorithm = \"RS256\"\nkey_file = \"a.pem\"\n[server]\nallowed_origins = [\"https://b\"]\n";
    let first = load_text(text).unwrap();
    let second = load_text(&first.to_string()).unwrap();
    assert_eq!(first.config, second.config);
    assert_eq!(second.config.auth.trusted_keys[0].algorithm, TokenAlgorithm::Rs256);
}

#[test]
fn issuers_are_checked_and_reported_as_they_were_written() {
    let text = "[[auth.issuers]]\nissuer = \"https://a\"\njwks_url = \"https://a/jwks\"\n\
                algorithms = [\"ES256\"]\nrefresh_s = 60\nsubject_claim = \"oid\"\n";
    let first = load_text(text).unwrap();
    let second = load_text(&first.to_string()).unwrap();
    assert_eq!(first.config, second.config);
    let issuer = &second.config.auth.issuers[0];
    assert_eq!(
        (&*issuer.algorithms, issuer.audience.as_ref()),
        (&[TokenAlgorithm::Es256][..], None)
    );
    for (lines, key) in [
        ("jwks_url = \"http://a/jwks\"", "jwks_url"),
        ("jwks_url = \"https://a\"\njwks_file = \"f\"", "jwks_url"),
        ("audience = \"b\"", "jwks_url"),
        ("jwks_file = \"f\"\nalgorithms = [\"HS256\"]", "algorithms"),
        ("jwks_file = \"f\"\nalgorithms = []", "algorithms"),
        ("jwks_url = \"https://a\"\nrefresh_s = 0", "refresh_s"),
        ("jwks_file = \"f\"\nissuer = \"ringwire\"", "issuer"),
        ("jwks_file = \"\"", "jwks_file"),
    ] {
        let issuer = if lines.contains("issuer") { "" } else { "issuer = \"https://a\"\n" };
        let error = load_text(&format!("[[auth.issuers]]\n{issuer}{lines}\n")).unwrap_err();
        assert!(error.starts_with(&format!("auth.issuers[0].{key} = ")), "{lines}: {error}");
    }
    let secret = "[[auth.issuers]]\nissuer = \"a\"\njwks_url = \"https://ann:s3cret@b/c\"\n";
    let loaded = load_text(secret).unwrap();
    assert!(!format!("{loaded} {loaded:?}").contains("s3cret"), "{loaded}");
    let twice = "[[auth.issuers]]\nissuer = \"a\"\njwks_file = \"f\"\n".repeat(2);
    assert!(load_text(&twice).unwrap_err().contains("each issuer once"));
}

#[test]
fn a2_tokens_for_forgotten_passwords_go_where_nobody_reads_along() {
    let load = |url: &str, file: &str| {
        load_text(&format!(
            "[auth]\npassword_reset_url = {url:?}\npassword_reset_secret_file = {file:?}\n"
        ))
    };
    let loaded = load("https://ann:s3cret@mail/x", "f").unwrap();
    assert!(!format!("{loaded} {loaded:?}").contains("s3cret"));
    assert!(load("http://127.0.0.1:9/x", "f").is_ok());
    for (url, file) in [("http://mail.example/x", "f"), ("https://mail.example", ""), ("x", "f")] {
        assert!(load(url, file).unwrap_err().starts_with("auth.password_reset_"), "{url}");
    }
}

#[test]
fn a2_the_database_password_is_hidden_everywhere() {
    let url = "postgres://ann:s3cret@db/chat";
    let loaded = load(None, env(&[("RINGWIRE_DATABASE", url)]), &[]).unwrap();
    assert_eq!(loaded.config.storage.database, Database::Postgres(url.to_owned()));
    let shown = format!("{loaded} {loaded:?}");
    assert!(!shown.contains("s3cret") && shown.contains("postgres://ann:***@db/chat"), "{shown}");
    let error = load_env(&[("RINGWIRE_DATABASE", "mysql://ann:s3cret@db/chat")]).unwrap_err();
    assert!(!error.contains("s3cret"), "{error}");
    // A broken file is not quoted either.
    let error = load_text("[storage]\ndatabase = \"postgres://ann:s3cret@db\n").unwrap_err();
    assert!(!error.contains("s3cret") && error.starts_with("ringwire.toml:2:"), "{error}");
}

#[test]
fn shares_are_numbers_wherever_they_are_written_and_the_collectors_password_is_hidden() {
    let url = "https://ann:s3cret@collector:4318";
    let variables =
        [("RINGWIRE_TRACING__SAMPLE_RATIO", "0.25"), ("RINGWIRE_TRACING__OTLP_ENDPOINT", url)];
    let loaded = load(None, env(&variables), &[]).unwrap();
    assert!((loaded.config.tracing.as_ref().unwrap().sample_ratio - 0.25).abs() < f64::EPSILON);
    let shown = loaded.to_string();
    assert!(shown.contains("tracing.sample_ratio = 0.25") && !shown.contains("s3cret"), "{shown}");
    let whole = load_env(&[("RINGWIRE_TRACING__SAMPLE_RATIO", "1"), variables[1]]).unwrap();
    assert!((whole.tracing.unwrap().sample_ratio - 1.0).abs() < f64::EPSILON);
    assert_eq!(load_env(&[]).unwrap().tracing, None);
}

#[test]
fn unknown_options_name_the_nearest_known_one() {
    let cases = [
        ("[server]\nlisen = \"x\"", "server.lisen", "server.listen"),
        ("[sever]\nlisten = \"x\"", "sever.listen", "server.listen"),
        ("database = \"sqlite\"", "database", "storage.database"),
        (
            "[[auth.trusted_keys]]\nisuer = \"x\"",
            "auth.trusted_keys.isuer",
            "auth.trusted_keys.issuer",
        ),
    ];
    for (text, written, meant) in cases {
        let expected =
            format!("unknown option {written} (file ringwire.toml); the nearest one is {meant}");
        assert_eq!(load_text(text).unwrap_err(), expected);
    }
}

#[test]
fn unknown_variables_name_the_nearest_known_one_and_those_of_others_do_not_matter() {
    for (written, meant) in [
        ("RINGWIRE_LISEN", "RINGWIRE_LISTEN"),
        ("RINGWIRE_STORAGE_WRITERS", "RINGWIRE_STORAGE__WRITERS"),
        ("RINGWIRE_STORAGE_KEY", "RINGWIRE_STORAGE_KEYS"),
        ("RINGWIRE_SERVER__SHARD", "RINGWIRE_SERVER__SHARDS"),
        ("RINGWIRE_STORAGE_BATCH_MAX_ROWS", "RINGWIRE_STORAGE__BATCH__MAX_ROWS"),
        ("RINGWIRE_CONFIG_FILE", "RINGWIRE_CONFIG"),
    ] {
        let expected =
            format!("unknown option {written} (environment {written}); the nearest one is {meant}");
        assert_eq!(load_env(&[(written, "s3cret")]).unwrap_err(), expected);
    }
    for written in ["RINGWIRE_PORT", "RINGWIRE_WRITERS", "RINGWIRE_", "RINGWIRE_COMPLETELY_ELSE"] {
        let error = load_env(&[(written, "8080")]).unwrap_err();
        assert!(error.starts_with(&format!("unknown option {written} ")), "{error}");
    }
    for (name, value) in [
        ("RINGWIRE_CONFIG", "ringwire.toml"),
        // What an orchestrator sets for services of this name.
        ("RINGWIRE_PORT", "tcp://10.0.0.1:80"),
        ("RINGWIRE_SERVICE_HOST", "10.0.0.1"),
        ("RINGWIRE_SERVICE_PORT", "80"),
        ("RINGWIRE_SERVICE_PORT_HTTP", "80"),
        ("RINGWIRE_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("RINGWIRE_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("RINGWIRE_DB_SERVICE_HOST", "10.0.0.2"),
        // What the project's own tools read.
        ("RINGWIRE_PG_BIN", "/usr/bin"),
        ("RINGWIRE_CHROMIUM", "/usr/bin/chromium"),
        ("RINGWIRE_PYTHON", "/usr/bin/python3"),
        ("RINGWIRE_NODE", "/usr/bin/node"),
        ("RINGWIRE_TEST_FULL", "1"),
        ("RINGWIRE_SEED", "7"),
        ("RINGWIRE_WRITE_DOCS", "1"),
        ("RINGWIRE_JWT_SECRET_FILE", "jwt.secret"),
    ] {
        load_env(&[(name, value)]).unwrap();
    }
    load_env(&[("RINGWIRE_LISTEN", "")]).unwrap();
}

#[test]
fn wrong_values_say_what_would_be_right() {
    let cases = [
        (
            "[server]\nlisten = \"localhost\"",
            "server.listen = \"localhost\" (file ringwire.toml): expected an IP",
        ),
        ("[server]\nshards = 5000", "expected a number from 0 to 1024"),
        (
            "[storage]\npartitions = 4",
            "storage.partitions = \"4\" (file ringwire.toml): expected 0 with sqlite",
        ),
        (
            "[storage]\ndatabase = \"postgres://a@b/c\"\npartitions = 1",
            "expected 0 (one table), or 2 to 256",
        ),
        (
            "[server]\nshards = \"two\"",
            "server.shards = \"two\" (file ringwire.toml): expected a number from 0 to 1024",
        ),
        ("[server]\nshards = \"2\"", "expected a number from 0 to 1024, without quotes"),
        ("[server]\nshards = true", "server.shards = \"true\""),
        ("[server]\nshards = [1]", "expected a whole number"),
        (
            "[storage.batch]\nmax_bytes = 99999999999",
            "storage.batch.max_bytes = \"99999999999\" (file ringwire.toml): expected a number from 1 to 67108864",
        ),
        (
            "[storage.batch]\nmax_rows = 1.5",
            "= \"1.5\" (file ringwire.toml): expected a number from 1 to 16384",
        ),
        (
            "[storage.retention]\ndirect_days = -1",
            "storage.retention.direct_days = \"-1\" (file ringwire.toml): expected a number from 0 to 36500",
        ),
        ("[storage.retention]\nroom_count = -1", "expected a number from 0 to 4294967295"),
        ("[server]\ndriver = \"kqueue\"", "expected auto, uring or epoll"),
        ("[server]\nallowed_origins = [\"https://a/b\"]", "expected origins such as"),
        ("[server]\ntrusted_proxies = [\"10.0.0.1/8\"]", "expected addresses such as"),
        ("[server]\ntrusted_proxies = [\"0.0.0.0/0\"]", "expected addresses such as"),
        ("[storage]\ndatabase = \"mysql\"", "expected sqlite or a URL"),
        ("[auth]\ntoken_ttl_s = 5", "expected a number from 60"),
        ("[log]\nfilter = \"info,=x=\"", "expected directives such as"),
        ("[metrics]\nallow = [\"lan\"]", "expected addresses and networks such as"),
        (
            "[tracing]\nsample_ratio = 1.5",
            "tracing.sample_ratio = \"1.5\" (file ringwire.toml): expected a number from 0 to 1",
        ),
        ("[tracing]\nsample_ratio = \"often\"", "expected a number from 0 to 1"),
        ("[tracing]\notlp_endpoint = \"collector\"", "expected the address of a collector"),
        ("[server]\ncompression = \"on\"", "expected off or json"),
        (
            "[storage.batch]\nmax_rows = 0",
            "storage.batch.max_rows = \"0\" (file ringwire.toml): expected a number from 1 to 16384",
        ),
        ("[storage.batch]\nmax_age_us = 200000", "expected a number from 0 to 100000"),
        ("[log]\nformat = \"xml\"", "expected pretty or json"),
        ("[server\n", "ringwire.toml:1: not valid TOML"),
        (
            "[[auth.trusted_keys]]\nissuer = \"ringwire\"\nalgorithm = \"HS256\"\nkey_file = \"k\"",
            "auth.trusted_keys[0].issuer = \"ringwire\" (file ringwire.toml): expected another issuer",
        ),
        (
            "[[auth.trusted_keys]]\nissuer = \"a\"\nalgorithm = \"none\"\nkey_file = \"k\"",
            "expected HS256, EdDSA, ES256 or RS256",
        ),
    ];
    for (text, expected) in cases {
        let error = load_text(text).unwrap_err();
        assert!(error.contains(expected) && !error.contains('\n'), "{text}: {error}");
    }
    for value in ["two", "-1", "1.5", "99999999999", "99999999999999999999"] {
        let error = load_env(&[("RINGWIRE_SHARDS", value)]).unwrap_err();
        let expected = format!(
            "server.shards = \"{value}\" (environment RINGWIRE_SHARDS): expected a number from 0 to 1024"
        );
        assert_eq!(error, expected);
    }
    let error = load(Some(Path::new("/nowhere/x.toml")), [], &[]).unwrap_err().to_string();
    assert!(error.contains("--config"), "{error}");
}

#[test]
fn lists_in_the_environment_are_separated_by_commas() {
    let config =
        load_env(&[("RINGWIRE_SERVER__ALLOWED_ORIGINS", "https://A.example, http://b:8080")]);
    let expected = vec!["https://a.example".to_owned(), "http://b:8080".to_owned()];
    assert_eq!(config.unwrap().server.allowed_origins, AllowedOrigins::List(expected));
    assert!(load_env(&[("RINGWIRE_AUTH__TRUSTED_KEYS", "x")]).is_err());
}

#[test]
fn a2_secrets_of_hooks_are_hidden_everywhere() {
    let secret = "0123456789abcdef-s3cret";
    let hook = format!("url = \"https://ann:p4ss@hooks.example/x\"\nsecrets = [\"{secret}\"]\n");
    let text = format!(
        "[push]\nwebhook_url = \"https://b:p4ss@push.example\"\nwebhook_secrets = [\"{secret}\"]\n[hook]\n{hook}\
         [[events.webhooks]]\nname = \"audit\"\nevents = [\"message.created\", \"member.left\"]\n{hook}"
    );
    let loaded = load_text(&text).unwrap();
    let shown = format!("{loaded} {loaded:?}");
    assert!(!shown.contains("s3cret") && !shown.contains("p4ss"), "{shown}");
    assert!(shown.contains("https://ann:***@hooks.example/x"), "{shown}");
    let config = loaded.config;
    assert!(config.push.is_on() && config.hook.endpoint.is_some());
    let events = config.events.webhooks[0].events;
    assert!(events.has(EventKind::MemberLeft) && !events.has(EventKind::MemberJoined));
}

#[test]
fn hooks_that_cannot_work_are_refused() {
    let hook = |lines: &str| load_text(&format!("[[events.webhooks]]\n{lines}")).unwrap_err();
    let whole = "name = \"a\"\nurl = \"https://a.example\"\nsecrets = [\"0123456789abcdef\"]\n";
    let error = hook(&format!("{whole}events = [\"message.made\"]"));
    assert!(error.contains("events.webhooks[0].events") && error.contains("message.created"));
    let error = hook(&format!("{}events = [\"*\"]", whole.replace("https", "ftp")));
    assert!(error.contains("events.webhooks[0].url"), "{error}");
    let error = hook(&format!("{}events = [\"*\"]", whole.replace("0123456789abcdef", "short")));
    assert!(error.contains("secrets") && !error.contains("short"), "{error}");
    let error =
        hook(&format!("{whole}events = [\"*\"]\n[[events.webhooks]]\n{whole}events = [\"*\"]"));
    assert!(error.contains("events.webhooks[1].name"), "{error}");
    for (text, option, shown) in [
        ("[hook]\nurl = \"https://a.example\"", "hook.secrets", "[]"),
        ("[hook]\nurl = \"https://a.example\"\nsecrets = [\"short\"]", "hook.secrets", "***"),
        ("[push]\nwebhook_url = \"https://a.example\"", "push.webhook_secrets", "[]"),
    ] {
        let error = load_text(text).unwrap_err();
        assert!(error.starts_with(&format!("{option} = \"{shown}\"")), "{error}");
        let url = option.replace("secrets", "url");
        assert!(error.contains(&format!("since {url} is set")), "{error}");
    }
    let error = load_text("[hook]\nkinds = [\"SHOUT\"]").unwrap_err();
    assert!(error.contains("hook.kinds"), "{error}");
}
