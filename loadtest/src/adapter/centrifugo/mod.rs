//! Centrifugo's client protocol 2: commands with ids, replies, and pushes of what is published in a channel.
//!
//! ```text
//!   connect {token} ──► subscribe {channel} ──► live        publish {channel, data} ──► its reply
//!   ◄── push {channel, pub {data, offset}}                   ◄── {} (ping)   ──► {} (pong)
//!   back again: subscribe {channel, recover, offset, epoch} ──► what was missed, and whether that was all
//! ```
//!
//! The same schema travels as JSON, a line each, and as Protobuf, each behind its length: `wire` is the schema, this
//! file what is done with it. The data of a publication is `{"text":…}` in both.

mod wire;

use bytes::BytesMut;
use ringwire_protocol::websocket::MessageKind;

use super::{Garbled, Heard, Out, Place, Post, Text, Which, object, put_json, shortened};
use wire::{Command, Data, Reply};

pub(crate) use wire::Codec;

const CONNECT_ID: u32 = u32::MAX;
const SUBSCRIBE_ID: u32 = u32::MAX - 1;

/// One user of a channel.
#[derive(Debug)]
pub(crate) struct Centrifugo {
    codec: Codec,
    token: String,
    channel: String,
    /// There is a channel to subscribe to.
    converses: bool,
    /// The server wants its pings answered.
    pongs: bool,
    /// How far the user has got in the channel, where the channel remembers.
    position: Option<Position>,
}

#[derive(Clone, Debug)]
struct Position {
    offset: u64,
    epoch: String,
}

impl Centrifugo {
    /// A user of the channel that is its room.
    pub(super) fn new(place: &Place, codec: Codec) -> Self {
        Self {
            codec,
            token: place.token.clone(),
            channel: place.room.clone(),
            converses: place.converses,
            pongs: false,
            position: None,
        }
    }

    /// How frames travel.
    pub(super) fn kind(&self) -> MessageKind {
        match self.codec {
            Codec::Json => MessageKind::Text,
            Codec::Protobuf => MessageKind::Binary,
        }
    }

    /// The WebSocket is open: introduces the user.
    pub(super) fn open(&mut self, out: &mut Out) {
        let token = self.token.clone();
        let connect = wire::Connect { token, name: "ringwire-loadtest".to_owned() };
        self.say(&Command { id: CONNECT_ID, connect: Some(connect), ..Command::default() }, out);
    }

    fn say(&self, command: &Command, out: &mut Out) {
        let mut frame = BytesMut::new();
        self.codec.put(command, &mut frame);
        out.push(frame);
    }

    /// Takes in a message of the server.
    pub(super) fn take_in(
        &mut self,
        payload: &[u8],
        out: &mut Out,
        heard: &mut Vec<Heard>,
    ) -> Result<(), Garbled> {
        for reply in self.codec.replies(payload)? {
            self.reply(reply, out, heard);
        }
        Ok(())
    }

    fn reply(&mut self, reply: Reply, out: &mut Out, heard: &mut Vec<Heard>) {
        let id = reply.id;
        if let Some(error) = reply.error {
            let name = shortened(&error.message);
            heard.push(match id {
                CONNECT_ID => Heard::Failed(format!("connect was refused: {name}")),
                SUBSCRIBE_ID => Heard::Failed(format!("subscribe was refused: {name}")),
                0 => Heard::Error(name),
                id => Heard::Refused { which: Which::Id(id), code: error.code, name },
            });
        } else if let Some(push) = reply.push {
            if push.channel != self.channel {
                return;
            }
            if let Some(publication) = push.publication {
                self.publication(&publication, heard);
            } else if push.unsubscribe.is_some() {
                heard.push(Heard::Failed("the server unsubscribed the user".to_owned()));
            }
        } else if let Some(connected) = reply.connect {
            self.pongs = connected.pong;
            if self.converses {
                self.subscribe(out);
            } else {
                heard.push(Heard::Live);
            }
        } else if let Some(subscribed) = reply.subscribe {
            for publication in &subscribed.publications {
                self.publication(publication, heard);
            }
            if self.position.is_some() && !subscribed.recovered {
                heard.push(Heard::Error("what was missed could not be recovered".to_owned()));
            }
            self.position = subscribed
                .recoverable
                .then_some(Position { offset: subscribed.offset, epoch: subscribed.epoch });
            heard.push(Heard::Live);
        } else if reply.history.is_some() {
            heard.push(Heard::HistoryRead { id });
        } else if id == 0 {
            if self.pongs {
                self.say(&Command::default(), out);
            }
        } else {
            // An empty result may be left out of the frame, so that a publish is whatever is nothing else.
            heard.push(Heard::Acked(Which::Id(id)));
        }
    }

    fn subscribe(&self, out: &mut Out) {
        let position = self.position.clone();
        let subscribe = wire::Subscribe {
            channel: self.channel.clone(),
            recover: position.is_some(),
            offset: position.as_ref().map_or(0, |position| position.offset),
            epoch: position.map_or_else(String::new, |position| position.epoch),
        };
        let id = SUBSCRIBE_ID;
        self.say(&Command { id, subscribe: Some(subscribe), ..Command::default() }, out);
    }

    fn publication(&mut self, publication: &wire::Publication, heard: &mut Vec<Heard>) {
        if let Some(position) = &mut self.position {
            position.offset = position.offset.max(publication.offset);
        }
        // Whatever somebody else publishes is a message, but none of ours.
        let data: Result<Data<'_>, _> = object(&publication.data);
        heard.push(Heard::Message(Text::read(data.as_ref().map_or("", |data| &data.text))));
    }

    /// Writes a send.
    pub(super) fn send(&self, post: Post<'_>, frame: &mut BytesMut) {
        let mut data = BytesMut::new();
        put_json(&mut data, &Data { text: post.text.into() });
        let publish = wire::Publish { channel: self.channel.clone(), data: data.to_vec() };
        let command = Command { id: post.id, publish: Some(publish), ..Command::default() };
        self.codec.put(&command, frame);
    }

    /// Looks at the newest entries of the channel's history.
    pub(super) fn history(&self, id: u32, limit: u32, out: &mut Out) {
        let history = wire::History {
            channel: self.channel.clone(),
            limit: i32::try_from(limit).unwrap_or(i32::MAX),
            reverse: true,
        };
        self.say(&Command { id, history: Some(history), ..Command::default() }, out);
    }
}
