//! A user on a blocking socket: enough of a client to be measured with.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Result, bail};
use bytes::BytesMut;
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::connection::{self, Connection, Input};
use ringwire_protocol::websocket::Limits;
use ringwire_protocol::websocket::handshake::ClientHandshake;
use ringwire_protocol::wire;
use wire::push::Event;
use wire::reply::Outcome;
use wire::server_frame::Frame;

const ENCODING: Encoding = Encoding::Protobuf;

/// One connection of one user. Replies are kept in their order; pushes go to whoever receives.
pub struct Client {
    /// Whose.
    pub user_id: u64,
    stream: TcpStream,
    machine: Connection,
    replies: VecDeque<Outcome>,
    next_id: u64,
}

impl Client {
    /// A connection whose upgrade is answered.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or refuses.
    pub fn connect(address: SocketAddr, user_id: u64) -> Result<Self> {
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
        Ok(Self { user_id, stream, machine, replies: VecDeque::new(), next_id: 1 })
    }

    /// Sends a command.
    ///
    /// # Errors
    ///
    /// The connection is over.
    pub fn send(&mut self, op: wire::command::Op) -> Result<()> {
        let command = wire::Command { id: self.next_id, received: 0, op: Some(op) };
        self.next_id += 1;
        self.machine.send(ENCODING.message_kind(), &ENCODING.encode_one(&command));
        self.flush()
    }

    /// Waits for the reply to the oldest unanswered command.
    ///
    /// # Errors
    ///
    /// The connection is over.
    pub fn reply(&mut self) -> Result<Outcome> {
        loop {
            if let Some(reply) = self.replies.pop_front() {
                return Ok(reply);
            }
            self.receive(drop)?;
        }
    }

    /// Reads what has arrived without waiting; the machine answers pings.
    ///
    /// # Errors
    ///
    /// The connection is over.
    pub fn answer_pings(&mut self) -> Result<()> {
        self.stream.set_nonblocking(true)?;
        self.drain(drop)?;
        Ok(self.stream.set_nonblocking(false)?)
    }

    /// Reads all that has arrived; the socket must not block.
    ///
    /// # Errors
    ///
    /// The connection is over, or the server sent what is no frame.
    pub fn drain(&mut self, mut on_push: impl FnMut(Event)) -> Result<()> {
        let ended = loop {
            if let Err(ended) = self.receive(&mut on_push) {
                break ended;
            }
        };
        match ended.downcast_ref::<std::io::Error>() {
            Some(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            _ => Err(ended),
        }
    }

    /// Reads once, waiting if nothing has arrived, and gives every push to `on_push`.
    ///
    /// # Errors
    ///
    /// The connection is over, or the server sent what is no frame.
    pub fn receive(&mut self, mut on_push: impl FnMut(Event)) -> Result<()> {
        let mut buffer = [0; 16 * 1024];
        let count = self.stream.read(&mut buffer)?;
        if count == 0 {
            bail!("the server closed the connection");
        }
        let mut input = Input::new(&mut buffer[..count]);
        while let Some(event) = self.machine.poll(&mut input)? {
            if let connection::Event::Message { payload, .. } = event {
                for frame in ENCODING.decode::<wire::ServerFrame>(payload) {
                    match frame?.frame {
                        Some(Frame::Reply(reply)) => self.replies.extend(reply.outcome),
                        Some(Frame::Push(push)) => push.event.into_iter().for_each(&mut on_push),
                        None => {}
                    }
                }
            }
        }
        self.flush()
    }

    /// The socket, to be waited for or changed.
    pub fn socket(&self) -> &TcpStream {
        &self.stream
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
