//! Schemas of the wire protocol's messages, as answers show them and as requests may give them.
//!
//! An answer writes 64-bit numbers as strings and enumerations by name, and has no null. A request may write any number
//! either way, an enumeration as its number, and null for what it leaves out, as proto JSON has it; so what requests hold
//! has a second schema, `…Input`.

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

/// The schema of a field as a request gives it in its body; null is as good as nothing.
pub(super) fn given(schema: &Value) -> Value {
    let mut schema = given_value(schema);
    match schema.get_mut("type") {
        Some(Value::Array(types)) => types.push("null".into()),
        Some(one) => *one = json!([one.take(), "null"]),
        None => {
            let note = schema.as_object_mut().and_then(|fields| fields.remove("description"));
            schema = json!({"anyOf": [schema, {"type": "null"}]});
            if let Some(note) = note {
                schema["description"] = note;
            }
        }
    }
    schema
}

/// The same of what cannot be null: a field that is needed, an element of a list, a value of a map.
pub(super) fn given_value(schema: &Value) -> Value {
    let mut schema = schema.clone();
    let Value::Object(fields) = &mut schema else { return schema };
    if fields.contains_key("enum") {
        let number =
            json!({"type": "integer", "description": "Its number in the protocol's schema."});
        return json!({"anyOf": [schema, number]});
    }
    if is_number_in_text(fields) {
        if !is_signed(fields) {
            fields.insert("minimum".to_owned(), 0.into());
        }
        fields.insert("type".to_owned(), json!(["string", "integer"]));
        return schema;
    }
    for (key, value) in fields.iter_mut() {
        match (key.as_str(), value) {
            ("type", value) if *value == "integer" || *value == "number" => {
                *value = json!([value.take(), "string"]);
            }
            ("$ref", Value::String(target)) => target.push_str(INPUT),
            ("properties", Value::Object(properties)) => {
                for value in properties.values_mut() {
                    *value = given(value);
                }
            }
            ("items" | "additionalProperties", value) => *value = given_value(value),
            ("allOf", Value::Array(all)) => {
                for value in all {
                    *value = given_value(value);
                }
            }
            _ => {}
        }
    }
    schema
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
            (Value::Null, Some(message)) => given_value(&WIRE["schemas"][message]),
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
