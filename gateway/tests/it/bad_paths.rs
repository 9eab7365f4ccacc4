//! What stands in a path and is no text is refused with a code in JSON: by each operation, in each place.

use serde_json::Value;

use crate::admin;
use crate::support::client::Client;
use crate::support::http::{get, give_as};
use crate::support::store::Database;

use ringwire_protocol::codec::Encoding;

/// Percent-encoded, and no UTF-8.
const NO_TEXT: &str = "%ff";

#[test]
fn f4_a_path_that_is_no_text_is_refused_with_a_code_by_every_operation() {
    let (server, operator) = admin::administered(Database::Sqlite);
    drop(Client::session(&server, 1, Encoding::Json));
    let user = server.token(1);
    let document = get(server.address(), "/api/openapi.json").json();
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        let token = if path.starts_with("/api/v1/admin/") { &operator } else { &user };
        for method in methods.as_object().expect("methods").keys() {
            for place in 0..path.matches('{').count() {
                let path = filled(path, place);
                let method = method.to_ascii_uppercase();
                let answer = give_as(server.address(), token, &method, &path, &[], &Value::Null);
                let what = format!("{method} {path}: {answer:?}");
                assert!(matches!(answer.status, 400 | 404), "{what}");
                assert_eq!(answer.header("content-type"), Some("application/json"), "{what}");
                assert!(answer.json()["error"]["code"].as_u64() > Some(0), "{what}");
                asked += 1;
            }
        }
    }
    assert!(asked > 60, "only {asked}");
}

/// A path with what is no text in one of its places, counted from 0, and a number in the others.
fn filled(path: &str, place: usize) -> String {
    let mut parts = path.split('{');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for (at, part) in parts.enumerate() {
        let (_, rest) = part.split_once('}').expect("the end of a name");
        filled += if at == place { NO_TEXT } else { "1" };
        filled += rest;
    }
    filled
}
