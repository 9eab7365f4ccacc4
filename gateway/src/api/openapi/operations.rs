//! The description of commands over HTTP, out of their table and the protocol's schema.

use std::collections::BTreeMap;

use ringwire_protocol::ErrorCode;
use serde_json::{Map, Value, json};

use super::REFUSAL;
use super::schemas::{WIRE, given, given_value, parameter, properties, reference};
use crate::api::commands::pages::{MAX_SKIPPED, USUAL_PAGE};
use crate::api::commands::table::{Fill, ROWS, Row, Shape};
use crate::limits;

/// Every operation of the table, as (path, method in small letters, operation).
pub(super) fn all() -> impl Iterator<Item = (&'static str, String, Value)> {
    ROWS.iter().map(|row| (row.path, row.method.as_str().to_ascii_lowercase(), operation(row)))
}

fn operation(row: &Row) -> Value {
    let command = &WIRE["commands"][row.op];
    let message = command["message"].as_str().unwrap_or_default();
    let mut fields = properties(message);
    let mut operation = json!({
        "tags": [tag(row.path)],
        "operationId": row.name,
        "summary": row.summary,
        "parameters": parameters(row, &mut fields),
        "responses": responses(row, command),
    });
    if let Some(note) = WIRE["schemas"][message]["description"].as_str() {
        operation["description"] = format!("The command `{}`. {note}", row.op).into();
    } else {
        operation["description"] = format!("The command `{}`.", row.op).into();
    }
    if !fields.is_empty() && !matches!(row.method.as_str(), "GET" | "DELETE") {
        operation["requestBody"] = body(row, &fields);
    }
    operation
}

/// By what a path is about, its operations are grouped.
fn tag(path: &str) -> &'static str {
    const ABOUT: [(&str, &str); 8] = [
        ("/messages", "messages"),
        ("/sync", "messages"),
        ("/hide", "messages"),
        ("/members", "members"),
        ("/bans", "members"),
        ("/requests", "members"),
        ("/mute", "members"),
        ("/conversations", "conversations"),
    ];
    let found = ABOUT.iter().find(|(part, _)| path.contains(part));
    match found {
        Some((_, tag)) => tag,
        None if path.contains("/sessions") => "logins",
        None if path.contains("/presence") => "presence",
        None => "contacts",
    }
}

/// Those of path, query and header; what they are is taken out of the fields of the body.
fn parameters(row: &Row, fields: &mut Map<String, Value>) -> Vec<Value> {
    let mut parameters = Vec::new();
    let described = |name: &str, place: &str, schema: Value, note: &Value| {
        let mut parameter =
            json!({"name": name, "in": place, "required": place == "path", "schema": schema});
        if let Some(note) = note.as_str() {
            parameter["description"] = note.into();
        }
        parameter
    };
    for fill in row.fills {
        match *fill {
            Fill::Path(name, field) => {
                let schema = fields.remove(field).unwrap_or_default();
                let mut place = parameter(name, &schema);
                // Nothing in a path is empty, and no thing that has a path has the number 0.
                if place["type"] == "string" {
                    place["minLength"] = 1.into();
                } else if place["minimum"] == 0 {
                    place["minimum"] = 1.into();
                }
                parameters.push(described(name, "path", place, &schema["description"]));
            }
            Fill::PathList(name, field) => {
                let schema = fields.remove(field).unwrap_or_default();
                let place = parameter(name, &schema["items"]);
                parameters.push(described(name, "path", place, &Value::Null));
            }
            Fill::Query("limit") => {
                fields.remove("limit");
                let most = limits::MAX_PAGE;
                let limit =
                    json!({"type": "integer", "minimum": 1, "maximum": most, "default": most});
                let note = "Elements at most.";
                parameters.push(described("limit", "query", limit, &note.into()));
            }
            Fill::Query(field) | Fill::QueryList(field) => {
                let schema = fields.remove(field).unwrap_or_default();
                let place = parameter(field, &schema);
                parameters.push(described(field, "query", place, &schema["description"]));
            }
            Fill::True(field) | Fill::Text(field, _) | Fill::Without(field) => {
                fields.remove(field);
            }
            Fill::Needed(_) => {}
            Fill::Pages => {
                let page = json!({"type": "integer", "minimum": 1, "maximum": u32::MAX});
                let note = format!(
                    "Instead of tokens and positions: the page, from 1 on. At most {MAX_SKIPPED} elements of a \
                     list may lie before it."
                );
                parameters.push(described("page", "query", page, &note.into()));
                let size = json!({
                    "type": "integer", "minimum": 1, "maximum": limits::MAX_PAGE, "default": USUAL_PAGE,
                });
                let note = "With `page`: elements of one.";
                parameters.push(described("per_page", "query", size, &note.into()));
            }
        }
    }
    if let Some(id) = fields.get("client_msg_id") {
        let mut schema = parameter("client_msg_id", id);
        schema["maxLength"] = ringwire_protocol::ids::MAX_CLIENT_ID_BYTES.into();
        let note =
            "The command's `client_msg_id`: repeated under it, a command is carried out once.";
        parameters.push(described("Idempotency-Key", "header", schema, &note.into()));
    }
    parameters
}

fn body(row: &Row, fields: &Map<String, Value>) -> Value {
    let needed: Vec<&str> = row.needed().collect();
    let given = fields.iter().map(|(name, schema)| {
        let is_needed = needed.contains(&name.as_str());
        (name.clone(), if is_needed { given_value(schema) } else { given(schema) })
    });
    let mut schema = json!({"type": "object", "properties": Value::Object(given.collect())});
    if !needed.is_empty() {
        schema["required"] = json!(needed);
    }
    json!({
        "required": !needed.is_empty(),
        "content": {"application/json": {"schema": schema}},
    })
}

fn responses(row: &Row, command: &Value) -> Value {
    let mut responses = Map::new();
    let reply = command["reply"].as_str().unwrap_or_default();
    let whole = |note: &str| json!({"description": note, "content": {"application/json": {"schema": reference(reply)}}});
    let part = |message: &str| {
        let schema = reference(message);
        json!({"description": "It.", "content": {"application/json": {"schema": schema}}})
    };
    match row.shape {
        Shape::Reply if reply == "Done" => {
            responses.insert("204".to_owned(), json!({"description": "Done."}));
        }
        Shape::Reply => {
            responses.insert("200".to_owned(), whole("Done, or told."));
            if reply == "SendAck" {
                let note = "It is so already, and no entry was made.";
                responses.insert("204".to_owned(), json!({"description": note}));
            }
        }
        Shape::Made => drop(responses.insert("201".to_owned(), whole("It is committed."))),
        Shape::Opened => {
            responses.insert("200".to_owned(), whole("It was there already."));
            responses.insert("201".to_owned(), whole("It was made by this request."));
        }
        Shape::Head => drop(responses.insert("200".to_owned(), part("Head"))),
        Shape::Entry => drop(responses.insert("200".to_owned(), part("Entry"))),
    }
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for name in command["errors"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if let Some(code) = ErrorCode::ALL.iter().find(|code| code.name() == name) {
            by_status.entry(code.http_status()).or_default().push(name);
        }
    }
    for (status, names) in by_status {
        let refusal = json!({"$ref": REFUSAL, "description": names.join(", ")});
        responses.insert(status.to_string(), refusal);
    }
    Value::Object(responses)
}
