//! Frames and encodings: what a byte on a socket costs before anybody asks what it means.

use bytes::{Bytes, BytesMut};
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::connection::{Connection, Event, Input};
use ringwire_protocol::websocket::{Limits, MessageKind, Role};
use ringwire_protocol::wire::{
    Command, Message, Reply, Send, SendAck, ServerFrame, command, reply, server_frame,
};

use super::{BATCH, Path, Work};

const LIMITS: Limits = Limits { max_message_bytes: 1 << 20 };

pub(super) fn paths() -> Vec<Path> {
    let command = chat_message();
    let mut paths = vec![
        Path::new("receive, 64 B", BATCH, Receive::new(MessageKind::Binary, 64)),
        Path::new("receive, text, 1 KiB", BATCH, Receive::new(MessageKind::Text, 1_024)),
        Path::new("send, 64 B", BATCH, Sending::new(64)),
    ];
    for (encoding, decode, encode) in [
        (Encoding::Protobuf, "decode, Protobuf", "encode, Protobuf"),
        (Encoding::Json, "decode, JSON", "encode, JSON"),
    ] {
        let payload = encoding.encode_one(&command);
        paths.push(Path::new(decode, BATCH, Decode { encoding, payload, decoded: BATCH }));
        paths.push(Path::new(encode, BATCH, Encode { encoding, ack: ack(), out: BytesMut::new() }));
    }
    paths
}

/// A chat message of 64 bytes.
fn chat_message() -> Command {
    let message = Message { text: "x".repeat(64), ..Message::default() };
    let send = Send {
        conversation_id: 1 << 40,
        client_msg_id: "m-0123456789".to_owned(),
        message: Some(message),
        ..Send::default()
    };
    Command { id: 7, op: Some(command::Op::Send(send)), ..Command::default() }
}

/// The answer to it.
fn ack() -> ServerFrame {
    let ack = SendAck {
        conversation_id: 1 << 40,
        seq: 1_000,
        msg_no: 999,
        created_at: 1_700_000_000_000,
        client_msg_id: "m-0123456789".to_owned(),
    };
    let reply = Reply { id: 7, outcome: Some(reply::Outcome::SendAck(ack)) };
    ServerFrame { frame: Some(server_frame::Frame::Reply(reply)) }
}

/// Parses, unmasks and checks what one read brought.
struct Receive {
    batch: Bytes,
    buffer: BytesMut,
    server: Connection,
    received: usize,
}

impl Receive {
    fn new(kind: MessageKind, size_bytes: usize) -> Self {
        let mut client = Connection::new_client(1, LIMITS);
        for _ in 0..BATCH {
            client.send(kind, &vec![b'a'; size_bytes]);
        }
        let batch = client.output().split().freeze();
        let server = Connection::new(Role::Server, LIMITS);
        Self { buffer: BytesMut::from(&batch[..]), batch, server, received: BATCH }
    }
}

impl Work for Receive {
    fn prepare(&mut self) {
        assert_eq!(self.received, BATCH, "every message arrives");
        self.buffer.copy_from_slice(&self.batch);
    }

    fn run(&mut self) {
        self.received = 0;
        let mut input = Input::new(&mut self.buffer);
        while let Ok(Some(Event::Message { .. })) = self.server.poll(&mut input) {
            self.received += 1;
        }
    }
}

/// Frames what one turn answers.
struct Sending {
    payload: Vec<u8>,
    server: Connection,
}

impl Sending {
    fn new(size_bytes: usize) -> Self {
        Self { payload: vec![b'a'; size_bytes], server: Connection::new(Role::Server, LIMITS) }
    }
}

impl Work for Sending {
    fn prepare(&mut self) {
        self.server.output().clear();
    }

    fn run(&mut self) {
        for _ in 0..BATCH {
            self.server.send(MessageKind::Binary, &self.payload);
        }
    }
}

struct Decode {
    encoding: Encoding,
    payload: Bytes,
    decoded: usize,
}

impl Work for Decode {
    fn prepare(&mut self) {
        assert_eq!(self.decoded, BATCH, "every command is understood");
    }

    fn run(&mut self) {
        self.decoded = 0;
        for _ in 0..BATCH {
            let commands = self.encoding.decode::<Command>(&self.payload);
            self.decoded += commands.flatten().count();
        }
    }
}

struct Encode {
    encoding: Encoding,
    ack: ServerFrame,
    out: BytesMut,
}

impl Work for Encode {
    fn prepare(&mut self) {
        self.out.clear();
    }

    fn run(&mut self) {
        for _ in 0..BATCH {
            self.encoding.encode(&self.ack, &mut self.out);
        }
    }
}
