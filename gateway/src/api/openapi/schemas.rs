//! Schemas of the wire protocol's messages, as answers show them and as requests may give them.
//!
//! An answer writes 64-bit numbers as strings; a request may write them either way, so messages of which some hold such
//! numbers have a second schema, `…Input`, for requests.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use ringwire_protocol::SCHEMA_JSON;
use serde_json::{Map, Value, json};

/// What references begin with.
pub(super) const COMPONENTS: &str = "#/components/schemas/";
/// What the schema of a request has behind the name of the message.
const INPUT: &str = "Input";

/// The generated description of the schema.
pub(super) static WIRE: LazyLock<Value> = LazyLock::new(|| {
    // Written by `cargo xtask codegen`, whose result a test reads.
    serde_json::from_str(SCHEMA_JSON).unwrap_or_default()
});

/// The properties of a message.
pub(super) fn properties(message: &str) -> Map<String, Value> {
    let properties = &WIRE["schemas"][message]["properties"];
    properties.as_object().cloned().unwrap_or_default()
}

/// A reference to a message's schema.
pub(super) fn reference(message: &str) -> Value {
    json!({"$ref": format!("{COMPONENTS}{message}")})
}

/// The schema of a field as a request gives it in its body.
pub(super) fn given(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) if is_number_in_text(fields) => {
            let mut fields = fields.clone();
            fields.insert("type".to_owned(), json!(["string", "integer"]));
            if !is_signed(&fields) {
                fields.insert("minimum".to_owned(), 0.into());
            }
            Value::Object(fields)
        }
        Value::Object(fields) => {
            let given = fields.iter().map(|(key, value)| match value {
                Value::String(target) if key == "$ref" => (key.clone(), given_reference(target)),
                value => (key.clone(), given(value)),
            });
            Value::Object(given.collect())
        }
        Value::Array(values) => values.iter().map(given).collect(),
        other => other.clone(),
    }
}

/// The schema of a field as a parameter of a path or query: a number is one there.
pub(super) fn parameter(name: &str, schema: &Value) -> Value {
    match schema {
        Value::Object(fields) if is_number_in_text(fields) => {
            let is_id = name.ends_with("_id") || name.ends_with("_ids");
            let mut number = json!({"type": "integer", "minimum": 0, "maximum": u64::MAX});
            if is_id {
                number["minimum"] = 1.into();
                number["maximum"] = ((1_u64 << 53) - 1).into();
            } else if is_signed(fields) {
                number["minimum"] = i64::MIN.into();
                number["maximum"] = i64::MAX.into();
            }
            number
        }
        Value::Object(fields) => {
            let inner = fields.iter().filter(|(key, _)| *key != "description");
            inner.map(|(key, value)| (key.clone(), parameter(name, value))).collect()
        }
        other => other.clone(),
    }
}

/// The schemas that these name, directly or through others, out of those of the protocol.
pub(super) fn reachable(from: &Value) -> Map<String, Value> {
    let mut found = Map::new();
    let mut waiting = names(from);
    while let Some(name) = waiting.pop_first() {
        if found.contains_key(&name) {
            continue;
        }
        let schema = match (&WIRE["schemas"][&name], name.strip_suffix(INPUT)) {
            (Value::Null, Some(message)) => given(&WIRE["schemas"][message]),
            (schema, _) => schema.clone(),
        };
        if !schema.is_null() {
            waiting.extend(names(&schema));
            found.insert(name, schema);
        }
    }
    found
}

fn names(value: &Value) -> BTreeSet<String> {
    match value {
        Value::String(text) => {
            text.strip_prefix(COMPONENTS).map(str::to_owned).into_iter().collect()
        }
        Value::Array(values) => values.iter().flat_map(names).collect(),
        Value::Object(fields) => fields.values().flat_map(names).collect(),
        _ => BTreeSet::new(),
    }
}

fn given_reference(target: &str) -> Value {
    let message = target.strip_prefix(COMPONENTS).unwrap_or_default();
    let schemas = reachable(&json!({"$ref": target}));
    let differs = schemas.values().any(holds_number_in_text);
    if differs { format!("{COMPONENTS}{message}{INPUT}").into() } else { target.into() }
}

fn holds_number_in_text(value: &Value) -> bool {
    match value {
        Value::Object(fields) => {
            is_number_in_text(fields) || fields.values().any(holds_number_in_text)
        }
        Value::Array(values) => values.iter().any(holds_number_in_text),
        _ => false,
    }
}

fn is_number_in_text(schema: &Map<String, Value>) -> bool {
    let pattern = schema.get("pattern").and_then(Value::as_str);
    pattern.is_some_and(|pattern| pattern.ends_with("[0-9]{1,20}$") || is_signed_pattern(pattern))
}

fn is_signed(schema: &Map<String, Value>) -> bool {
    schema.get("pattern").and_then(Value::as_str).is_some_and(is_signed_pattern)
}

fn is_signed_pattern(pattern: &str) -> bool {
    pattern.starts_with("^-?[0-9]")
}

/// Messages of the protocol, for the descriptions of other handlers: `#[schema(value_type = wire_types::User)]`.
pub(in crate::api) mod wire_types {
    use utoipa::openapi::RefOr;
    use utoipa::openapi::schema::Schema;
    use utoipa::{PartialSchema, ToSchema};

    macro_rules! wire_types {
        ($($name:ident),+) => {
            $(
                /// The message of this name; its schema comes from the protocol's own.
                pub(in crate::api) struct $name;

                impl PartialSchema for $name {
                    fn schema() -> RefOr<Schema> {
                        RefOr::default()
                    }
                }

                impl ToSchema for $name {}
            )+

            /// All of them.
            #[cfg(test)]
            pub(in crate::api) const ALL: &[&str] = &[$(stringify!($name)),+];
        };
    }

    wire_types!(Entry, PresencePush, User);
}
