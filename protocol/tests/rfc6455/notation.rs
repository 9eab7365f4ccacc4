//! The notation of the frame table, and the connection that is held against it.
//!
//! Frames are separated by spaces. One is written by its first byte and its payload, so that a row serves both roles:
//! the length is added, and the mask where the role demands one.
//!
//! ```text
//!   81(Hello)            FIN, text, "Hello"; bytes as \xNN
//!   82(ab+c*300)         "ab" and 300 times "c"
//!   81[7e0005](Hello)    the length field as given (without the mask bit), not as it ought to be
//!   81!(Hello)           masked where it must not be, or the other way round
//! ```
//!
//! Events are written `text(…)`, `binary(…)`, `ping(…)`, `pong(…)`, `close(code,reason)`, `close()` and `error`.

use ringwire_protocol::connection::{Connection, Event, Input};
use ringwire_protocol::websocket::{Limits, MessageKind, Role};

/// The largest message in the table.
pub(crate) const MAX_MESSAGE_BYTES: usize = 70_000;
const MASK_KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// The bytes a peer of `receiver` would send.
pub(crate) fn frames(notation: &str, receiver: Role) -> Vec<u8> {
    notation.split_whitespace().flat_map(|frame| self::frame(frame, receiver)).collect()
}

fn frame(notation: &str, receiver: Role) -> Vec<u8> {
    let (head, payload) = notation.strip_suffix(')').unwrap().split_once('(').unwrap();
    let payload = bytes(payload);
    let mut masked = receiver == Role::Server;
    let (first, length) = match head.split_once('[') {
        Some((first, length)) => (first, hex(length.strip_suffix(']').unwrap())),
        None => (head, minimal_length(payload.len())),
    };
    if first.ends_with('!') {
        masked = !masked;
    }
    let mut frame = hex(first.trim_end_matches('!'));
    frame.extend(length);
    if masked {
        frame[1] |= 0x80;
        frame.extend(MASK_KEY);
        frame.extend(payload.iter().zip(MASK_KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    } else {
        frame.extend(payload);
    }
    frame
}

fn minimal_length(length: usize) -> Vec<u8> {
    match u16::try_from(length) {
        Ok(length @ 0..126) => vec![length as u8],
        Ok(length) => [&[126], &length.to_be_bytes()[..]].concat(),
        Err(_) => [&[127], &(length as u64).to_be_bytes()[..]].concat(),
    }
}

fn hex(digits: &str) -> Vec<u8> {
    let pairs = (0..digits.len()).step_by(2).map(|at| &digits[at..at + 2]);
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn bytes(notation: &str) -> Vec<u8> {
    let parts = notation.split('+').map(|part| match part.split_once('*') {
        Some((part, times)) => unescape(part).repeat(times.parse().unwrap()),
        None => unescape(part),
    });
    parts.flatten().collect()
}

fn unescape(notation: &str) -> Vec<u8> {
    let (plain, escapes) = notation.split_once('\\').unwrap_or((notation, ""));
    let mut bytes = plain.as_bytes().to_vec();
    for escape in escapes.split('\\').filter(|escape| !escape.is_empty()) {
        let (digits, plain) = escape.strip_prefix('x').unwrap().split_at(2);
        bytes.extend(hex(digits));
        bytes.extend(plain.as_bytes());
    }
    bytes
}

/// What a connection told and answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Kind, code of a close or an error, payload or reason.
    pub(crate) events: Vec<(String, Option<u16>, Vec<u8>)>,
    /// The bytes to be sent.
    pub(crate) output: Vec<u8>,
}

impl Outcome {
    /// Reads the expected half of a row.
    pub(crate) fn expected(events: &str, answers: &str) -> Self {
        let events = events.split_whitespace().map(|event| {
            let (kind, inside) = event.strip_suffix(')').unwrap().split_once('(').unwrap();
            match kind {
                "close" | "error" => {
                    let (code, reason) = inside.split_once(',').unwrap_or((inside, ""));
                    (kind.to_owned(), code.parse().ok(), bytes(reason))
                }
                _ => (kind.to_owned(), None, bytes(inside)),
            }
        });
        // Answers are compared unmasked: `unmask` takes a client's keys away.
        Self { events: events.collect(), output: frames(answers, Role::Client) }
    }
}

/// A connection whose events are written down.
pub(crate) struct Recorder {
    connection: Connection,
    role: Role,
    outcome: Outcome,
}

impl Recorder {
    pub(crate) fn new(role: Role) -> Self {
        let limits = Limits { max_message_bytes: MAX_MESSAGE_BYTES };
        let connection = match role {
            Role::Server => Connection::new(role, limits),
            Role::Client => Connection::new_client(7, limits),
        };
        Self { connection, role, outcome: Outcome::default() }
    }

    /// A connection on which permessage-deflate was agreed.
    pub(crate) fn with_deflate(role: Role) -> Self {
        let Self { connection, role, outcome } = Self::new(role);
        Self { connection: connection.with_deflate(), role, outcome }
    }

    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Gives bytes that were read together.
    pub(crate) fn read(&mut self, bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        let mut input = Input::new(&mut bytes);
        loop {
            self.outcome.events.push(match self.connection.poll(&mut input) {
                Ok(None) => break,
                Ok(Some(Event::Message { kind: MessageKind::Text, payload })) => {
                    ("text".into(), None, payload.to_vec())
                }
                Ok(Some(Event::Message { kind: MessageKind::Binary, payload })) => {
                    ("binary".into(), None, payload.to_vec())
                }
                Ok(Some(Event::Ping(payload))) => ("ping".into(), None, payload.to_vec()),
                Ok(Some(Event::Pong(payload))) => ("pong".into(), None, payload.to_vec()),
                Ok(Some(Event::Close { code, reason })) => ("close".into(), code, reason.into()),
                Err(error) => ("error".into(), Some(error.close_code()), Vec::new()),
            });
        }
        assert_eq!(input.remaining(), 0, "poll answers None only when the input is used up");
    }

    pub(crate) fn finish(mut self) -> Outcome {
        let output = self.connection.output().split();
        self.outcome.output = match self.role {
            Role::Server => output.to_vec(),
            Role::Client => unmask(&output),
        };
        self.outcome
    }
}

/// What a row of bytes comes to when they arrive in these pieces.
pub(crate) fn outcome<'b>(role: Role, pieces: impl IntoIterator<Item = &'b [u8]>) -> Outcome {
    run(Recorder::new(role), pieces)
}

/// What a recorder writes down when bytes arrive in these pieces.
pub(crate) fn run<'b>(
    mut recorder: Recorder,
    pieces: impl IntoIterator<Item = &'b [u8]>,
) -> Outcome {
    for piece in pieces {
        recorder.read(piece);
    }
    recorder.finish()
}

/// Turns small masked frames into unmasked ones; fails where one is not masked.
fn unmask(mut frames: &[u8]) -> Vec<u8> {
    let mut unmasked = Vec::new();
    while let [first, second, rest @ ..] = frames {
        let length = usize::from(second & 0x7f);
        assert!(second & 0x80 != 0 && length < 126, "a client masks every frame");
        let (key, rest) = rest.split_at(4);
        let (payload, rest) = rest.split_at(length);
        unmasked.extend([*first, length as u8]);
        unmasked.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        frames = rest;
    }
    unmasked
}
