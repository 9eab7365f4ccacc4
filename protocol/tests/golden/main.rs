//! Golden vectors: every command, reply, push and kind of entry in both encodings, in a file other languages can read.
//!
//! `vectors.json` holds
//! - `vectors`: the canonical `json` of a frame and the same as the payload of a binary WebSocket message, in hex,
//! - `lenient`: what a receiver also accepts, and the canonical `json` it `means`,
//! - `invalid`: payloads no receiver accepts.
//!
//! To add a vector, write its `name`, `type` and `json`, then fill in the rest with
//! `RINGWIRE_WRITE_VECTORS=1 cargo test -p ringwire-protocol --test golden`, and read the difference.

use std::collections::BTreeSet;
use std::fmt::{Debug, Write as _};
use std::path::PathBuf;

use ringwire_protocol::codec::{Encoding, Frame};
use ringwire_protocol::wire;
use serde::Deserialize;
use serde_json::Value;

const SCHEMA: &str = include_str!("../../proto/ringwire.proto");

#[derive(Deserialize)]
struct File {
    vectors: Vec<Vector>,
    lenient: Vec<Lenient>,
    invalid: Vec<Invalid>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    r#type: Type,
    json: Value,
    #[serde(default)]
    protobuf: String,
}

#[derive(Deserialize)]
struct Lenient {
    name: String,
    r#type: Type,
    json: Value,
    protobuf: Option<String>,
    means: Value,
}

#[derive(Deserialize)]
struct Invalid {
    name: String,
    encoding: String,
    payload: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Type {
    Command,
    ServerFrame,
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/vectors.json")
}

fn read() -> File {
    serde_json::from_str(&std::fs::read_to_string(path()).unwrap()).unwrap()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn from_hex(hex: &str) -> Vec<u8> {
    let pairs = (0..hex.len()).step_by(2).map(|at| &hex[at..at + 2]);
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// Decodes a payload of exactly one frame.
fn decode<F: Frame>(encoding: Encoding, payload: &[u8], name: &str) -> F {
    let mut frames = encoding.decode(payload);
    let frame = frames.next().unwrap_or_else(|| panic!("{name}: no frame"));
    assert!(frames.next().is_none(), "{name}: one frame a vector");
    frame.unwrap_or_else(|error| panic!("{name} as {encoding:?}: {error}"))
}

/// Both encodings of what a piece of JSON says: JSON text and Protobuf in hex.
fn encodings<F: Frame>(json: &Value, name: &str) -> (String, String) {
    let frame: F = decode(Encoding::Json, json.to_string().as_bytes(), name);
    let text = Encoding::Json.encode_one(&frame);
    (String::from_utf8(text.to_vec()).unwrap(), to_hex(&Encoding::Protobuf.encode_one(&frame)))
}

/// Both encodings as above, after checking that the Protobuf decodes to the same frame.
fn check<F: Frame + PartialEq + Debug>(json: &Value, protobuf: &str, name: &str) {
    let from_json: F = decode(Encoding::Json, json.to_string().as_bytes(), name);
    let from_protobuf: F = decode(Encoding::Protobuf, &from_hex(protobuf), name);
    assert_eq!(from_json, from_protobuf, "{name}");
}

#[test]
fn every_vector_holds_in_both_directions() {
    if std::env::var_os("RINGWIRE_WRITE_VECTORS").is_some() {
        return;
    }
    for Vector { name, r#type, json, protobuf } in read().vectors {
        let (text, hex) = match r#type {
            Type::Command => {
                check::<wire::Command>(&json, &protobuf, &name);
                encodings::<wire::Command>(&json, &name)
            }
            Type::ServerFrame => {
                check::<wire::ServerFrame>(&json, &protobuf, &name);
                encodings::<wire::ServerFrame>(&json, &name)
            }
        };
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json, "{name}");
        assert_eq!(hex, protobuf, "{name}");
    }
}

#[test]
fn receivers_are_lenient_where_the_vectors_say_so() {
    for Lenient { name, r#type, json, protobuf, means } in read().lenient {
        match r#type {
            Type::Command => check_lenient::<wire::Command>(&name, &json, protobuf, &means),
            Type::ServerFrame => check_lenient::<wire::ServerFrame>(&name, &json, protobuf, &means),
        }
    }
}

fn check_lenient<F: Frame + PartialEq + Debug>(
    name: &str,
    json: &Value,
    protobuf: Option<String>,
    means: &Value,
) {
    let canonical: F = decode(Encoding::Json, means.to_string().as_bytes(), name);
    assert_eq!(decode::<F>(Encoding::Json, json.to_string().as_bytes(), name), canonical, "{name}");
    if let Some(protobuf) = protobuf {
        assert_eq!(
            decode::<F>(Encoding::Protobuf, &from_hex(&protobuf), name),
            canonical,
            "{name}"
        );
    }
}

#[test]
fn f4_no_receiver_accepts_an_invalid_vector() {
    for Invalid { name, encoding, payload } in read().invalid {
        let (encoding, payload) = match encoding.as_str() {
            "json" => (Encoding::Json, payload.into_bytes()),
            "protobuf" => (Encoding::Protobuf, from_hex(&payload)),
            other => panic!("{name}: encoding {other}"),
        };
        let first = encoding.decode::<wire::Command>(&payload).next();
        assert!(matches!(first, Some(Err(_))), "{name}: {first:?}");
    }
}

/// The names of the fields of a oneof, as the schema lists them.
fn variants_in_schema(message: &str, oneof: &str) -> BTreeSet<String> {
    let (_, message) = SCHEMA.split_once(&format!("\nmessage {message} {{\n")).unwrap();
    let (_, oneof) = message.split_once(&format!("  oneof {oneof} {{\n")).unwrap();
    let (oneof, _) = oneof.split_once("\n  }").unwrap();
    let fields = oneof.lines().filter_map(|line| line.split("//").next()?.split_once(" = "));
    fields.filter_map(|(before, _)| before.split_whitespace().last().map(str::to_owned)).collect()
}

/// The keys found at a path in any vector.
fn variants_in_vectors(path: &[&str], beside: &[&str]) -> BTreeSet<String> {
    let vectors = read().vectors.into_iter();
    let objects = vectors.filter_map(|vector| {
        let object = path.iter().try_fold(&vector.json, |value, key| value.get(key))?;
        let keys = object.as_object()?.keys().filter(|key| !beside.contains(&key.as_str()));
        Some(keys.cloned().collect::<Vec<_>>())
    });
    objects.flatten().collect()
}

#[test]
fn every_variant_of_the_schema_has_a_vector() {
    let commands = variants_in_schema("Command", "op");
    assert!(commands.contains("send") && commands.contains("dissolve"), "{commands:?}");
    let mut in_vectors = variants_in_vectors(&[], &["id", "received"]);
    let frames = variants_in_schema("ServerFrame", "frame");
    assert!(frames.is_subset(&in_vectors));
    in_vectors.retain(|name| !frames.contains(name));
    assert_eq!(in_vectors, commands);

    assert_eq!(variants_in_vectors(&["reply"], &["id"]), variants_in_schema("Reply", "outcome"));
    assert_eq!(variants_in_vectors(&["push"], &[]), variants_in_schema("Push", "event"));
    let kinds = variants_in_vectors(&["push", "entry", "body"], &[]);
    assert_eq!(kinds, variants_in_schema("EntryBody", "kind"));
}

/// Fills in what follows from the names and the JSON; everything else in the file stays as it is.
#[test]
fn vectors_are_written_on_demand() {
    if std::env::var_os("RINGWIRE_WRITE_VECTORS").is_none() {
        return;
    }
    let old = std::fs::read_to_string(path()).unwrap();
    let (_, rest) = old.split_once("\n  ],\n").unwrap();
    let vectors: Vec<String> = read()
        .vectors
        .iter()
        .map(|Vector { name, r#type, json, .. }| {
            let (r#type, (json, protobuf)) = match r#type {
                Type::Command => ("command", encodings::<wire::Command>(json, name)),
                Type::ServerFrame => ("server_frame", encodings::<wire::ServerFrame>(json, name)),
            };
            let name = Value::from(name.as_str());
            format!(
                "    {{\n      \"name\": {name},\n      \"type\": \"{type}\",\n      \
                 \"json\": {json},\n      \"protobuf\": \"{protobuf}\"\n    }}"
            )
        })
        .collect();
    let new = format!("{{\n  \"vectors\": [\n{}\n  ],\n{rest}", vectors.join(",\n"));
    std::fs::write(path(), new).unwrap();
}
