//! `GET /api/openapi.json`: what this API offers, as OpenAPI 3.1; and `/api/docs`, a page that shows it.
//!
//! ```text
//!   handlers ─ #[utoipa::path] ─┐
//!   table of commands ──────────┼─► document, made once ─► JSON ─► the page (`web/docs/`), testers, generators of clients
//!   schema of the protocol ─────┘
//! ```
//!
//! Invariants: every route is in it; whatever is refused has the one shape that is described once; what it names it holds.

mod operations;
mod schemas;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use ringwire_protocol::ErrorCode;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) use schemas::wire_types;

use super::{ServiceState, admin, page};

/// Where every refusal is described.
pub(super) const REFUSAL: &str = "#/components/responses/Refusal";

/// What operations are about, in the order in which a reader wants to know.
const TAGS: [(&str, &str); 11] = [
    ("logins", "Accounts begin, tokens are given and taken back."),
    ("account", "The caller's own account."),
    ("contacts", "Whom the caller knows, and does not want to hear from."),
    ("conversations", "Direct conversations, groups and rooms."),
    ("members", "Who takes part, in which role."),
    ("messages", "The log of a conversation: what is said, and what happens to it."),
    ("files", "What messages carry along."),
    ("presence", "Who is there."),
    ("push", "What reaches those who are not there."),
    ("operation", "For those who run the server."),
    ("administration", "For operators; nothing of it exists before there is one."),
];

static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| document().to_string().into());

pub(super) fn routes() -> OpenApiRouter<ServiceState> {
    OpenApiRouter::new().routes(routes!(openapi)).routes(routes!(docs))
}

/// This description.
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    tag = "operation",
    security(()),
    responses((status = 200, description = "OpenAPI 3.1.", body = Object)),
)]
async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.clone()).into_response()
}

/// A page that shows this description, and lets requests be tried.
#[utoipa::path(
    get,
    path = "/api/docs",
    tag = "operation",
    security(()),
    responses((status = 200, description = "The page.", body = String, content_type = "text/html")),
)]
async fn docs() -> Response {
    page::named("docs/index.html")
}

/// The whole description.
fn document() -> Value {
    let described = super::routes().into_openapi();
    // What handlers say of themselves always serializes.
    let mut document = serde_json::to_value(described).unwrap_or_default();
    document["info"] = info();
    document["servers"] = json!([{"url": "/", "description": "This server."}]);
    document["security"] = json!([{"token": []}]);
    document["tags"] = TAGS
        .iter()
        .map(|(name, description)| json!({"name": name, "description": description}))
        .collect();
    for (path, method, operation) in operations::all().chain(admin::describe::all()) {
        document["paths"][path][method] = operation;
    }
    for operation in operations_of(&mut document) {
        operation["responses"]["default"] = json!({"$ref": REFUSAL});
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        parameters
            .into_iter()
            .flatten()
            .for_each(|parameter| without_null(&mut parameter["schema"]));
    }
    let components = &mut document["components"];
    components["securitySchemes"]["token"] = json!({
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": "From register, login or refresh, or of an issuer this server trusts.",
    });
    components["securitySchemes"]["operator"] = json!({
        "type": "http", "scheme": "bearer", "description": "From the login of an operator.",
    });
    components["responses"]["Refusal"] = json!({
        "description": "The request was refused, or failed; the body says why.",
        "headers": {"Retry-After": {
            "description": "Seconds to wait before trying again, where that may help.",
            "schema": {"type": "integer", "minimum": 1},
        }},
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
    });
    components["schemas"]["Refusal"] = refusal();
    let named = schemas::reachable(&document);
    for (name, schema) in named {
        document["components"]["schemas"][name] = schema;
    }
    document
}

/// What need not be given says so by `required`; nothing in a path, query or header can be null.
fn without_null(schema: &mut Value) {
    let Some(kind) = schema.get_mut("type") else { return };
    if let Value::Array(types) = kind {
        types.retain(|one| one != "null");
        if let [one] = &mut types[..] {
            *kind = one.take();
        }
    }
}

/// The operations of all paths.
fn operations_of(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    paths.filter_map(Value::as_object_mut).flat_map(|path| path.values_mut())
}

fn info() -> Value {
    json!({
        "title": "Ringwire",
        "version": env!("CARGO_PKG_VERSION"),
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        "description": "What a conversation can do over a WebSocket it can do here, by the same rules. Answers write \
                        64-bit numbers as strings and leave out fields that are zero, empty or false; requests may \
                        write numbers either way. Times are Unix milliseconds. Every refusal has the shape `Refusal`.",
    })
}

/// The one shape of refusals, with every code there is.
fn refusal() -> Value {
    let mut codes = String::from("The codes, with the statuses they come with:\n\n");
    for code in ErrorCode::ALL {
        // Writing to a string cannot fail.
        let (number, status) = (*code as u32, code.http_status());
        let _ =
            writeln!(codes, "- `{}` ({number}, HTTP {status}): {}", code.name(), code.meaning());
    }
    let names: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.name()).collect();
    let numbers: Vec<u32> = ErrorCode::ALL.iter().map(|code| *code as u32).collect();
    json!({
        "type": "object",
        "required": ["error"],
        "properties": {"error": {
            "type": "object",
            "required": ["code", "name", "message", "temporary", "retry_after_ms"],
            "description": codes,
            "properties": {
                "code": {"type": "integer", "enum": numbers},
                "name": {"type": "string", "enum": names},
                "message": {"type": "string", "description": "One sentence for the developer; the field first, where one is wrong."},
                "temporary": {"type": "boolean", "description": "The same request may succeed later."},
                "retry_after_ms": {"type": "integer", "minimum": 0, "description": "How long to wait before; 0: the client's own back-off."},
            },
        }},
    })
}
