//! The API as clients meet it: the router on SQLite in a folder of its own.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, Version, header};
use ringwire_storage::Store;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::metrics::Peer;
use super::{Reach, ServiceFacts, ServiceState, router};
use crate::auth::{TokenUser, TokenVerifier};
use crate::cli::unix_now_ms;
use crate::config::{self, FlagValue};
use crate::connection::addresses::Addresses;
use crate::observe::board::Board;
use crate::service::calls::Calls;
use crate::shard::mailbox::{Bounds, mailbox};
use crate::startup;

/// A service on an empty SQLite database.
pub(super) struct Service {
    pub(super) state: ServiceState,
    pub(super) router: Router,
    pub(super) store: Store,
    verifier: Arc<TokenVerifier>,
    _folder: tempfile::TempDir,
}

pub(super) async fn service() -> Service {
    service_with(&[]).await
}

async fn service_with(options: &[(&'static str, &str)]) -> Service {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data").display().to_string();
    let mut flags = vec![FlagValue { key: "storage.data_dir", flag: "test", value: data_dir }];
    flags.extend(options.iter().map(|(key, value)| FlagValue {
        key,
        flag: "test",
        value: (*value).to_owned(),
    }));
    let config = config::load(None, [], &flags).unwrap().config;
    let keys = startup::load_keys(&config).unwrap();
    let store = startup::open_store(&config, Arc::new(|_, _| {})).await.unwrap();
    let verifier = Arc::clone(&keys.verifier);
    let reach = Reach { mailboxes: Vec::new(), ordered: Arc::default(), stop: Arc::default() };
    let board = Arc::new(Board::new(2, Vec::new(), Instant::now()));
    let facts = ServiceFacts { driver: "io_uring", shards: 2, board, exported: None, reach };
    let bounds = Bounds { shared: 16, reserved: 0, producers: 1 };
    // Of a shard that answers nothing.
    let mailboxes = vec![mailbox(bounds).unwrap().0];
    let addresses = Addresses::new(config.limits.address, config.server.trusted_proxies.clone());
    let calls = Calls::new(mailboxes, addresses);
    let outgoing = crate::outbound::Outgoing::new(false).unwrap();
    let state =
        ServiceState::new(Arc::new(config), store.clone(), keys, facts, calls, &outgoing).unwrap();
    let router = router(state.clone());
    Service { state, router, store, verifier, _folder: folder }
}

impl Service {
    async fn send(&self, request: Request<Body>) -> (StatusCode, Value, axum::http::HeaderMap) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        (parts.status, json, parts.headers)
    }

    async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        let (status, json, _) = self.send(request).await;
        (status, json)
    }

    async fn get(&self, path: &str) -> (StatusCode, Value, axum::http::HeaderMap) {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn register(&self, body: &Value) -> (StatusCode, Value) {
        self.post("/api/v1/auth/register", body).await
    }

    async fn login(&self, body: &Value) -> (StatusCode, Value) {
        self.post("/api/v1/auth/login", body).await
    }

    fn user_of(&self, answer: &Value) -> TokenUser {
        let token = answer["token"].as_str().unwrap();
        self.verifier.verify(token, unix_now_ms()).unwrap().user
    }
}

fn code(answer: &Value) -> &str {
    answer["error"]["name"].as_str().unwrap_or("no error")
}

fn ann() -> Value {
    json!({"username": "Ann", "email": "ann@mail.example", "password": "correct horse"})
}

#[tokio::test]
async fn a_registered_user_gets_a_token_and_can_log_in_by_name_and_address() {
    let service = service().await;
    let (status, registered) = service.register(&ann()).await;
    assert_eq!(status, StatusCode::CREATED, "{registered}");
    assert!(registered["user"]["user_id"].is_string(), "{registered}");
    assert_eq!(registered["user"]["username"], "Ann");
    let expires_at_ms: i64 = registered["expires_at"].as_str().unwrap().parse().unwrap();
    assert!(expires_at_ms > unix_now_ms());
    let user = service.user_of(&registered);

    for login in [
        json!({"username": "ann", "password": "correct horse"}),
        json!({"email": "ANN@mail.example", "password": "correct horse"}),
        json!({"username": "ann@mail.example", "password": "correct horse"}),
    ] {
        let (status, answer) = service.login(&login).await;
        assert_eq!(status, StatusCode::OK, "{login}: {answer}");
        assert_eq!(answer["user"], registered["user"]);
        assert_eq!(service.user_of(&answer), user);
    }
}

#[tokio::test]
async fn p1_the_store_holds_argon2id_and_never_the_password() {
    let service = service().await;
    service.register(&ann()).await;
    let (_, hash) = service.store.credentials("ann").await.unwrap().unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
}

#[tokio::test]
async fn p1_a_wrong_password_and_an_unknown_name_are_answered_alike() {
    let service = service().await;
    service.register(&ann()).await;
    let wrong = service.login(&json!({"username": "ann", "password": "wrong horse"})).await;
    let unknown = service.login(&json!({"username": "bob", "password": "wrong horse"})).await;
    assert_eq!(wrong, unknown);
    assert_eq!((wrong.0, code(&wrong.1)), (StatusCode::UNAUTHORIZED, "INVALID_CREDENTIALS"));
}

#[tokio::test]
async fn names_and_addresses_are_unique_without_regard_to_case() {
    let service = service().await;
    service.register(&ann()).await;
    for other in [
        json!({"username": "aNN", "password": "correct horse"}),
        json!({"username": "bob", "email": "Ann@MAIL.example", "password": "correct horse"}),
    ] {
        let (status, answer) = service.register(&other).await;
        assert_eq!((status, code(&answer)), (StatusCode::CONFLICT, "ALREADY_EXISTS"), "{other}");
    }
    let (status, _) =
        service.register(&json!({"username": "bob", "email": "", "password": "12345678"})).await;
    assert_eq!(status, StatusCode::CREATED);
}

#[tokio::test]
async fn bad_input_is_answered_in_the_one_error_shape() {
    let service = service().await;
    let register = "/api/v1/auth/register";
    let cases = [
        json!({"username": "a b", "password": "correct horse"}),
        json!({"username": "ann", "email": "x", "password": "correct horse"}),
        json!({"username": "ann", "password": "short"}),
        json!({"username": "ann", "password": "correct horse", "display_name": "a\u{7}"}),
        json!({"username": "ann", "password": "correct horse", "display_name": "\u{202e}nna"}),
        json!({"username": 5, "password": "correct horse"}),
        json!({"username": "ann"}),
        json!([]),
    ];
    for body in cases {
        let (status, answer) = service.post(register, &body).await;
        assert_eq!(
            (status, code(&answer)),
            (StatusCode::BAD_REQUEST, "INVALID_ARGUMENT"),
            "{body}"
        );
        let error = &answer["error"];
        assert!(error["code"].is_u64() && error["message"].is_string(), "{answer}");
        assert_eq!((&error["temporary"], &error["retry_after_ms"]), (&json!(false), &json!(0)));
    }
    let (status, _) = service.login(&json!({"password": "correct horse"})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);

    let raw = |kind: &str, body: String| {
        Request::post(register).header(header::CONTENT_TYPE, kind).body(Body::from(body)).unwrap()
    };
    let (status, answer, _) = service.send(raw("application/json", "{".to_owned())).await;
    assert_eq!((status, code(&answer)), (StatusCode::BAD_REQUEST, "INVALID_ARGUMENT"));
    let (status, answer, _) = service.send(raw("application/json", " ".repeat(20_000))).await;
    assert_eq!((status, code(&answer)), (StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE"));
    // X2: a form of another site cannot post here.
    let (status, answer, _) = service.send(raw("text/plain", ann().to_string())).await;
    assert_eq!((status, code(&answer)), (StatusCode::UNSUPPORTED_MEDIA_TYPE, "INVALID_ARGUMENT"));
}

#[tokio::test]
async fn a2_a_password_in_a_broken_body_is_not_quoted() {
    let service = service().await;
    let (_, answer) =
        service.register(&json!({"username": "ann", "password": ["canary-password"]})).await;
    assert!(!answer.to_string().contains("canary"), "{answer}");
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods_are_answered_in_json() {
    let service = service().await;
    let (status, answer, headers) = service.get("/api/v1/nothing").await;
    assert_eq!((status, code(&answer)), (StatusCode::NOT_FOUND, "NOT_FOUND"));
    assert_eq!(headers[header::CONTENT_TYPE], "application/json");
    let (status, answer, headers) = service.get("/api/v1/auth/login").await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(code(&answer), "INVALID_ARGUMENT");
    assert_eq!(headers[header::ALLOW], "POST");
    for path in ["/../Cargo.toml", "/%2e%2e/Cargo.toml", "/..%2fCargo.toml", "//etc/passwd"] {
        assert_eq!(service.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    let (status, _, headers) = service.get("/ws").await;
    assert_eq!(status, StatusCode::UPGRADE_REQUIRED);
    assert_eq!(headers[header::UPGRADE], "websocket");
}

#[tokio::test]
async fn the_page_has_the_right_types_and_is_asked_about_before_it_is_sent_again() {
    let service = service().await;
    let (status, _, headers) = service.get("/").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
    assert_eq!(headers[header::CACHE_CONTROL], "no-cache");
    let (_, _, script) = service.get("/app.js").await;
    assert_eq!(script[header::CONTENT_TYPE], "text/javascript; charset=utf-8");

    let again = Request::get("/").header(header::IF_NONE_MATCH, &headers[header::ETAG]);
    let response = service.router.clone().oneshot(again.body(Body::empty()).unwrap()).await;
    let response = response.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(response.headers()[header::ETAG], headers[header::ETAG]);
    assert!(to_bytes(response.into_body(), 1).await.unwrap().is_empty());

    let (status, answer) = service.post("/app.js", &json!({})).await;
    assert_eq!((status, code(&answer)), (StatusCode::METHOD_NOT_ALLOWED, "INVALID_ARGUMENT"));
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let service = service().await;
    for path in ["/", "/health/live", "/nothing", "/api/v1/auth/login"] {
        let (_, _, headers) = service.get(path).await;
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'self'; connect-src 'self' ws: wss:"), "{policy}");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        assert_eq!(headers[header::REFERRER_POLICY], "no-referrer", "{path}");
        assert!(headers.contains_key(header::CACHE_CONTROL), "{path}");
    }
}

#[tokio::test]
async fn readiness_names_the_driver_and_follows_drain() {
    let service = service().await;
    let (status, answer, _) = service.get("/health/ready").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["status"], "ready");
    assert_eq!((&answer["driver"], &answer["shards"]), (&json!("io_uring"), &json!(2)));
    assert_eq!(answer["database"], "sqlite");
    assert_eq!(service.get("/health/live").await.0, StatusCode::OK);
    service.state.begin_drain();
    let (status, answer, _) = service.get("/health/ready").await;
    assert_eq!((status, &answer["status"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("draining")));
}

#[tokio::test]
async fn a_drain_refuses_requests_with_a_code_and_ends_their_connections() {
    let service = service().await;
    let asks = [
        (Method::GET, "/health/live", StatusCode::OK),
        (Method::GET, "/health/ready", StatusCode::SERVICE_UNAVAILABLE),
        (Method::POST, "/api/v1/auth/login", StatusCode::SERVICE_UNAVAILABLE),
        (Method::GET, "/api/v1/account", StatusCode::SERVICE_UNAVAILABLE),
        (Method::GET, "/ws", StatusCode::SERVICE_UNAVAILABLE),
        (Method::GET, "/", StatusCode::SERVICE_UNAVAILABLE),
    ];
    let ask = async |method: &Method, path: &str| {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        service.send(request).await
    };
    let (status, _, headers) = ask(&Method::GET, "/").await;
    assert_eq!((status, headers.get(header::CONNECTION)), (StatusCode::OK, None));
    service.state.begin_drain();
    for (method, path, expected) in asks {
        let (status, answer, headers) = ask(&method, path).await;
        assert_eq!((status, headers[header::CONNECTION].as_bytes()), (expected, &b"close"[..]));
        if !path.starts_with("/health") {
            assert_eq!(code(&answer), "DRAINING", "{path}");
        }
    }
}

#[tokio::test]
async fn closed_registration_is_refused() {
    let service = service_with(&[("auth.registration", "false")]).await;
    let (status, answer) = service.register(&ann()).await;
    assert_eq!((status, code(&answer)), (StatusCode::FORBIDDEN, "FORBIDDEN"));
}

/// Asks for the metrics as somebody at this address, with one header more.
async fn metrics(service: &Service, peer: &str, extra: (&str, &str)) -> (StatusCode, String) {
    metrics_by(service, peer, Version::HTTP_11, extra).await
}

async fn metrics_by(
    service: &Service,
    peer: &str,
    version: Version,
    extra: (&str, &str),
) -> (StatusCode, String) {
    let request = Request::get("/metrics")
        .version(version)
        .header(extra.0, extra.1)
        .extension(Peer(peer.parse().unwrap()))
        .body(Body::empty())
        .unwrap();
    let response = service.router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

const NOTHING: (&str, &str) = ("accept", "*/*");

#[tokio::test]
async fn metrics_are_for_programs_nearby_unless_opened() {
    let local = service().await;
    for peer in ["127.0.0.1:5000", "[::1]:5000", "[::ffff:127.0.0.1]:5000"] {
        let (status, text) = metrics(&local, peer, NOTHING).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        assert!(
            text.contains("\nringwire_storage_retries_total{kind=\"collision\"} 0\n"),
            "{text}"
        );
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
    for header in [
        ("x-forwarded-for", "127.0.0.1"),
        ("X-Forwarded-Proto", "https"),
        ("x-forwarded-anything", ""),
        ("Forwarded", "for=127.0.0.1"),
        ("via", "1"),
        ("X-Real-IP", "127.0.0.1"),
        ("True-Client-IP", "127.0.0.1"),
        ("CF-Connecting-IP", "127.0.0.1"),
    ] {
        let (status, text) = metrics(&local, "127.0.0.1:5000", header).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "a proxy's request with {header:?}: {text}");
    }
    // As nginx passes a request on, unless told otherwise.
    let (status, text) = metrics_by(&local, "127.0.0.1:5000", Version::HTTP_10, NOTHING).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{text}");
    for peer in ["10.1.2.3:5000", "192.168.1.7:5000", "[fd00::7]:5000"] {
        assert_eq!(metrics(&local, peer, NOTHING).await.0, StatusCode::OK, "{peer}");
    }
    for peer in ["192.0.2.1:5000", "172.32.0.1:5000", "[2001:db8::1]:5000"] {
        let (status, text) = metrics(&local, peer, NOTHING).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{text}");
        assert!(text.contains("metrics.allow") && !text.contains("ringwire_storage"), "{text}");
    }
    // Without any knowledge of the peer: closed.
    assert_eq!(local.get("/metrics").await.0, StatusCode::FORBIDDEN);

    let all = service_with(&[("metrics.allow", "*")]).await;
    let (status, _) = metrics(&all, "192.0.2.1:5000", ("x-forwarded-for", "1.1.1.1")).await;
    assert_eq!(status, StatusCode::OK);
    let one = service_with(&[("metrics.allow", "192.0.2.1")]).await;
    assert_eq!(metrics(&one, "192.0.2.1:5000", NOTHING).await.0, StatusCode::OK);
    assert_eq!(metrics(&one, "127.0.0.1:5000", NOTHING).await.0, StatusCode::FORBIDDEN);
    let off = service_with(&[("metrics.allow", ",")]).await;
    assert_eq!(metrics(&off, "127.0.0.1:5000", NOTHING).await.0, StatusCode::NOT_FOUND);
}
