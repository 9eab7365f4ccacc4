//! Administration as operators meet it: every route by every role.

use std::sync::atomic::Ordering;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use ringwire_storage::audit::{AuditFilter, AuditOutcome, AuditRow};
use ringwire_storage::operators::OperatorRole;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{Least, ROUTES};
use crate::api::hash_password;
use crate::api::metrics::Peer;
use crate::api::tests::{Service, service};
use crate::cli::unix_now_ms;

const PASSWORD: &str = "a phrase of the operator";

async fn ask(
    service: &Service,
    method: &Method,
    path: &str,
    token: Option<&str>,
    body: &Value,
) -> (StatusCode, Value) {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Body::from(body.to_string())).unwrap();
    let response = service.router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    if response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream")
    {
        // It never ends.
        return (status, Value::Null);
    }
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

async fn make(service: &Service, name: &str, role: OperatorRole) {
    let hash = hash_password(PASSWORD).unwrap();
    assert!(service.store.create_operator(name, &hash, role, unix_now_ms()).await.unwrap());
}

async fn login(service: &Service, name: &str, password: &str) -> (StatusCode, Value) {
    let body = json!({"name": name, "password": password});
    ask(service, &Method::POST, "/api/v1/admin/login", None, &body).await
}

/// The same from an address.
async fn login_from(service: &Service, address: &str, name: &str, password: &str) -> StatusCode {
    let body = json!({"name": name, "password": password});
    let request = Request::post("/api/v1/admin/login")
        .header(header::CONTENT_TYPE, "application/json")
        .extension(Peer(address.parse().unwrap()))
        .body(Body::from(body.to_string()))
        .unwrap();
    service.router.clone().oneshot(request).await.unwrap().status()
}

/// The audit log, newest first.
async fn audit(service: &Service) -> Vec<AuditRow> {
    service.store.audit_page(AuditFilter::default(), None, 1000).await.unwrap().0
}

/// Action, target and code of the refusal of a row; no code: it was done.
fn told(row: &AuditRow) -> (&str, &str, &str) {
    let code = match &row.entry.outcome {
        AuditOutcome::Done => "",
        AuditOutcome::Refused(code) => code,
        AuditOutcome::Tried => "tried",
    };
    (&row.entry.action, &row.entry.target, code)
}

async fn token(service: &Service, name: &str) -> String {
    let (status, answer) = login(service, name, PASSWORD).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer["token"].as_str().unwrap().to_owned()
}

/// A path of a route, with something in its places.
fn filled(path: &str) -> String {
    path.replace("{user_id}", "1")
        .replace("{session_id}", "a-0-0-1")
        .replace("{conversation_id}", "1")
}

#[tokio::test]
async fn without_an_operator_nothing_of_administration_exists() {
    let service = service().await;
    for route in ROUTES {
        let path = filled(route.path);
        let (status, answer) = ask(&service, &route.method, &path, None, &json!({})).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{} {path}: {answer}", route.method);
        assert_eq!(answer["error"]["name"], "NOT_FOUND", "{path}");
    }
    for path in ["/admin", "/admin/", "/admin/index.html", "/admin/app.js", "//admin/app.js"] {
        let (status, _) = ask(&service, &Method::GET, path, None, &Value::Null).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
    make(&service, "root", OperatorRole::Viewer).await;
    let (status, _) = ask(&service, &Method::GET, "/api/v1/admin/me", None, &json!({})).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(service.store.disable_operator("root", unix_now_ms()).await.unwrap());
}

#[tokio::test]
async fn every_route_is_for_the_roles_of_the_table_and_no_others() {
    let service = service().await;
    let mut tokens = Vec::new();
    for role in OperatorRole::ALL {
        make(&service, role.name(), role).await;
        tokens.push((role, token(&service, role.name()).await));
    }
    let account = json!({"username": "ann", "password": "correct horse"});
    let (status, registered) =
        ask(&service, &Method::POST, "/api/v1/auth/register", None, &account).await;
    assert_eq!(status, StatusCode::CREATED);
    let user = registered["token"].as_str().unwrap().to_owned();
    for route in ROUTES {
        let Least::Role(least) = route.least else { continue };
        // It would end the login of the others' tests.
        if route.path.ends_with("/logout") {
            continue;
        }
        let path = filled(route.path);
        for nobody in [None, Some("rwop_nonsense"), Some("x"), Some(&*user)] {
            let (status, _) = ask(&service, &route.method, &path, nobody, &json!({})).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{} {path} by {nobody:?}", route.method);
        }
        for (role, token) in &tokens {
            let (status, answer) =
                ask(&service, &route.method, &path, Some(token), &json!({})).await;
            let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
            assert_eq!(refused, *role < least, "{} {path} by {role:?}: {answer}", route.method);
            assert!(!status.is_server_error(), "{} {path}: {answer}", route.method);
            // The one that drains would have those after it refused.
            service.state.0.draining.store(false, Ordering::Relaxed);
        }
    }
    // Nor is an operator a user.
    let (status, _) =
        ask(&service, &Method::GET, "/api/v1/account/export", Some(&tokens[2].1), &json!({})).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, _) =
        ask(&service, &Method::POST, "/api/v1/admin/stats", Some(&tokens[2].1), &json!({})).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn guessing_costs_time_and_is_remembered_without_what_was_typed() {
    let service = service().await;
    make(&service, "root", OperatorRole::Admin).await;
    for _ in 0..5 {
        let (status, answer) = login(&service, "Root", "wrong").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{answer}");
        assert_eq!(answer["error"]["name"], "INVALID_CREDENTIALS");
    }
    let (status, answer) = login(&service, "root", PASSWORD).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "also with the right one: {answer}");
    assert!(answer["error"]["retry_after_ms"].as_u64().unwrap() > 0);
    let (status, _) = login(&service, "a password in the wrong field", "x").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, _) = login(&service, "nobody", &"x".repeat(1025)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "that is no password");
    let rows = audit(&service).await;
    let refused: Vec<_> = rows.iter().map(told).collect();
    let wrong = |name| ("operator.login", name, "INVALID_CREDENTIALS");
    let waits = ("operator.login", "operator:root", "RATE_LIMITED");
    assert_eq!(refused[..2], [wrong("operator:?"), waits]);
    assert_eq!(refused[2..], [wrong("operator:Root"); 5]);
}

#[tokio::test]
async fn a_stranger_who_guesses_keeps_no_operator_out() {
    let service = service().await;
    make(&service, "root", OperatorRole::Admin).await;
    let stranger = "203.0.113.9:1234";
    for _ in 0..5 {
        let status = login_from(&service, stranger, "root", "wrong").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    for _ in 0..10 {
        let status = login_from(&service, stranger, "root", PASSWORD).await;
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "also with the right one");
    }
    let status = login_from(&service, "203.0.113.9:999", "ann", "wrong").await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "the address waits, whatever it tries");
    let status = login_from(&service, "198.51.100.7:1234", "root", PASSWORD).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(audit(&service).await.len(), 5 + 2 + 1, "the same refusal makes one row a minute");
}

#[tokio::test]
async fn what_operators_do_look_at_and_are_refused_is_in_the_log_with_its_outcome() {
    let service = service().await;
    make(&service, "root", OperatorRole::Admin).await;
    make(&service, "eve", OperatorRole::Viewer).await;
    let (root, eve) = (token(&service, "root").await, token(&service, "eve").await);
    for name in ["ann", "ben"] {
        let account = json!({"username": name, "password": "correct horse"});
        let path = "/api/v1/auth/register";
        assert_eq!(ask(&service, &Method::POST, path, None, &account).await.0, StatusCode::CREATED);
    }
    let before = audit(&service).await.len();
    let many: Vec<String> = (1..=150).map(|id: u32| (id % 2 + 1).to_string()).collect();
    let long = "x".repeat(600);
    for (token, method, path, body, expected) in [
        (&eve, Method::GET, "users?q=an&page_token=ann", json!({}), 200),
        (&eve, Method::GET, "users/1", json!({}), 200),
        (&eve, Method::GET, "users/0001", json!({}), 200),
        (&eve, Method::GET, "users/99", json!({}), 404),
        (&eve, Method::PUT, "users/1/ban", json!({}), 403),
        (&eve, Method::GET, "audit", json!({}), 403),
        (&root, Method::GET, "users/1", json!({}), 200),
        (&root, Method::PUT, "users/1/ban", json!({"reason": long}), 400),
        (&root, Method::PUT, "users/1/ban", json!({"reason": "spam"}), 204),
        (&root, Method::DELETE, "users/2/ban", json!({}), 404),
        (&root, Method::DELETE, "sessions/a-0-0-1", json!({}), 404),
        (&root, Method::DELETE, "sessions/%0a", json!({}), 404),
        (&root, Method::POST, "broadcast", json!({"text": "hi", "user_ids": many}), 202),
        (&root, Method::POST, "broadcast", json!({"text": "hi"}), 202),
        (&root, Method::POST, "logout", json!({}), 204),
        // Nobody's.
        (&root, Method::GET, "users/1", json!({}), 401),
    ] {
        let path = format!("/api/v1/admin/{path}");
        let (status, answer) = ask(&service, &method, &path, Some(token), &body).await;
        assert_eq!(status.as_u16(), expected, "{method} {path}: {answer}");
    }
    let mut rows = audit(&service).await;
    rows.truncate(rows.len() - before);
    rows.reverse();
    let expected = [
        ("users.look", "users", ""),
        // The same again says nothing new.
        ("user.look", "user:1", ""),
        ("user.look", "user:99", "USER_NOT_FOUND"),
        ("user.ban", "user:1", "FORBIDDEN"),
        ("audit.look", "audit", "FORBIDDEN"),
        ("user.look", "user:1", ""),
        ("user.ban", "user:1", "INVALID_ARGUMENT"),
        ("user.ban", "user:1", ""),
        ("user.unban", "user:2", "NOT_FOUND"),
        ("session.end", "session:a-0-0-1", "NOT_FOUND"),
        ("session.end", "session:?", "NOT_FOUND"),
        ("broadcast.send", "broadcast", ""),
        ("broadcast.send", "broadcast", ""),
        ("operator.logout", "operator:root", ""),
    ];
    assert_eq!(rows.iter().map(told).collect::<Vec<_>>(), expected);
    let detail = |row: usize| -> Value { serde_json::from_str(&rows[row].entry.detail).unwrap() };
    assert_eq!(detail(0), json!({"q": "an"}));
    assert_eq!(detail(7)["reason"], "spam");
    assert_eq!(detail(11)["users"], 150);
    assert_eq!(detail(11)["user_ids"], json!(many[..100]));
    assert_eq!(detail(12), json!({"text": "hi"}));
}

#[tokio::test]
async fn a_login_ends_with_a_logout_and_with_the_operator() {
    let service = service().await;
    make(&service, "root", OperatorRole::Admin).await;
    let (first, second) = (token(&service, "root").await, token(&service, "ROOT").await);
    let me = async |token: &str| {
        ask(&service, &Method::GET, "/api/v1/admin/me", Some(token), &json!({})).await
    };
    let (status, answer) = me(&first).await;
    assert_eq!((status, &answer["role"]), (StatusCode::OK, &json!("admin")));
    let (status, _) =
        ask(&service, &Method::POST, "/api/v1/admin/logout", Some(&first), &json!({})).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(me(&first).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(me(&second).await.0, StatusCode::OK);
    assert!(service.store.disable_operator("root", unix_now_ms()).await.unwrap());
    assert_eq!(me(&second).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn wrong_requests_are_named() {
    let service = service().await;
    make(&service, "root", OperatorRole::Admin).await;
    let token = token(&service, "root").await;
    let long = "x".repeat(2001);
    for (method, path, body, field) in [
        (Method::PUT, "/api/v1/admin/log", json!({"filter": "info,=x="}), "filter"),
        (Method::PUT, "/api/v1/admin/log", json!({"filter": ""}), "filter"),
        (Method::POST, "/api/v1/admin/broadcast", json!({"text": " "}), "text"),
        (Method::POST, "/api/v1/admin/broadcast", json!({"text": long}), "text"),
        (
            Method::POST,
            "/api/v1/admin/broadcast",
            json!({"text": "x", "user_ids": ["0"]}),
            "user_id",
        ),
        (Method::POST, "/api/v1/admin/broadcast", json!({"text": "x", "user_ids": []}), "user_ids"),
        (Method::PUT, "/api/v1/admin/users/1/ban", json!({"reason": long}), "reason"),
        (Method::GET, "/api/v1/admin/users/x", json!({}), "user_id"),
        (Method::GET, "/api/v1/admin/conversations/0", json!({}), "conversation_id"),
        (Method::GET, "/api/v1/admin/audit?page_token=x", json!({}), "page_token"),
        (Method::GET, "/api/v1/admin/sessions?page_token=x", json!({}), "page_token"),
    ] {
        let (status, answer) = ask(&service, &method, path, Some(&token), &body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("{field}:")), "{path}: {message}");
    }
    for path in ["/api/v1/admin/users/99", "/api/v1/admin/conversations/99"] {
        let (status, _) = ask(&service, &Method::GET, path, Some(&token), &json!({})).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[test]
fn the_table_says_what_may_be_given_and_names_every_action() {
    let mut actions = std::collections::BTreeSet::new();
    for route in ROUTES {
        let (thing, verb) = route.action.split_once('.').unwrap();
        assert!(!thing.is_empty() && !verb.is_empty(), "{}", route.name);
        assert!(actions.insert(route.action), "{} is what another route does", route.name);
        if route.least == Least::Anybody {
            assert_eq!(route.action, super::trail::LOGIN);
        }
        for field in route.body {
            let schema = (field.schema)();
            let place = format!("{} {}", route.name, field.name);
            assert!(schema["description"].is_string(), "{place}");
            let bounds = ["maxLength", "maximum", "maxItems"];
            assert!(bounds.iter().any(|bound| schema[bound].is_u64()), "{place}");
        }
    }
}
