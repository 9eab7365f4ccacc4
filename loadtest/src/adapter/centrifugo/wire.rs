//! The part of Centrifugo's schema that is spoken here, in both of its encodings.
//!
//! ```text
//!   JSON       {"id":1,"publish":{…}} \n {"id":2,…}           data is JSON within JSON
//!   Protobuf   length (varint) message, length message …      data is bytes that hold JSON
//! ```
//!
//! Field numbers are those of `client.proto` (github.com/centrifugal/protocol); what is not named here is passed over.

use std::borrow::Cow;

use bytes::BytesMut;
use prost::Message as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::adapter::{Garbled, lines, object, put_json};

/// How the schema travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Json,
    Protobuf,
}

/// From client to server. One with nothing in it is a pong.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Command {
    #[prost(uint32, tag = "1")]
    pub(super) id: u32,
    #[prost(message, optional, tag = "4")]
    pub(super) connect: Option<Connect>,
    #[prost(message, optional, tag = "5")]
    pub(super) subscribe: Option<Subscribe>,
    #[prost(message, optional, tag = "7")]
    pub(super) publish: Option<Publish>,
    #[prost(message, optional, tag = "10")]
    pub(super) history: Option<History>,
}

#[derive(Clone, PartialEq, Serialize, prost::Message)]
pub(super) struct Connect {
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) token: String,
    #[prost(string, tag = "4")]
    pub(super) name: String,
}

#[derive(Clone, PartialEq, Serialize, prost::Message)]
pub(super) struct Subscribe {
    #[prost(string, tag = "1")]
    pub(super) channel: String,
    #[prost(bool, tag = "3")]
    pub(super) recover: bool,
    #[prost(string, tag = "6")]
    pub(super) epoch: String,
    #[prost(uint64, tag = "7")]
    pub(super) offset: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Publish {
    #[prost(string, tag = "1")]
    pub(super) channel: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) data: Vec<u8>,
}

#[derive(Clone, PartialEq, Serialize, prost::Message)]
pub(super) struct History {
    #[prost(string, tag = "1")]
    pub(super) channel: String,
    #[prost(int32, tag = "7")]
    pub(super) limit: i32,
    #[prost(bool, tag = "9")]
    pub(super) reverse: bool,
}

/// From server to client. One without an id is a push, or, with nothing in it, a ping.
#[derive(Clone, PartialEq, Deserialize, prost::Message)]
#[serde(default)]
pub(super) struct Reply {
    #[prost(uint32, tag = "1")]
    pub(super) id: u32,
    #[prost(message, optional, tag = "2")]
    pub(super) error: Option<Error>,
    #[prost(message, optional, tag = "4")]
    pub(super) push: Option<Push>,
    #[prost(message, optional, tag = "5")]
    pub(super) connect: Option<Connected>,
    #[prost(message, optional, tag = "6")]
    pub(super) subscribe: Option<Subscribed>,
    #[prost(message, optional, tag = "11")]
    pub(super) history: Option<Empty>,
}

#[derive(Clone, PartialEq, Deserialize, prost::Message)]
#[serde(default)]
pub(super) struct Error {
    #[prost(uint32, tag = "1")]
    pub(super) code: u32,
    #[prost(string, tag = "2")]
    pub(super) message: String,
}

#[derive(Clone, PartialEq, Deserialize, prost::Message)]
#[serde(default)]
pub(super) struct Push {
    #[prost(string, tag = "2")]
    pub(super) channel: String,
    #[prost(message, optional, tag = "4")]
    #[serde(rename = "pub")]
    pub(super) publication: Option<Publication>,
    #[prost(message, optional, tag = "7")]
    pub(super) unsubscribe: Option<Empty>,
}

#[derive(Clone, PartialEq, Deserialize, prost::Message)]
#[serde(default)]
pub(super) struct Publication {
    #[prost(bytes = "vec", tag = "4")]
    #[serde(deserialize_with = "json_within_json")]
    pub(super) data: Vec<u8>,
    #[prost(uint64, tag = "6")]
    pub(super) offset: u64,
}

#[derive(Clone, PartialEq, Deserialize, prost::Message)]
#[serde(default)]
pub(super) struct Connected {
    #[prost(bool, tag = "8")]
    pub(super) pong: bool,
}

#[derive(Clone, PartialEq, Deserialize, prost::Message)]
#[serde(default)]
pub(super) struct Subscribed {
    #[prost(bool, tag = "3")]
    pub(super) recoverable: bool,
    #[prost(string, tag = "6")]
    pub(super) epoch: String,
    #[prost(message, repeated, tag = "7")]
    pub(super) publications: Vec<Publication>,
    #[prost(bool, tag = "8")]
    pub(super) recovered: bool,
    #[prost(uint64, tag = "9")]
    pub(super) offset: u64,
}

/// A message whose fields do not matter here.
#[derive(Clone, PartialEq, Deserialize, prost::Message)]
pub(super) struct Empty {}

/// A command as JSON: data is no text there, but a value.
#[derive(Serialize)]
struct JsonCommand<'a> {
    #[serde(skip_serializing_if = "is_zero")]
    id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    connect: Option<&'a Connect>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscribe: Option<&'a Subscribe>,
    #[serde(skip_serializing_if = "Option::is_none")]
    publish: Option<JsonPublish<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<&'a History>,
}

#[derive(Serialize)]
struct JsonPublish<'a> {
    channel: &'a str,
    data: Value,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(id: &u32) -> bool {
    *id == 0
}

fn json_within_json<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    Ok(Value::deserialize(from)?.to_string().into_bytes())
}

/// What our publications hold.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Data<'a> {
    #[serde(borrow)]
    pub(super) text: Cow<'a, str>,
}

impl Codec {
    /// Writes a command.
    pub(super) fn put(self, command: &Command, frame: &mut BytesMut) {
        match self {
            Self::Json => {
                let publish = command.publish.as_ref().map(|publish| JsonPublish {
                    channel: &publish.channel,
                    data: serde_json::from_slice(&publish.data).unwrap_or_default(),
                });
                let json = JsonCommand {
                    id: command.id,
                    connect: command.connect.as_ref(),
                    subscribe: command.subscribe.as_ref(),
                    publish,
                    history: command.history.as_ref(),
                };
                put_json(frame, &json);
            }
            // A buffer that grows has room for every message.
            Self::Protobuf => drop(command.encode_length_delimited(frame)),
        }
    }

    /// Reads the replies of a message.
    pub(super) fn replies(self, payload: &[u8]) -> Result<Vec<Reply>, Garbled> {
        match self {
            Self::Json => lines(payload).map(object).collect(),
            Self::Protobuf => {
                let mut rest = payload;
                let mut replies = Vec::new();
                while !rest.is_empty() {
                    let reply = Reply::decode_length_delimited(&mut rest).map_err(Garbled::new)?;
                    replies.push(reply);
                }
                Ok(replies)
            }
        }
    }
}
