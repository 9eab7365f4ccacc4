//! The description of administration, out of its table.

use ringwire_protocol::ids::MAX_ID;
use serde_json::{Value, json};

use super::{Field, Kind, Least, ROUTES, Route};

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
        json!({"name": name, "in": "query", "required": false, "schema": {"type": "string"}})
    });
    path.chain(query).collect()
}

fn success(route: &Route) -> Value {
    let content = match route.status {
        200 if route.path.ends_with("/stream") => {
            // What a stream of events is made of no schema of this version says.
            json!({"text/event-stream": {}})
        }
        200 => json!({"application/json": {"schema": {"type": "object"}}}),
        _ => return json!({"description": "It is done, or will be."}),
    };
    json!({"description": "What was asked for.", "content": content})
}

fn body(route: &Route) -> Value {
    let schema = |field: &Field| match field.kind {
        Kind::Text => json!({"type": "string"}),
        Kind::Number => json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
        Kind::Texts => json!({"type": "array", "items": {"type": "string"}}),
    };
    let properties: serde_json::Map<String, Value> =
        route.body.iter().map(|field| (field.name.to_owned(), schema(field))).collect();
    let required: Vec<&str> =
        route.body.iter().filter(|field| field.required).map(|field| field.name).collect();
    let schema = json!({"type": "object", "properties": properties, "required": required});
    json!({"required": true, "content": {"application/json": {"schema": schema}}})
}
