//! The description of administration, out of its table.

use std::collections::BTreeSet;

use ringwire_protocol::ids::MAX_ID;
use ringwire_storage::operators::OperatorRole;
use serde_json::{Map, Value, json};
use utoipa::PartialSchema;

use super::access::MAX_PASSWORD_CHARS;
use super::people::{MAX_QUERY_CHARS, MAX_REASON_CHARS, MAX_TEXT_CHARS, MAX_USERS};
use super::server::MAX_FILTER_CHARS;
use super::{Least, ROUTES, Route, server, sessions, views};
use crate::auth::MAX_USERNAME_CHARS;

/// Every operation of the table, as (path, method in small letters, operation).
pub(in crate::api) fn all() -> impl Iterator<Item = (&'static str, String, Value)> {
    ROUTES
        .iter()
        .map(|route| (route.path, route.method.as_str().to_ascii_lowercase(), operation(route)))
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "tags": ["administration"],
        "operationId": route.name,
        "summary": route.summary,
        "parameters": parameters(route),
        "responses": {route.status.to_string(): success(route)},
    });
    match route.least {
        Least::Anybody => operation["security"] = json!([]),
        Least::Role(role) => {
            operation["security"] = json!([{"operator": []}]);
            operation["description"] =
                format!("For operators of the role {} or above.", role.name()).into();
        }
    }
    if !route.body.is_empty() {
        operation["requestBody"] = body(route);
    }
    operation
}

fn parameters(route: &Route) -> Vec<Value> {
    let places = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let path = places.map(|name| {
        let schema = match name {
            "user_id" | "conversation_id" => {
                json!({"type": "integer", "minimum": 1, "maximum": MAX_ID})
            }
            _ => json!({"type": "string", "minLength": 1}),
        };
        json!({"name": name, "in": "path", "required": true, "schema": schema})
    });
    let query = route.query.iter().map(|name| {
        let (schema, note) = match *name {
            "q" => (
                json!({"type": "string", "maxLength": MAX_QUERY_CHARS}),
                "The beginning of a user name, an id, or a whole e-mail address.",
            ),
            "user_id" => {
                (json!({"type": "integer", "minimum": 1, "maximum": MAX_ID}), "Of this user alone.")
            }
            _ => (json!({"type": "string"}), "`next_page_token` of the page before."),
        };
        json!({"name": name, "in": "query", "required": false, "schema": schema, "description": note})
    });
    path.chain(query).collect()
}

fn success(route: &Route) -> Value {
    let content = match route.status {
        200 if route.path.ends_with("/stream") => {
            // What a stream of events is made of no schema of this version says.
            json!({"text/event-stream": {}})
        }
        200 => json!({"application/json": {"schema": answer(route.name)}}),
        _ => return json!({"description": "It is done, or will be."}),
    };
    json!({"description": "What was asked for.", "content": content})
}

/// What the answer is made of.
fn answer(name: &str) -> Value {
    match name {
        "admin_login" => object(&json!({
            "operator": operator(),
            "token": {"type": "string", "description": "For `Authorization: Bearer`."},
            "expires_at": moment("When it is good no longer."),
        })),
        "admin_me" => operator(),
        "admin_operators" => object(&json!({"operators": {"type": "array", "items": operator()}})),
        "admin_log" | "admin_change_log" => object(&json!({"filter": {
            "type": ["string", "null"],
            "description": "The directives by which this node logs now.",
        }})),
        "admin_audit" => object(&json!({
            "rows": {"type": "array", "items": audit_row()},
            "next_page_token": {"type": "string", "description": "Empty: this was the last page."},
        })),
        "admin_stats" => of::<server::Told>(),
        "admin_sessions" => of::<sessions::Sessions>(),
        "admin_users" => of::<views::UsersPage>(),
        "admin_user" => of::<views::WholeUser>(),
        "admin_conversation" => of::<views::ConversationView>(),
        // A test asks each operation what its answer holds.
        _ => json!({"type": "object"}),
    }
}

/// What an answer says of itself; it always serializes.
fn of<T: PartialSchema>() -> Value {
    serde_json::to_value(T::schema()).unwrap_or_default()
}

/// An object that has all of these.
fn object(properties: &Value) -> Value {
    let names: Vec<&String> = properties.as_object().into_iter().flat_map(Map::keys).collect();
    json!({"type": "object", "properties": properties, "required": names})
}

fn moment(note: &str) -> Value {
    json!({"type": "string", "pattern": "^[0-9]+$", "description": format!("{note} Unix milliseconds.")})
}

fn operator() -> Value {
    let roles = OperatorRole::ALL.map(OperatorRole::name);
    object(&json!({
        "name": {"type": "string"},
        "role": {"type": "string", "enum": roles},
        "created_at": moment("Since when."),
        "disabled": {"type": "boolean", "description": "They may not log in."},
    }))
}

fn audit_row() -> Value {
    let actions: BTreeSet<&str> = ROUTES.iter().map(|route| route.action).collect();
    let actions = Vec::from_iter(actions).join("`, `");
    let action = format!(
        "`{actions}`; at the console `operator.create`, `operator.disable`, `operator.reset_password`, \
         `user.reset_password`; and `user.delete`."
    );
    let outcome = "`tried`: it was to be done, and the node ended before it said more.";
    let detail = "What was given and found: `reason`, `until`, `text`, `filter`, `q`, `user_id`; of a broadcast up to \
        100 of its `user_ids` and how many `users` there were; `left_out`: looks and refusals before this one that \
        made no row.";
    object(&json!({
        "id": {"type": "string"},
        "at": moment("When."),
        "operator": {"type": ["string", "null"], "description": "Who; null: nobody who is logged in."},
        "actor_id": {"type": ["string", "null"], "description": "The user who did it."},
        "action": {"type": "string", "description": action},
        "target": {"type": "string", "description": "To what, as `user:7`."},
        "outcome": {"type": "string", "enum": ["tried", "done", "refused"], "description": outcome},
        "code": {"type": ["string", "null"], "description": "Why it was refused, as `error.name`."},
        "detail": {"type": "object", "description": detail},
    }))
}

fn body(route: &Route) -> Value {
    let properties: Map<String, Value> =
        route.body.iter().map(|field| (field.name.to_owned(), (field.schema)())).collect();
    let required: Vec<&str> =
        route.body.iter().filter(|field| field.required).map(|field| field.name).collect();
    let schema = json!({"type": "object", "properties": properties, "required": required});
    json!({"required": true, "content": {"application/json": {"schema": schema}}})
}

fn text(least: usize, most: usize, note: &str) -> Value {
    json!({"type": "string", "minLength": least, "maxLength": most, "description": note})
}

pub(super) fn operator_name() -> Value {
    text(1, MAX_USERNAME_CHARS, "Of the operator; letters of either case are the same.")
}

pub(super) fn password() -> Value {
    let note = "As `ringwire operator create` printed it. Wrong ones cost time, see the README.";
    let mut password = text(1, MAX_PASSWORD_CHARS, note);
    password["format"] = "password".into();
    password
}

pub(super) fn filter() -> Value {
    text(1, MAX_FILTER_CHARS, "Directives such as `info,ringwire_gateway=debug`, for this node.")
}

pub(super) fn reason() -> Value {
    text(0, MAX_REASON_CHARS, "For operators; the user is not told. No control characters.")
}

pub(super) fn seconds() -> Value {
    let note = "How long; left out or 0: for good.";
    json!({"type": "integer", "minimum": 0, "maximum": u32::MAX, "default": 0, "description": note})
}

pub(super) fn notice() -> Value {
    let note =
        "What the sessions are shown, as plain text; not blank. Whoever is not there misses it.";
    let mut notice = text(1, MAX_TEXT_CHARS, note);
    notice["pattern"] = "\\S".into();
    notice
}

pub(super) fn user_ids() -> Value {
    let note = "To whom; left out: to everybody.";
    json!({
        "type": "array",
        "items": {"type": "string", "pattern": "^[1-9][0-9]{0,15}$"},
        "minItems": 1,
        "maxItems": MAX_USERS,
        "description": note,
    })
}
