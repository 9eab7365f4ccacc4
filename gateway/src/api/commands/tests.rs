//! The table against the schema, and requests against the commands they are to be.

use std::collections::BTreeSet;

use axum::http::HeaderValue;
use ringwire_protocol::wire::command::Op;
use ringwire_protocol::{SCHEMA_JSON, wire};
use serde_json::Value;

use super::fields;
use super::table::{Fill, OF_SESSIONS, ROWS, Row};

fn schema() -> Value {
    serde_json::from_str(SCHEMA_JSON).unwrap()
}

fn row(name: &str) -> &'static Row {
    ROWS.iter().find(|row| row.name == name).unwrap()
}

fn parse(
    name: &str,
    params: &[(&str, &str)],
    query: &[(&str, &str)],
    body: &str,
) -> Result<Op, String> {
    parse_with_key(name, params, query, body, None)
}

fn parse_with_key(
    name: &str,
    params: &[(&str, &str)],
    query: &[(&str, &str)],
    body: &str,
    key: Option<&str>,
) -> Result<Op, String> {
    let query = query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let key = key.map(|key| HeaderValue::from_str(key).unwrap());
    fields::command(row(name), params, &query, key.as_ref(), body.as_bytes())
        .map_err(|error| error.to_json())
}

#[test]
fn every_command_of_the_schema_has_a_path_or_is_of_sessions_alone() {
    let schema = schema();
    let commands = schema["commands"].as_object().unwrap();
    let in_schema: BTreeSet<&str> = commands.keys().map(String::as_str).collect();
    let in_table = ROWS.iter().map(|row| row.op).chain(OF_SESSIONS);
    assert_eq!(in_schema, in_table.collect());
    let names: BTreeSet<&str> = ROWS.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), ROWS.len(), "a name for each");
}

#[test]
fn rows_name_fields_that_exist_and_all_parameters_of_their_paths() {
    let schema = schema();
    for row in &ROWS {
        let message = schema["commands"][row.op]["message"].as_str().unwrap();
        let properties = schema["schemas"][message]["properties"].as_object().unwrap();
        let mut in_fills = BTreeSet::new();
        for fill in row.fills {
            let field = match *fill {
                Fill::Path(param, field) | Fill::PathList(param, field) => {
                    in_fills.insert(param);
                    field
                }
                Fill::Query(field)
                | Fill::QueryList(field)
                | Fill::True(field)
                | Fill::Text(field, _)
                | Fill::Needed(field)
                | Fill::Without(field) => field,
                Fill::Pages => "page_token",
            };
            let paged = matches!(fill, Fill::Pages) && row.op == "history";
            assert!(paged || properties.contains_key(field), "{}: {field}", row.name);
        }
        let in_path: BTreeSet<&str> = row
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        assert_eq!(in_path, in_fills, "{}", row.name);
    }
}

#[test]
fn path_query_and_body_become_one_command() {
    let conversation = ("conversation_id", "7");
    let body = r#"{"message":{"text":"hi","reply_to":3},"after":"a"}"#;
    let sent = parse_with_key("send_message", &[conversation], &[], body, Some("key"));
    let message = wire::Message { text: "hi".into(), reply_to: 3, ..Default::default() };
    let expected = wire::Send {
        conversation_id: 7,
        client_msg_id: "key".into(),
        message: Some(message),
        after: "a".into(),
    };
    assert_eq!(sent, Ok(Op::Send(expected)));

    let query = [("conversation_ids", "1,2"), ("conversation_ids", "3"), ("limit", "9")];
    let heads = wire::Heads { conversation_ids: vec![1, 2, 3], limit: 9, ..Default::default() };
    assert_eq!(parse("list_conversations", &[], &query, ""), Ok(Op::Heads(heads)));

    let ban = parse("ban", &[conversation, ("user_id", "2")], &[], r#"{"until":"99"}"#);
    let expected = wire::Ban { conversation_id: 7, user_id: 2, until: 99, ..Default::default() };
    assert_eq!(ban, Ok(Op::Ban(expected.clone())));
    let unban = parse("unban", &[conversation, ("user_id", "2")], &[], "");
    assert_eq!(unban, Ok(Op::Ban(wire::Ban { until: 0, ..expected })));
    let list = parse("list_bans", &[conversation], &[], "").unwrap();
    assert!(matches!(list, Op::Members(members) if members.list() == wire::members::List::Banned));
    let owner = parse("transfer_group", &[conversation], &[], r#"{"user_id":4}"#).unwrap();
    assert!(
        matches!(owner, Op::SetRole(set) if set.role() == wire::Role::Owner && set.user_id == 4)
    );
}

#[test]
fn what_a_request_contradicts_or_leaves_out_is_refused_by_name() {
    let conversation = ("conversation_id", "7");
    let send = |body: &str, key| parse_with_key("send_message", &[conversation], &[], body, key);
    let cases = [
        (send(r#"{"message":{},"conversation_id":8}"#, None), "conversation_id: "),
        (send(r#"{"message":{},"conversationId":8}"#, None), "conversation_id: "),
        (send(r#"{"message":{},"client_msg_id":"a"}"#, Some("b")), "Idempotency-Key"),
        (send("{}", None), "message is missing"),
        (send("[]", None), "not a JSON object"),
        (send("{", None), "not JSON"),
        (send(r#"{"message":{"text":5}}"#, None), r#""message.text: a string""#),
        (send(r#"{"message":{"mentions":["x"]}}"#, None), r#""message.mentions[0]: a number"#),
        (parse("ban", &[conversation, ("user_id", "2")], &[], ""), "until is missing"),
        (
            parse("ban", &[conversation, ("user_id", "2")], &[], r#"{"until":null}"#),
            "until is missing",
        ),
        (parse("unban", &[conversation, ("user_id", "2")], &[], r#"{"until":5}"#), "until: "),
        (
            parse("get_conversation", &[("conversation_id", "x")], &[], ""),
            r#""conversation_id: a number from 0"#,
        ),
        (parse("get_message", &[conversation, ("seq", "x")], &[], ""), r#""seq: a number from 0"#),
        (
            parse("list_messages", &[conversation], &[("limit", "-1")], ""),
            r#""limit: a number from 0 to 4294967295"#,
        ),
        (parse("list_members", &[conversation], &[("limit", "1"), ("limit", "2")], ""), "limit: "),
    ];
    for (answer, expected) in cases {
        let refused = answer.unwrap_err();
        assert!(refused.contains("INVALID_ARGUMENT") && refused.contains(expected), "{refused}");
    }
}
