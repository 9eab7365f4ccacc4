//! Administration as operators meet it: every route by every role.

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use ringwire_storage::audit::AuditFilter;
use ringwire_storage::operators::OperatorRole;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{Least, ROUTES};
use crate::api::hash_password;
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
    let (rows, _) = service.store.audit_page(AuditFilter::default(), None, 100).await.unwrap();
    let refused: Vec<_> = rows.iter().map(|row| &*row.entry.target).collect();
    assert_eq!(refused[0], "operator:?");
    assert!(refused[1..].iter().all(|target| *target == "operator:Root"), "{refused:?}");
    assert!(rows.iter().all(|row| row.entry.action == "operator.login_refused"));
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
