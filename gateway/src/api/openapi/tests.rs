//! The description is one, and of all there is.

use std::collections::BTreeSet;
use std::path::Path;

use ringwire_protocol::{ErrorCode, SCHEMA_JSON};
use serde_json::{Value, json};

use super::{DOCUMENT, TAGS, wire_types};

fn document() -> Value {
    serde_json::from_slice(&DOCUMENT).unwrap()
}

fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    });
    all.collect()
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(target)) = fields.get("$ref") {
                found.insert(target.clone());
            }
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn it_is_openapi_3_1_and_whatever_it_names_is_in_it() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    let read: utoipa::openapi::OpenApi = serde_json::from_value(document.clone()).unwrap();
    assert!(read.paths.paths.len() > 30);
    let mut named = BTreeSet::new();
    references(&document, &mut named);
    assert!(named.len() > 10, "{named:?}");
    for target in named {
        let pointer = target.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{target}");
    }
    for message in wire_types::ALL {
        let schema = &document["components"]["schemas"][message];
        assert!(schema["properties"].is_object(), "{message}: {schema}");
    }
}

#[test]
fn every_operation_tells_its_parameters_its_success_and_its_refusals() {
    let document = document();
    let tags: BTreeSet<&str> = TAGS.iter().map(|(name, _)| *name).collect();
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let place = format!("{method} {path}");
        assert!(names.insert(operation["operationId"].as_str().unwrap()), "{place}");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{place}");
        let operation_tags = operation["tags"].as_array().unwrap();
        assert!(operation_tags.iter().all(|tag| tags.contains(tag.as_str().unwrap())), "{place}");
        let in_path: BTreeSet<&str> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let declared = operation.get("parameters").map(|declared| declared.as_array().unwrap());
        let declared = declared.into_iter().flatten();
        let declared = declared.filter(|parameter| parameter["in"] == "path");
        let declared: BTreeSet<&str> =
            declared.map(|parameter| parameter["name"].as_str().unwrap()).collect();
        assert_eq!(in_path, declared, "{place}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{place}");
        assert_eq!(responses["default"]["$ref"], super::REFUSAL, "{place}");
    }
}

#[test]
fn codes_of_refusals_are_listed() {
    let refusal = &document()["components"]["schemas"]["Refusal"]["properties"]["error"];
    let names = refusal["properties"]["name"]["enum"].as_array().unwrap();
    let told = refusal["description"].as_str().unwrap();
    for code in ErrorCode::ALL {
        assert!(names.iter().any(|name| name == code.name()), "{}", code.name());
        assert!(told.contains(&format!("`{}` ({}", code.name(), *code as u32)), "{}", code.name());
    }
}

/// axum does not tell its routes; so none may be made in a way that leaves it out of the description. The table of
/// commands is described as a whole.
#[test]
fn every_route_is_described() {
    fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(folder).unwrap().display().to_string(), text));
            }
        }
    }
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api"), &mut files);
    let made: Vec<_> = files
        .iter()
        .filter(|(file, _)| !file.contains("tests"))
        .flat_map(|(_, text)| text.lines())
        .filter(|line| {
            [".route(", ".route_service(", ".nest("].iter().any(|call| line.contains(call))
        })
        .map(str::trim)
        .collect();
    let expected = [
        "router = router.route(row.path, MethodRouter::new().on(filter, give));",
        // The table of administration, described as a whole too, and its page.
        "router = router.route(route.path, (route.handler)());",
        ".route(\"/admin\", get(page::admin))",
        ".route(\"/admin/\", get(page::admin))",
        ".route(\"/admin/{*file}\", get(page::admin))",
        ".route(\"/ws\", any(upgrade::required))",
    ];
    assert_eq!(made.iter().collect::<BTreeSet<_>>(), expected.iter().collect::<BTreeSet<_>>());
}

#[test]
fn answers_write_values_in_one_way_and_requests_in_every_way_there_is() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["Entry"]["properties"]["seq"]["type"], "string");
    let send = &document["paths"]["/api/v1/conversations/{conversation_id}/messages"]["post"];
    let body = &send["requestBody"]["content"]["application/json"]["schema"];
    assert!(body["properties"]["conversation_id"].is_null(), "the path has it");
    let message = &body["properties"]["message"]["$ref"];
    assert_eq!(message, "#/components/schemas/MessageInput");
    let given = &schemas["MessageInput"]["properties"];
    assert_eq!(given["reply_to"]["type"], json!(["string", "integer", "null"]));
    assert_eq!(given["mentions"]["items"]["type"], json!(["string", "integer"]));
    let kind =
        json!({"anyOf": [{"$ref": "#/components/schemas/Message.KindInput"}, {"type": "null"}]});
    assert_eq!(given["kind"], kind);
    assert_eq!(schemas["Message.KindInput"]["anyOf"][1]["type"], "integer");
    assert_eq!(schemas["Message"]["properties"]["reply_to"]["type"], "string");
    let schema: Value = serde_json::from_str(SCHEMA_JSON).unwrap();
    assert_eq!(schema["commands"]["send"]["reply"], "SendAck");
}

#[test]
fn parameters_are_never_null_and_every_component_is_somebodys() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let text = parameter["schema"].to_string();
            assert!(!text.contains("null"), "{method} {path}: {parameter}");
        }
    }
    let mut named = BTreeSet::new();
    references(&document, &mut named);
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(named.contains(&format!("#/components/schemas/{name}")), "{name}");
        assert!(name.starts_with(char::is_uppercase), "{name}");
    }
}

#[test]
fn every_answer_in_json_says_what_it_holds() {
    fn holds(schema: &Value) -> bool {
        schema["$ref"].is_string()
            || schema["properties"].as_object().is_some_and(|fields| !fields.is_empty())
            || schema["items"].is_object() && holds(&schema["items"])
            || schema["allOf"]
                .as_array()
                .is_some_and(|all| !all.is_empty() && all.iter().all(holds))
    }
    let document = document();
    let mut answers = 0;
    for (path, method, operation) in operations(&document) {
        // What a description of this kind holds, another standard says; the other answer is an empty object.
        if ["/api/openapi.json", "/api/v1/auth/password-reset"].contains(&path) {
            continue;
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            let schema = &response["content"]["application/json"]["schema"];
            if status.starts_with('2') && !schema.is_null() {
                assert!(holds(schema), "{method} {path}: {schema}");
                answers += 1;
            }
        }
    }
    assert!(answers > 50, "{answers}");
}
