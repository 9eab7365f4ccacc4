//! What a request says becomes the JSON of a command, which the codec of the sockets reads.

use axum::extract::{FromRequestParts as _, Query};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use ringwire_protocol::codec::{DecodeError, Encoding};
use ringwire_protocol::wire;
use serde_json::{Map, Value, json};
use wire::command::Op;

use super::invalid;
use super::table::{Fill, Row};
use crate::api::error::ApiError;

/// Names a request, so that a repeated one does nothing twice: `client_msg_id`, where the command has one.
pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const CLIENT_MSG_ID: &str = "client_msg_id";

/// The parameters of a query, in order.
pub(in crate::api) type Parameters = Vec<(String, String)>;

/// Reads the query.
pub(in crate::api) async fn query(parts: &mut Parts) -> Result<Parameters, ApiError> {
    let read = Query::<Parameters>::from_request_parts(parts, &()).await;
    Ok(read.map_err(|_| invalid("the query is not a list of parameters"))?.0)
}

/// Whether a body of this type is JSON.
pub(super) fn is_json(content_type: &HeaderValue) -> bool {
    let essence = content_type.to_str().unwrap_or("").split(';').next().unwrap_or("").trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// The one parameter of this name; more than one are a mistake.
pub(super) fn single<'q>(query: &'q Parameters, name: &str) -> Result<Option<&'q str>, ApiError> {
    let mut found = query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let first = found.next();
    if found.next().is_some() {
        return Err(invalid(format!("{name}: to be given once")));
    }
    Ok(first)
}

/// The command that a request gives.
pub(super) fn command(
    row: &Row,
    params: &[(&str, &str)],
    query: &Parameters,
    key: Option<&HeaderValue>,
    body: &[u8],
) -> Result<Op, ApiError> {
    let mut fields = object(body)?;
    let param = |name: &str| {
        let found = params.iter().find(|(key, _)| *key == name);
        found.map_or("", |(_, value)| *value)
    };
    for fill in row.fills {
        match *fill {
            Fill::Path(from, field) => set(&mut fields, field, param(from).into())?,
            Fill::PathList(from, field) => set(&mut fields, field, json!([param(from)]))?,
            Fill::Query(field) => {
                if let Some(value) = single(query, field)? {
                    set(&mut fields, field, value.into())?;
                }
            }
            Fill::QueryList(field) => {
                let given = query.iter().filter(|(key, _)| key == field);
                let values: Vec<&str> = given.flat_map(|(_, value)| value.split(',')).collect();
                if !values.is_empty() {
                    set(&mut fields, field, json!(values))?;
                }
            }
            Fill::True(field) => set(&mut fields, field, true.into())?,
            Fill::Text(field, value) => set(&mut fields, field, value.into())?,
            Fill::Needed(field) => {
                // Null is as good as nothing, and nothing would mean something else.
                let is_given = |name: &str| fields.get(name).is_some_and(|value| !value.is_null());
                if !is_given(field) && !is_given(&camel(field)) {
                    return Err(invalid(format!("{field} is missing")));
                }
            }
            Fill::Without(field) => refuse_given(&fields, field)?,
            Fill::Pages => {}
        }
    }
    if let Some(key) = key {
        let id = key.to_str().map_err(|_| invalid("Idempotency-Key: not text"))?;
        if fields.get(CLIENT_MSG_ID).is_some_and(|own| own != id) {
            return Err(invalid("client_msg_id and the header Idempotency-Key differ"));
        }
        // Where a command has no such field it is ignored: doing it twice is doing it once.
        fields.insert(CLIENT_MSG_ID.to_owned(), id.into());
    }
    decode(row, fields)
}

/// The body's object; none is an empty one.
fn object(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    // The parser's own words could quote what people say.
    let value = serde_json::from_slice(body).map_err(|_| invalid("the body is not JSON"))?;
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Err(invalid("the body is not a JSON object")),
    }
}

fn set(fields: &mut Map<String, Value>, field: &str, value: Value) -> Result<(), ApiError> {
    refuse_given(fields, field)?;
    fields.insert(field.to_owned(), value);
    Ok(())
}

fn refuse_given(fields: &Map<String, Value>, field: &str) -> Result<(), ApiError> {
    if fields.contains_key(field) || fields.contains_key(&camel(field)) {
        return Err(invalid(format!("{field}: the method and path say it, not the body")));
    }
    Ok(())
}

/// A field's other name in JSON, which decoders have to understand too.
fn camel(field: &str) -> String {
    let mut camel = String::with_capacity(field.len());
    let mut raise = false;
    for letter in field.chars() {
        if letter == '_' {
            raise = true;
        } else if raise {
            camel.extend(letter.to_uppercase());
            raise = false;
        } else {
            camel.push(letter);
        }
    }
    camel
}

fn decode(row: &Row, fields: Map<String, Value>) -> Result<Op, ApiError> {
    let mut command = Map::new();
    command.insert("id".to_owned(), 1.into());
    command.insert(row.op.to_owned(), Value::Object(fields));
    let line = Value::Object(command).to_string();
    let unreadable =
        || invalid("the request is not what this path expects; see the API description");
    let decoded = Encoding::Json.decode::<wire::Command>(line.as_bytes()).next();
    match decoded.ok_or_else(unreadable)? {
        Ok(command) => command.op.ok_or_else(unreadable),
        Err(DecodeError::WrongType { message, .. }) => Err(invalid(named_as_given(row, message))),
        Err(DecodeError::Malformed(_)) => Err(unreadable()),
    }
}

/// What the codec says of a field, under the name that the field has in the path.
fn named_as_given(row: &Row, message: String) -> String {
    let renamed = row.fills.iter().find_map(|fill| {
        let (name, field) = match *fill {
            Fill::Path(name, field) => (name, field.to_owned()),
            Fill::PathList(name, field) => (name, format!("{field}[0]")),
            _ => return None,
        };
        let rest = message.strip_prefix(&field).filter(|rest| rest.starts_with(':'))?;
        Some(format!("{name}{rest}"))
    });
    renamed.unwrap_or(message)
}
