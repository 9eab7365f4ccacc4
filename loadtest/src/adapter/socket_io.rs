//! Socket.IO 5 over Engine.IO 4, by WebSocket from the first byte on. What events mean is up to the application: here
//! one carries messages, and one asks to be let into a room.
//!
//! ```text
//!   ◄── 0{"sid":…,"pingInterval":25000,…}       ──► 40 or 40{"token":"…"}         ◄── 40{"sid":…}
//!   ──► 420["join","room"]                      ◄── 430[…]
//!   ──► 421["message",{"room":"room","text":"text"}]                              ◄── 431[…]
//!   ◄── 42["message",{"text":"text",…}] or 42["message","text"]                   ◄── 2   ──► 3
//! ```
//!
//! Acknowledgement 0 is the join's; sends count from 1. Binary events are passed over.

use bytes::{BufMut as _, BytesMut};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Garbled, Heard, Out, Place, Post, Text, Which, shortened};
use crate::scenario::Foreign;

/// The acknowledgement of the join.
const JOIN_ID: u32 = 0;

/// One user.
#[derive(Debug)]
pub(crate) struct SocketIo {
    token: String,
    room: String,
    event: String,
    /// The event that asks for the room; empty: none is asked for.
    join: String,
    /// The application acknowledges events.
    answers: bool,
}

#[derive(Serialize)]
struct Message<'a> {
    room: &'a str,
    text: &'a str,
}

impl SocketIo {
    /// A user of a room; `answers`: the application acknowledges events.
    pub(super) fn new(place: &Place, foreign: &Foreign, answers: bool) -> Self {
        Self {
            token: place.token.clone(),
            room: place.room.clone(),
            event: foreign.event.clone(),
            join: if place.converses { foreign.join.clone() } else { String::new() },
            answers,
        }
    }

    /// Takes in a packet of the server.
    pub(super) fn take_in(
        &self,
        payload: &[u8],
        out: &mut Out,
        heard: &mut Vec<Heard>,
    ) -> Result<(), Garbled> {
        let packet = std::str::from_utf8(payload).map_err(Garbled::new)?;
        let mut characters = packet.chars();
        match characters.next() {
            Some('0') => {
                let auth = match self.token.as_str() {
                    "" => String::new(),
                    token => json!({ "token": token }).to_string(),
                };
                out.push(format!("40{auth}"));
            }
            Some('2') => out.push(format!("3{}", characters.as_str())),
            Some('4') => self.packet(characters.as_str(), out, heard)?,
            // Closing, an answered ping, nothing at all, and binary data of events that are passed over.
            Some('1' | '3' | '5' | '6' | 'b') | None => {}
            Some(other) => return Err(Garbled::new(format_args!("packet {other:?}"))),
        }
        Ok(())
    }

    /// A packet of Socket.IO inside one of Engine.IO.
    fn packet(&self, packet: &str, out: &mut Out, heard: &mut Vec<Heard>) -> Result<(), Garbled> {
        let mut characters = packet.chars();
        let kind = characters.next();
        let rest = characters.as_str();
        if rest.starts_with('/') {
            // Of another namespace.
            return Ok(());
        }
        match kind {
            Some('0') => {
                if self.join.is_empty() {
                    heard.push(Heard::Live);
                } else if self.answers {
                    out.push(format!("42{JOIN_ID}{}", json!([self.join, self.room])));
                } else {
                    out.push(format!("42{}", json!([self.join, self.room])));
                    heard.push(Heard::Live);
                }
            }
            Some('1') => heard.push(Heard::Failed("the server ended the session".to_owned())),
            Some('2') => {
                let (_, body) = number(rest);
                let arguments: Vec<Value> = serde_json::from_str(body).map_err(Garbled::new)?;
                let named = arguments.first().and_then(Value::as_str);
                if named != Some(&self.event) {
                    return Ok(());
                }
                let text = arguments.iter().skip(1).find_map(|argument| match argument {
                    Value::String(text) => Some(text.as_str()),
                    object => object.get("text").and_then(Value::as_str),
                });
                heard.push(Heard::Message(Text::read(text.unwrap_or_default())));
            }
            Some('3') => match number(rest) {
                (Some(JOIN_ID), _) => heard.push(Heard::Live),
                (Some(id), _) => heard.push(Heard::Acked(Which::Id(id))),
                (None, _) => return Err(Garbled::new("an acknowledgement of nothing")),
            },
            Some('4') => {
                let error: Value = serde_json::from_str(rest).unwrap_or_default();
                let what = error.get("message").and_then(Value::as_str).unwrap_or("no reason");
                heard.push(Heard::Failed(format!("connect was refused: {}", shortened(what))));
            }
            // Binary ones: their data follows in messages of its own.
            Some('5' | '6') => {}
            other => return Err(Garbled::new(format_args!("packet 4{other:?}"))),
        }
        Ok(())
    }

    /// Writes a send.
    pub(super) fn send(&self, post: Post<'_>, frame: &mut BytesMut) {
        frame.extend_from_slice(b"42");
        if self.answers {
            frame.extend_from_slice(post.id.to_string().as_bytes());
        }
        let message = Message { room: &self.room, text: post.text };
        let _ = serde_json::to_writer(frame.writer(), &(&self.event, message));
    }
}

/// The number a packet begins with, and what follows.
fn number(packet: &str) -> (Option<u32>, &str) {
    let end = packet.find(|character: char| !character.is_ascii_digit()).unwrap_or(packet.len());
    let (digits, rest) = packet.split_at(end);
    (digits.parse().ok(), rest)
}
