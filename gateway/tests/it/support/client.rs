//! A client on a blocking socket: the protocol's own connection machine, and a way round it for bad bytes.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::connection::{Connection, Event, Input};
use ringwire_protocol::websocket::deflate::Deflater;
use ringwire_protocol::websocket::handshake::ClientHandshake;
use ringwire_protocol::websocket::{Limits, MessageKind, Role};
use ringwire_protocol::wire::{self, command::Op, reply::Outcome, server_frame::Frame};

use super::PATIENCE;
use super::server::ServerProcess;

/// The server may send pages that are larger than what it accepts itself.
const LIMITS: Limits = Limits { max_message_bytes: 16 * 1024 * 1024 };

/// What the server sent.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a test holds few, and boxes would get into every pattern"
)]
pub(crate) enum Arrived {
    /// The answer to a command.
    Reply(wire::Reply),
    /// A push.
    Push(wire::push::Event),
    /// The connection is over, with this close code; `None`: it broke off.
    Closed(Option<u16>),
}

/// What an upgrade request carries beside the necessary.
#[derive(Clone, Debug, Default)]
pub(crate) struct Upgrade {
    /// What stands behind `/ws`.
    pub(crate) query: String,
    /// Subprotocols in order of preference.
    pub(crate) protocols: Vec<String>,
    /// Further headers.
    pub(crate) headers: Vec<(String, String)>,
    /// Offers to compress messages.
    pub(crate) deflate: bool,
}

impl Upgrade {
    /// Asks for an encoding by its subprotocol.
    pub(crate) fn encoding(encoding: Encoding) -> Self {
        Self { protocols: vec![encoding.subprotocol().to_owned()], ..Self::default() }
    }

    /// Adds a token in the header.
    pub(crate) fn bearer(mut self, token: &str) -> Self {
        self.headers.push(("Authorization".to_owned(), format!("Bearer {token}")));
        self
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Offers permessage-deflate.
    pub(crate) fn deflate(mut self) -> Self {
        self.deflate = true;
        self
    }

    /// The bytes of the request, and what checks the answer.
    pub(crate) fn request(&self, address: SocketAddr) -> (ClientHandshake, Vec<u8>) {
        let protocols: Vec<&str> = self.protocols.iter().map(String::as_str).collect();
        let headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let path = format!("/ws{}", self.query);
        let request_for =
            if self.deflate { ClientHandshake::with_deflate } else { ClientHandshake::new };
        let (handshake, request) = request_for(&address.to_string(), &path, &protocols, &headers);
        (handshake, request.to_vec())
    }
}

/// One WebSocket to the server.
pub(crate) struct Client {
    stream: TcpStream,
    machine: Connection,
    deflater: Deflater,
    /// Bytes that came since the handshake.
    pub(crate) received_bytes: usize,
    /// How frames are written.
    pub(crate) encoding: Encoding,
    arrived: VecDeque<Arrived>,
    over: bool,
    next_id: u64,
    /// Durable pushes of this session that have arrived: the count that rides on every command.
    pub(crate) counted: u64,
}

impl Client {
    /// Opens a WebSocket; the status if the server refuses.
    pub(crate) fn upgrade(
        address: SocketAddr,
        upgrade: &Upgrade,
        encoding: Encoding,
    ) -> Result<Self, u16> {
        Self::upgrade_on(dial(address).expect("a connection"), upgrade, encoding, b"")
    }

    /// Opens a WebSocket on a connection, with `behind` in the same packet as the request.
    pub(crate) fn upgrade_on(
        mut stream: TcpStream,
        upgrade: &Upgrade,
        encoding: Encoding,
        behind: &[u8],
    ) -> Result<Self, u16> {
        let address = stream.peer_addr().map_err(|_| 0_u16)?;
        let (handshake, mut request) = upgrade.request(address);
        request.extend_from_slice(behind);
        // A server that turned the connection away has said why already.
        let _ = stream.write_all(&request);
        Self::after_request(stream, &handshake, encoding)
    }

    /// Reads the answer to an upgrade request; 0 if there is none.
    pub(crate) fn after_request(
        mut stream: TcpStream,
        handshake: &ClientHandshake,
        encoding: Encoding,
    ) -> Result<Self, u16> {
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        let (deflate, consumed) = loop {
            match handshake.parse_response(&bytes) {
                Ok(None) => {}
                Ok(Some((response, consumed))) if response.status == 101 => {
                    break (response.deflate, consumed);
                }
                Ok(Some((response, _))) => return Err(response.status),
                Err(error) => panic!("the server's handshake is wrong: {error}"),
            }
            match stream.read(&mut buffer) {
                Ok(count @ 1..) => bytes.extend_from_slice(&buffer[..count]),
                Ok(0) | Err(_) => return Err(0),
            }
        };
        let mut machine = Connection::new(Role::Client, LIMITS);
        if deflate {
            machine = machine.with_deflate();
        }
        let mut client = Self {
            stream,
            machine,
            deflater: Deflater::default(),
            received_bytes: 0,
            encoding,
            arrived: VecDeque::new(),
            over: false,
            next_id: 1,
            counted: 0,
        };
        client.feed(&mut bytes[consumed..]);
        Ok(client)
    }

    /// Whether messages may be compressed, in both directions.
    pub(crate) fn is_deflate_agreed(&self) -> bool {
        self.machine.is_deflate_agreed()
    }

    /// A session of this user with the defaults of `connect`.
    pub(crate) fn session(server: &ServerProcess, user: u64, encoding: Encoding) -> Self {
        Self::session_with(server, user, encoding, wire::Connect::default()).0
    }

    /// A session of this user, and what `connected` told.
    pub(crate) fn session_with(
        server: &ServerProcess,
        user: u64,
        encoding: Encoding,
        connect: wire::Connect,
    ) -> (Self, wire::Connected) {
        let upgrade = Upgrade::encoding(encoding).bearer(&server.token(user));
        let mut client = Self::upgrade(server.address(), &upgrade, encoding).expect("a WebSocket");
        let connected = client.connect(connect).expect("a session");
        (client, connected)
    }

    /// Sends `connect` and waits for the answer.
    pub(crate) fn connect(
        &mut self,
        connect: wire::Connect,
    ) -> Result<wire::Connected, wire::Error> {
        match self.call(Op::Connect(connect))? {
            Outcome::Connected(connected) => Ok(connected),
            other => panic!("an odd answer to connect: {other:?}"),
        }
    }

    /// Puts a command into the output without writing it; answers its id.
    pub(crate) fn queue(&mut self, op: Op) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let payload = self.encode(&wire::Command { id, received: self.counted, op: Some(op) });
        self.machine.send_smaller(kind_of(self.encoding), &payload, &mut self.deflater);
        id
    }

    /// Queues a command and writes everything queued.
    pub(crate) fn start(&mut self, op: Op) -> u64 {
        let id = self.queue(op);
        // A connection the server closed meanwhile is noticed by reading.
        let _ = self.flush();
        id
    }

    /// Everything queued, to be written by somebody else.
    pub(crate) fn take_output(&mut self) -> BytesMut {
        std::mem::take(self.machine.output())
    }

    /// Writes everything queued.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let output = std::mem::take(self.machine.output());
        self.stream.write_all(&output)
    }

    /// A command as the payload of a message.
    pub(crate) fn encode(&self, command: &wire::Command) -> BytesMut {
        let mut payload = BytesMut::new();
        self.encoding.encode(command, &mut payload);
        payload
    }

    /// Carries a command out: its result, or why it was refused. Pushes that come before are kept.
    pub(crate) fn call(&mut self, op: Op) -> Result<Outcome, wire::Error> {
        let id = self.start(op);
        self.answer(id)
    }

    /// Waits for the answer to a command. Everything else that comes before is kept.
    pub(crate) fn answer(&mut self, id: u64) -> Result<Outcome, wire::Error> {
        self.try_answer(id).unwrap_or_else(|| panic!("no answer to {id}: {:?}", self.arrived))
    }

    /// The same; `None`: the connection ended before.
    pub(crate) fn try_answer(&mut self, id: u64) -> Option<Result<Outcome, wire::Error>> {
        let is_answer =
            |arrived: &Arrived| matches!(arrived, Arrived::Reply(reply) if reply.id == id);
        let deadline = Instant::now() + PATIENCE;
        let mut looked_at = 0;
        loop {
            if let Some(place) = self.arrived.iter().skip(looked_at).position(is_answer) {
                let Some(Arrived::Reply(reply)) = self.arrived.remove(looked_at + place) else {
                    unreachable!("it was just found");
                };
                return Some(match reply.outcome.expect("a reply has an outcome") {
                    Outcome::Error(error) => Err(error),
                    outcome => Ok(outcome),
                });
            }
            if self.over {
                return None;
            }
            assert!(Instant::now() < deadline, "no answer to {id}: {:?}", self.arrived);
            looked_at = self.arrived.len();
            self.read(PATIENCE);
        }
    }

    /// Sends any payload as a message of any kind.
    pub(crate) fn send_message(&mut self, kind: MessageKind, payload: &[u8]) {
        self.machine.send_smaller(kind, payload, &mut self.deflater);
        self.flush().expect("writing a message");
    }

    /// Sends any payload as a message of this encoding's kind.
    pub(crate) fn send_payload(&mut self, payload: &[u8]) {
        self.send_message(kind_of(self.encoding), payload);
    }

    /// Sends bytes as they are.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("writing bytes");
    }

    /// What comes next. Panics if nothing does.
    pub(crate) fn next(&mut self) -> Arrived {
        let deadline = Instant::now() + PATIENCE;
        while self.arrived.is_empty() && !self.over {
            assert!(Instant::now() < deadline, "the server says nothing");
            self.read(PATIENCE);
        }
        self.arrived.pop_front().unwrap_or(Arrived::Closed(None))
    }

    /// What comes next, if something comes within this time.
    pub(crate) fn next_within(&mut self, patience: Duration) -> Option<Arrived> {
        if self.arrived.is_empty() && !self.over {
            self.read(patience);
        }
        match self.arrived.pop_front() {
            None if self.over => Some(Arrived::Closed(None)),
            arrived => arrived,
        }
    }

    /// The next push. Panics at anything else.
    pub(crate) fn next_push(&mut self) -> wire::push::Event {
        match self.next() {
            Arrived::Push(event) => event,
            other => panic!("not a push: {other:?}"),
        }
    }

    /// The next entry that is pushed; cursors of others may come between.
    pub(crate) fn next_entry(&mut self) -> wire::Entry {
        loop {
            match self.next_push() {
                wire::push::Event::Entry(entry) => return entry,
                wire::push::Event::Cursor(_) => {}
                other => panic!("not an entry: {other:?}"),
            }
        }
    }

    /// Reads on until the connection is over; the close code.
    pub(crate) fn close_code(&mut self) -> Option<u16> {
        loop {
            if let Arrived::Closed(code) = self.next() {
                return code;
            }
        }
    }

    /// Asserts that a ping is answered; then the commands before it are at their conversations' owners.
    pub(crate) fn assert_answers_ping(&mut self) {
        let pong = self.call(Op::Ping(wire::Ping {}));
        assert!(matches!(pong, Ok(Outcome::Pong(_))), "{pong:?}");
    }

    /// Asserts that nothing was pushed before the answer to a ping.
    pub(crate) fn assert_quiet(&mut self) {
        self.assert_answers_ping();
        assert_eq!(self.arrived, []);
    }

    /// The same, save for cursors of others.
    pub(crate) fn assert_quiet_but_for_cursors(&mut self) {
        self.assert_answers_ping();
        self.arrived.retain(|it| !matches!(it, Arrived::Push(wire::push::Event::Cursor(_))));
        assert_eq!(self.arrived, []);
    }

    /// Whether the connection is still there after everything that has been sent so far.
    pub(crate) fn is_live(&mut self) -> bool {
        let id = self.start(Op::Ping(wire::Ping {}));
        self.try_answer(id).is_some()
    }

    /// Ends the connection in an orderly way.
    pub(crate) fn close(mut self) {
        self.machine.close(1000, "");
        let _ = self.flush();
        while !self.over {
            self.read(PATIENCE);
        }
    }

    /// The socket itself.
    pub(crate) fn socket(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Reads what there is, or waits for it.
    fn read(&mut self, patience: Duration) {
        let mut buffer = vec![0; 64 * 1024];
        self.stream.set_read_timeout(Some(patience)).expect("a read timeout");
        match self.stream.read(&mut buffer) {
            Ok(count @ 1..) => self.feed(&mut buffer[..count]),
            Err(error) if is_timeout(&error) => {}
            Ok(0) | Err(_) => self.end(None),
        }
    }

    fn end(&mut self, code: Option<u16>) {
        if !self.over {
            self.over = true;
            self.arrived.push_back(Arrived::Closed(code));
        }
    }

    /// Bytes from the server that were read by somebody else, or here.
    pub(crate) fn feed(&mut self, bytes: &mut [u8]) {
        self.received_bytes += bytes.len();
        let mut input = Input::new(bytes);
        let mut closed = None;
        loop {
            match self.machine.poll(&mut input) {
                Ok(Some(Event::Message { kind, payload })) => {
                    assert_eq!(kind, kind_of(self.encoding));
                    for frame in self.encoding.decode::<wire::ServerFrame>(payload) {
                        let arrived = arrived(frame.expect("a sound frame"));
                        self.counted += u64::from(is_durable(&arrived));
                        self.arrived.push_back(arrived);
                    }
                }
                Ok(Some(Event::Close { code, .. })) => closed = Some(code),
                Ok(Some(Event::Ping(_) | Event::Pong(_))) => {}
                Ok(None) => break,
                Err(error) => panic!("the server broke the WebSocket protocol: {error}"),
            }
        }
        let _ = self.flush();
        if let Some(code) = closed {
            self.end(code);
        }
    }
}

/// Whether both sides count it.
fn is_durable(arrived: &Arrived) -> bool {
    use wire::push::Event::{Cursor, Entry, ViewChanged};
    matches!(arrived, Arrived::Push(Entry(_) | Cursor(_) | ViewChanged(_)))
}

fn arrived(frame: wire::ServerFrame) -> Arrived {
    match frame.frame.expect("a frame has a kind") {
        Frame::Reply(reply) => Arrived::Reply(reply),
        Frame::Push(push) => Arrived::Push(push.event.expect("a push has an event")),
    }
}

/// The kind of message an encoding travels in.
pub(crate) const fn kind_of(encoding: Encoding) -> MessageKind {
    match encoding {
        Encoding::Protobuf => MessageKind::Binary,
        Encoding::Json => MessageKind::Text,
    }
}

/// A connection from an address of its own: from the server's, a client that tries while the server is away could
/// be given the server's port and connect to itself.
pub(crate) fn dial(address: SocketAddr) -> io::Result<TcpStream> {
    dial_with(address, |_| Ok(()))
}

/// Like [`dial`], with options set before the connection is made.
pub(crate) fn dial_with(
    address: SocketAddr,
    prepare: impl FnOnce(&socket2::Socket) -> io::Result<()>,
) -> io::Result<TcpStream> {
    dial_from([127, 0, 0, 2], address, prepare)
}

/// Like [`dial_with`], from another address of this machine.
pub(crate) fn dial_from(
    own: [u8; 4],
    address: SocketAddr,
    prepare: impl FnOnce(&socket2::Socket) -> io::Result<()>,
) -> io::Result<TcpStream> {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.bind(&SocketAddr::from((own, 0)).into())?;
    prepare(&socket)?;
    socket.connect(&address.into())?;
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
