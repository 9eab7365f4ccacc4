//! Which field of a JSON command does not fit the schema, and what is expected there.
//!
//! ```text
//!   {"id":1,"send":{"message":{"text":5}}}   ─►   "message.text: a string"
//! ```
//!
//! Asked only after the decoder has refused a command, whose own words are about positions in a line that an author of a
//! client may never see.
//!
//! Invariants: nothing of what was sent is repeated, only names of the schema and places in lists; an object is as deep as
//! the JSON parser allows at most.

use std::borrow::Cow;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::SCHEMA_JSON;

/// The schema, read when the first command is refused.
static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(SCHEMA_JSON).unwrap_or_default());

/// What every 64-bit number may also be.
const OR_DIGITS: &str = "or its digits in a string";

/// What is wrong with a command that could not be decoded, for the author of its client.
pub(crate) fn explain(command: &Map<String, Value>) -> String {
    of_command(command).unwrap_or_else(|| {
        // Every field by itself fits.
        "the command has a field twice, or more than one operation".to_owned()
    })
}

fn of_command(command: &Map<String, Value>) -> Option<String> {
    for (name, value) in command {
        if matches!(name.as_str(), "id" | "received") {
            if !is_number::<u64>(value) {
                return Some(format!("{name}: {}", unsigned()));
            }
        } else if let Some(op) = SCHEMA["commands"].get(&*snake(name)) {
            let Some(fields) = value.as_object() else {
                return Some(format!("{}: an object", snake(name)));
            };
            let message = op["message"].as_str().unwrap_or_default();
            if let Some(found) = of_message("", message, fields) {
                return Some(found);
            }
        }
    }
    None
}

/// The first field of a message that does not fit. `path`: of the message, with a dot at its end.
fn of_message(path: &str, message: &str, fields: &Map<String, Value>) -> Option<String> {
    let properties = &SCHEMA["schemas"][message]["properties"];
    fields.iter().find_map(|(name, value)| {
        let name = snake(name);
        // What the schema does not know is ignored by the decoder too.
        let shape = properties.get(&*name)?;
        of_value(&format!("{path}{name}"), shape, value)
    })
}

fn of_value(path: &str, shape: &Value, value: &Value) -> Option<String> {
    if let Some(schema) = named(shape) {
        return of_named(path, schema, value);
    }
    let expected: Cow<'_, str> = match shape["type"].as_str().unwrap_or_default() {
        "array" => {
            let Some(values) = value.as_array() else { return Some(format!("{path}: a list")) };
            let of_one = |(at, value)| of_value(&format!("{path}[{at}]"), &shape["items"], value);
            return values.iter().enumerate().find_map(of_one);
        }
        "object" => {
            if value.as_object().is_some_and(|map| map.values().all(Value::is_string)) {
                return None;
            }
            "an object whose values are strings".into()
        }
        "boolean" if value.is_boolean() => return None,
        "boolean" => "true or false".into(),
        "integer" if is_number::<u32>(value) => return None,
        "integer" => format!("a number from 0 to {}", u32::MAX).into(),
        "number" if is_number::<f64>(value) => return None,
        "number" => "a number".into(),
        _ => match shape["pattern"].as_str() {
            None if value.is_string() => return None,
            None => "a string".into(),
            Some(signed) if signed.starts_with("^-?") => {
                if is_number::<i64>(value) {
                    return None;
                }
                format!("a number from {} to {}, {OR_DIGITS}", i64::MIN, i64::MAX).into()
            }
            Some(_) if is_number::<u64>(value) => return None,
            Some(_) => unsigned().into(),
        },
    };
    Some(format!("{path}: {expected}"))
}

/// A message, or one of some names.
fn of_named(path: &str, schema: &str, value: &Value) -> Option<String> {
    if let Some(names) = SCHEMA["schemas"][schema]["enum"].as_array() {
        // Numbers of an enum have no gap.
        let is_known = names.contains(value)
            || value.as_u64().is_some_and(|number| number < names.len() as u64);
        let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
        return (!is_known).then(|| format!("{path}: one of {}", names.join(", ")));
    }
    match value.as_object() {
        Some(fields) => of_message(&format!("{path}."), schema, fields),
        None => Some(format!("{path}: an object")),
    }
}

/// The name of the schema that a shape refers to.
fn named(shape: &Value) -> Option<&str> {
    let reference = shape.get("$ref").or_else(|| shape["allOf"].get(0)?.get("$ref"))?;
    reference.as_str()?.rsplit('/').next()
}

/// Whether a value is such a number, or a string of its digits: decoders take both.
fn is_number<T: std::str::FromStr>(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.to_string().parse::<T>().is_ok(),
        Value::String(digits) => digits.parse::<T>().is_ok(),
        _ => false,
    }
}

fn unsigned() -> String {
    format!("a number from 0 to {}, {OR_DIGITS}", u64::MAX)
}

/// A field's name in the schema; decoders know it in camel case too.
fn snake(name: &str) -> Cow<'_, str> {
    if !name.contains(|c: char| c.is_ascii_uppercase()) {
        return name.into();
    }
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{DecodeError, Encoding};
    use crate::wire;

    fn refusal(line: &str) -> String {
        match Encoding::Json.decode::<wire::Command>(line.as_bytes()).next() {
            Some(Err(DecodeError::WrongType { message, .. })) => message,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn a_refusal_names_the_field_and_what_belongs_there() {
        let unsigned = unsigned();
        for (command, expected) in [
            (r#""send":7"#, "send: an object"),
            (r#""send":{"message":{"text":5}}"#, "message.text: a string"),
            (r#""send":{"conversation_id":-1}"#, &*format!("conversation_id: {unsigned}")),
            (r#""send":{"conversationId":"x"}"#, &*format!("conversation_id: {unsigned}")),
            (
                r#""send":{"message":{"mentions":[1,"x"]}}"#,
                &*format!("message.mentions[1]: {unsigned}"),
            ),
            (r#""send":{"message":{"mentions":1}}"#, "message.mentions: a list"),
            (
                r#""send":{"message":{"metadata":{"a":1}}}"#,
                "message.metadata: an object whose values are strings",
            ),
            (
                r#""send":{"message":{"attachments":[{"url":"a"},{"width":-1}]}}"#,
                "message.attachments[1].width: a number from 0 to 4294967295",
            ),
            (
                r#""send":{"message":{"location":{"latitude":"x"}}}"#,
                "message.location.latitude: a number",
            ),
            (r#""block":{"remove":"yes"}"#, "remove: true or false"),
            (r#""members":{"list":"ALL"}"#, "list: one of MEMBERS, BANNED, REQUESTS"),
            (
                r#""ban":{"until":"soon"}"#,
                "until: a number from -9223372036854775808 to 9223372036854775807, or its digits in a string",
            ),
            (
                r#""ping":{},"sessions":{}"#,
                "the command has a field twice, or more than one operation",
            ),
            (
                r#""read":{"seq":1,"seq":2}"#,
                "the command has a field twice, or more than one operation",
            ),
        ] {
            assert_eq!(refusal(&format!(r#"{{"id":1,{command}}}"#)), expected, "{command}");
        }
        assert_eq!(refusal(r#"{"id":"x","ping":{}}"#), format!("id: {unsigned}"));
    }

    #[test]
    fn what_was_sent_is_not_repeated() {
        let long = "secret".repeat(1000);
        for command in [
            format!(r#""send":{{"message":{{"kind":"{long}"}}}}"#),
            format!(r#""send":{{"message":{{"metadata":{{"{long}":1}}}}}}"#),
            format!(r#""read":{{"seq":"{long}"}}"#),
            format!(r#""{long}":{{}},"read":{{"seq":[]}}"#),
        ] {
            let refusal = refusal(&format!(r#"{{"id":1,{command}}}"#));
            assert!(refusal.len() < 200 && !refusal.contains("secret"), "{refusal}");
        }
    }
}
