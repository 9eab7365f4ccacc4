//! How the small servers speak: what they say first, and what they make of a frame.

use std::sync::atomic::Ordering::Relaxed;

use ringwire_loadtest::scenario::Protocol;
use serde_json::{Value, json};
use tungstenite::Message;

use super::protobuf::{self, Field};
use super::{Hub, Session, lock, parameter, user_of};

/// The upgrade is done.
pub(super) fn opened(hub: &Hub, session: &mut Session, uri: &str) {
    match hub.protocol {
        Protocol::Echo | Protocol::Broadcast => hub.join(session),
        Protocol::TypedStrings => {
            assert!(uri.starts_with("/ws?token="), "{uri}");
            hub.join(session);
            let to = session.user.as_str();
            let welcome =
                json!({ "type": "system", "content": "Welcome!", "from": "server", "to": to });
            session.say(welcome.to_string());
        }
        Protocol::Rooms => {
            session.room = parameter(uri, "room_id").unwrap().into();
            hub.join(session);
            let users = json!({ "users": [{ "id": 1, "username": "one" }] });
            let online = json!({ "type": "online_users", "room_id": 1, "data": users });
            // Two in one frame, as busy servers do.
            let joined = json!({ "type": "user_joined", "room_id": 1, "data": { "user": {} } });
            session.say(format!("{joined}\n{online}"));
        }
        Protocol::Notify => {
            assert!(uri.starts_with("/api/v1/ws/messages?token="), "{uri}");
            let data = json!({ "userID": session.user, "message": "hello", "timestamp": 1 });
            let connected = json!({ "type": "CONNECTED", "data": data, "timestamp": 1 });
            session.say(connected.to_string());
            let beat = json!({ "type": "HEARTBEAT", "data": { "ping": "pong" }, "timestamp": 1 });
            session.say(beat.to_string());
        }
        Protocol::Payload => {
            let path = uri.split('?').next().unwrap();
            session.room = path.strip_prefix("/ws/chat/").unwrap().into();
            hub.join(session);
            let user = json!({ "user_id": session.user, "username": "x", "color": "#123" });
            let init = json!({ "type": "init", "payload": { "user": user, "users": [] } });
            session.say(init.to_string());
            let content = json!({ "content": "x joined", "type": "system" });
            session.say(json!({ "type": "message", "payload": content }).to_string());
        }
        Protocol::Numbered => {
            assert!(parameter(uri, "device_id").is_some(), "{uri}");
            hub.join(session);
        }
        Protocol::SocketIo => {
            assert_eq!(uri, "/socket.io/?EIO=4&transport=websocket");
            let open = json!({ "sid": "s", "upgrades": [], "pingInterval": 25000,
                "pingTimeout": 20000, "maxPayload": 1_000_000 });
            session.say(format!("0{open}"));
        }
        Protocol::CentrifugoJson | Protocol::CentrifugoProtobuf => {
            assert_eq!(uri, "/connection/websocket");
        }
        Protocol::Ringwire => unreachable!("the fake server speaks that"),
    }
}

/// A frame came; `false`: the session ends.
pub(super) fn heard(hub: &Hub, session: &mut Session, message: &Message) -> bool {
    if hub.protocol == Protocol::CentrifugoProtobuf {
        for command in protobuf::messages(&message.clone().into_data()) {
            centrifugo(hub, session, &from_protobuf(&command));
        }
        return true;
    }
    let Ok(text) = message.to_text() else { return false };
    match hub.protocol {
        Protocol::Echo => echo(hub, session, text),
        Protocol::Broadcast => {
            let Some(at) = hub.number() else { return true };
            session.say(text);
            hub.deliver(at, session, |_| true, &Message::text(text));
        }
        Protocol::SocketIo => socket_io(hub, session, text),
        protocol => {
            for line in text.lines() {
                let object: Value = serde_json::from_str(line).unwrap();
                match protocol {
                    Protocol::TypedStrings => typed_strings(hub, session, object),
                    Protocol::Rooms => rooms(hub, session, &object),
                    Protocol::Payload => payload(hub, session, &object),
                    Protocol::Numbered => numbered(hub, session, object),
                    Protocol::Notify => {
                        assert_eq!(object["type"], "HEARTBEAT_REPLY");
                        hub.pongs.fetch_add(1, Relaxed);
                    }
                    _ => centrifugo(hub, session, &object),
                }
            }
        }
    }
    true
}

fn echo(hub: &Hub, session: &Session, text: &str) {
    if let Some(at) = hub.number() {
        hub.give(at, session, &Message::text(text));
    }
}

fn typed_strings(hub: &Hub, session: &Session, mut object: Value) {
    object["from"] = session.user.as_str().into();
    let to = object["to"].as_str().map(str::to_owned);
    let message = Message::text(object.to_string());
    let is_for = |other: &Session| to.as_ref().is_none_or(|to| *to == other.user);
    if object["type"] == "typing" {
        hub.signals.fetch_add(1, Relaxed);
        // No message: no fault counts it.
        hub.deliver(0, session, is_for, &message);
        return;
    }
    let Some(at) = hub.number() else { return };
    hub.deliver(at, session, is_for, &message);
}

fn rooms(hub: &Hub, session: &Session, object: &Value) {
    let room = object["room_id"].as_u64().unwrap();
    assert_eq!(room.to_string(), session.room);
    let Some(at) = hub.number() else {
        session.say(json!({ "type": "error", "error": "too fast" }).to_string());
        return;
    };
    let data = json!({ "id": at, "user_id": 1, "content": object["content"],
        "created_at": "2026-01-01T00:00:00Z", "user": { "id": 1, "username": "one" } });
    let message = json!({ "type": "message", "room_id": room, "data": data }).to_string();
    session.say(message.as_str());
    hub.deliver(at, session, |other| other.room == session.room, &Message::text(message));
}

fn payload(hub: &Hub, session: &Session, object: &Value) {
    if object["type"] == "typing" {
        hub.signals.fetch_add(1, Relaxed);
        let typing = json!({ "type": "typing", "payload": { "is_typing": true } });
        let message = Message::text(typing.to_string());
        hub.deliver(0, session, |other| other.room == session.room, &message);
        return;
    }
    let Some(at) = hub.number() else { return };
    let content = json!({ "id": at.to_string(), "user_id": session.user, "username": "x",
        "content": object["payload"]["content"], "type": "text", "created_at": "now" });
    let message = json!({ "type": "message", "payload": content }).to_string();
    session.say(message.as_str());
    hub.deliver(at, session, |other| other.room == session.room, &Message::text(message));
}

fn numbered(hub: &Hub, session: &Session, mut object: Value) {
    match object["type"].as_i64().unwrap() {
        99 => {
            hub.pongs.fetch_add(1, Relaxed);
            session.say(json!({ "type": 99, "content": { "timestamp": 1 } }).to_string());
        }
        31 => {
            assert!(object["content"]["message_id"].is_string(), "{object}");
            hub.signals.fetch_add(1, Relaxed);
        }
        33 => drop(hub.signals.fetch_add(1, Relaxed)),
        _ => {
            let id = object["message_id"].as_str().unwrap().to_owned();
            let seen = lock(&hub.seen).get(&format!("{}{id}", session.user)).copied();
            let seq = seen.or_else(|| hub.number());
            let Some(seq) = seq else {
                session.say(json!({ "message_id": id, "error": "muted" }).to_string());
                return;
            };
            let content = json!({ "message_id": id, "server_message_id": format!("1-{seq}"),
                "seq": seq });
            session.say(json!({ "type": 30, "content": content }).to_string());
            if seen.is_some() {
                return;
            }
            lock(&hub.seen).insert(format!("{}{id}", session.user), seq);
            object["from"] = session.user.as_str().into();
            object["message_id"] = format!("1-{seq}").into();
            object["conversation_id"] = "1".into();
            let group = object["group_id"].is_string();
            let to = object["to"].as_str().unwrap().to_owned();
            let message = Message::text(object.to_string());
            hub.deliver(seq, session, |other| group || other.user == to, &message);
        }
    }
}

fn socket_io(hub: &Hub, session: &mut Session, text: &str) {
    match text {
        "3" => drop(hub.pongs.fetch_add(1, Relaxed)),
        _ if text.starts_with("40") => {
            let auth: Value = serde_json::from_str(&text[2..]).unwrap();
            session.user = user_of(auth["token"].as_str().unwrap());
            session.say("40{\"sid\":\"other\"}");
            session.say("2");
        }
        _ => {
            let event = text.strip_prefix("42").unwrap();
            let bracket = event.find('[').unwrap();
            let (id, arguments) = event.split_at(bracket);
            let arguments: Value = serde_json::from_str(arguments).unwrap();
            if arguments[0] == "join" {
                session.room = arguments[1].as_str().unwrap().into();
                hub.join(session);
            } else {
                assert_eq!(arguments[1]["room"], session.room.as_str());
                let Some(at) = hub.number() else { return };
                let message = json!(["message", { "text": arguments[1]["text"], "id": at }]);
                let message = Message::text(format!("42{message}"));
                hub.deliver(at, session, |other| other.room == session.room, &message);
            }
            if !id.is_empty() {
                session.say(format!("43{id}[]"));
            }
        }
    }
}

/// One command, of either encoding, as JSON has it.
fn centrifugo(hub: &Hub, session: &mut Session, command: &Value) {
    let id = command["id"].as_u64().unwrap_or(0);
    let reply = |result: Value| {
        let mut reply = json!({ "id": id });
        reply.as_object_mut().unwrap().extend(result.as_object().unwrap().clone());
        reply
    };
    let answer = if let Some(connect) = command.get("connect") {
        session.user = user_of(connect["token"].as_str().unwrap());
        // A ping right away.
        session.send(encoded(
            hub,
            &reply(json!({ "connect": { "client": "c", "version": "5",
            "ping": 25, "pong": true } })),
        ));
        json!({})
    } else if let Some(subscribe) = command.get("subscribe") {
        let channel = subscribe["channel"].as_str().unwrap().to_owned();
        session.room.clone_from(&channel);
        let log = lock(&hub.log);
        let published = log.get(&channel).map_or(&[][..], Vec::as_slice);
        let from = subscribe["offset"].as_u64().unwrap_or(0) as usize;
        let recover = subscribe["recover"] == true;
        let missed = published.iter().enumerate().skip(if recover { from } else { usize::MAX });
        let publications: Vec<_> =
            missed.map(|(index, data)| publication(data, index as u64 + 1)).collect();
        let subscribed = json!({ "recoverable": true, "epoch": "e", "recovered": recover,
            "offset": published.len(), "publications": publications });
        // While the log is locked: what is published from now on is pushed.
        hub.join(session);
        session.send(encoded(hub, &reply(json!({ "subscribe": subscribed }))));
        return;
    } else if let Some(publish) = command.get("publish") {
        match hub.number() {
            None => reply(json!({ "error": { "code": 103, "message": "permission denied" } })),
            Some(at) => {
                let data = publish["data"].to_string();
                let mut log = lock(&hub.log);
                let published = log.entry(session.room.clone()).or_default();
                published.push(data.clone());
                let publication = publication(&data, published.len() as u64);
                let push = json!({ "push": { "channel": session.room, "pub": publication } });
                let message = encoded(hub, &push);
                // Whoever publishes is a subscriber, too.
                session.send(message.clone());
                hub.deliver(at, session, |other| other.room == session.room, &message);
                reply(json!({ "publish": {} }))
            }
        }
    } else if command.get("history").is_some() {
        reply(json!({ "history": { "publications": [], "epoch": "e", "offset": 1 } }))
    } else {
        hub.pongs.fetch_add(1, Relaxed);
        return;
    };
    session.send(encoded(hub, &answer));
}

fn publication(data: &str, offset: u64) -> Value {
    let data: Value = serde_json::from_str(data).unwrap();
    json!({ "data": data, "offset": offset, "info": { "user": "u", "client": "c" } })
}

fn encoded(hub: &Hub, reply: &Value) -> Message {
    if hub.protocol == Protocol::CentrifugoJson {
        return Message::text(reply.to_string());
    }
    Message::binary(protobuf::frame(&to_protobuf(reply)))
}

/// The fields of a command, under the names JSON has for them.
fn from_protobuf(command: &[(u64, Field)]) -> Value {
    let mut object = json!({});
    for (number, field) in command {
        match (number, field) {
            (1, Field::Varint(id)) => object["id"] = (*id).into(),
            (4 | 5 | 7 | 10, Field::Bytes(bytes)) => {
                let (name, names): (_, &[(u64, &str)]) = match number {
                    4 => ("connect", &[(1, "token"), (4, "name")]),
                    5 => (
                        "subscribe",
                        &[(1, "channel"), (3, "recover"), (6, "epoch"), (7, "offset")],
                    ),
                    7 => ("publish", &[(1, "channel"), (2, "data")]),
                    _ => ("history", &[(1, "channel"), (7, "limit"), (9, "reverse")]),
                };
                object[name] = named(bytes, names);
            }
            other => panic!("{other:?}"),
        }
    }
    object
}

fn named(bytes: &[u8], names: &[(u64, &str)]) -> Value {
    let mut object = json!({});
    for (number, field) in protobuf::fields(bytes) {
        let name = names.iter().find(|(known, _)| *known == number).unwrap().1;
        object[name] = match field {
            Field::Varint(value) if matches!(name, "recover" | "reverse") => (value == 1).into(),
            Field::Varint(value) => value.into(),
            Field::Bytes(bytes) if name == "data" => serde_json::from_slice(&bytes).unwrap(),
            Field::Bytes(bytes) => String::from_utf8(bytes).unwrap().into(),
        };
    }
    object
}

/// The fields of a reply.
fn to_protobuf(reply: &Value) -> Vec<(u64, Field)> {
    let publication = |of: &Value| {
        let data = of["data"].to_string().into_bytes();
        let offset = of["offset"].as_u64().unwrap();
        let info = protobuf::message(&[(1, Field::Bytes(b"u".to_vec()))]);
        Field::Bytes(protobuf::message(&[
            (4, Field::Bytes(data)),
            (5, Field::Bytes(info)),
            (6, Field::Varint(offset)),
        ]))
    };
    let text = |of: &Value| Field::Bytes(of.as_str().unwrap().as_bytes().to_vec());
    let mut fields = Vec::new();
    for (name, value) in reply.as_object().unwrap() {
        let mut inner = Vec::new();
        let number = match name.as_str() {
            "id" => {
                fields.push((1, Field::Varint(value.as_u64().unwrap())));
                continue;
            }
            "error" => {
                inner.push((1, Field::Varint(value["code"].as_u64().unwrap())));
                inner.push((2, text(&value["message"])));
                2
            }
            "push" => {
                inner.push((2, text(&value["channel"])));
                inner.push((4, publication(&value["pub"])));
                4
            }
            "connect" => {
                inner.push((7, Field::Varint(25)));
                inner.push((8, Field::Varint(1)));
                5
            }
            "subscribe" => {
                inner.push((3, Field::Varint(1)));
                inner.push((6, text(&value["epoch"])));
                for one in value["publications"].as_array().unwrap() {
                    inner.push((7, publication(one)));
                }
                inner.push((8, Field::Varint(u64::from(value["recovered"] == true))));
                inner.push((9, Field::Varint(value["offset"].as_u64().unwrap())));
                6
            }
            "publish" => 8,
            "history" => 11,
            other => panic!("{other}"),
        };
        fields.push((number, Field::Bytes(protobuf::message(&inner))));
    }
    fields
}
