//! A user on a blocking socket: enough of a client to be idle with.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Result, bail};
use bytes::BytesMut;
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::connection::{Connection, Event, Input};
use ringwire_protocol::websocket::Limits;
use ringwire_protocol::websocket::handshake::ClientHandshake;
use ringwire_protocol::wire;
use wire::reply::Outcome;
use wire::server_frame::Frame;

const ENCODING: Encoding = Encoding::Protobuf;

pub(crate) struct Client {
    pub(crate) user_id: u64,
    stream: TcpStream,
    machine: Connection,
    replies: Vec<Outcome>,
    next_id: u64,
}

impl Client {
    /// A connection whose upgrade is answered.
    pub(crate) fn connect(address: SocketAddr, user_id: u64) -> Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let host = address.to_string();
        let (handshake, request) =
            ClientHandshake::new(&host, "/ws", &[ENCODING.subprotocol()], &[]);
        stream.write_all(&request)?;
        let mut read = BytesMut::new();
        loop {
            let mut buffer = [0; 1024];
            let count = stream.read(&mut buffer)?;
            read.extend_from_slice(&buffer[..count]);
            if handshake.parse_response(&read)?.is_some() {
                break;
            }
            if count == 0 {
                bail!("the server closed the connection during the upgrade");
            }
        }
        let machine = Connection::new_client(user_id, Limits { max_message_bytes: 1 << 20 });
        Ok(Self { user_id, stream, machine, replies: Vec::new(), next_id: 1 })
    }

    /// Sends a command.
    pub(crate) fn send(&mut self, op: wire::command::Op) -> Result<()> {
        let command = wire::Command { id: self.next_id, received: 0, op: Some(op) };
        self.next_id += 1;
        self.machine.send(ENCODING.message_kind(), &ENCODING.encode_one(&command));
        self.flush()
    }

    /// Waits for the reply to the oldest unanswered command.
    pub(crate) fn reply(&mut self) -> Result<Outcome> {
        while self.replies.is_empty() {
            self.receive()?;
        }
        Ok(self.replies.remove(0))
    }

    /// Reads what has arrived without waiting; the machine answers pings.
    pub(crate) fn answer_pings(&mut self) -> Result<()> {
        self.stream.set_nonblocking(true)?;
        let received = loop {
            match self.receive() {
                Ok(()) => {}
                Err(error) => break error,
            }
        };
        self.stream.set_nonblocking(false)?;
        match received.downcast_ref::<std::io::Error>() {
            Some(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            _ => Err(received),
        }
    }

    fn receive(&mut self) -> Result<()> {
        let mut buffer = [0; 16 * 1024];
        let count = self.stream.read(&mut buffer)?;
        if count == 0 {
            bail!("the server closed the connection");
        }
        let mut input = Input::new(&mut buffer[..count]);
        while let Some(event) = self.machine.poll(&mut input)? {
            if let Event::Message { payload, .. } = event {
                for frame in ENCODING.decode::<wire::ServerFrame>(payload) {
                    if let Some(Frame::Reply(reply)) = frame?.frame {
                        self.replies.extend(reply.outcome);
                    }
                }
            }
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        let output = self.machine.output();
        if !output.is_empty() {
            self.stream.write_all(output)?;
            output.clear();
        }
        Ok(())
    }
}
