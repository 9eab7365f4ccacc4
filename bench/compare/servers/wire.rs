//! The messages of a comparison: what is written, and the exact bytes that must come back.
//!
//! Hand-made, so that our own framing does not check itself. A payload is the message's number, the connection's, then a
//! fixed pattern.
//!
//! ```text
//!   bytes:  number (8)   connection (4)   pattern      little-endian, every value of a byte
//!   text:   number (8)   connection (4)   pattern      digits of base 64, none of which JSON escapes
//! ```

use anyhow::{Result, bail, ensure};

const NUMBERS_BYTES: usize = 12;
/// RFC 6455 section 5.3 wants unpredictable keys; this one is only as costly as they are.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
/// FIN and opcode 2.
const FINAL_BINARY: u8 = 0x82;
/// FIN and opcode 1.
pub(crate) const FINAL_TEXT: u8 = 0x81;
const MASKED: u8 = 0x80;
/// Where a length would stand: it follows, in two bytes.
pub(crate) const LENGTH_16_BIT: u8 = 126;
/// Around the payload of an event of Socket.IO: a message (4) that is an event (2), its name, its one argument.
const EVENT: [&[u8]; 2] = [b"42[\"m\",\"", b"\"]"];
/// Engine.IO's own ping, a text frame without a mask, and what answers it.
const ENGINE_PING: &[u8] = &[FINAL_TEXT, 1, b'2'];
const ENGINE_PONG: &[u8] = b"3";
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// How payloads are framed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Framing {
    /// Not at all: a stream of payloads.
    None,
    /// One binary WebSocket frame each.
    WebSocket,
    /// One event of Socket.IO each, in a text frame.
    SocketIo,
}

impl Framing {
    /// What stands around a payload in its frame.
    fn envelope(self) -> [&'static [u8]; 2] {
        if self == Self::SocketIo { EVENT } else { [b"", b""] }
    }

    fn numbers(self, connection: u32, number: u64) -> [u8; NUMBERS_BYTES] {
        let mut numbers = [0; NUMBERS_BYTES];
        let (first, second) = numbers.split_at_mut(8);
        if self == Self::SocketIo {
            write_digits(number, first);
            write_digits(u64::from(connection), second);
        } else {
            first.copy_from_slice(&number.to_le_bytes());
            second.copy_from_slice(&connection.to_le_bytes());
        }
        numbers
    }

    /// The byte at `index` of a payload, behind the numbers.
    fn pattern(self, index: usize) -> u8 {
        let byte = (index * 31) as u8;
        if self == Self::SocketIo { DIGITS[usize::from(byte % 64)] } else { byte }
    }
}

/// What begins with the bytes that came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Arrival {
    /// A message.
    Reply,
    /// The server wants to know whether we are there, and is answered by [`Wire::pong`].
    Ping,
}

/// The messages of one size in one framing.
#[derive(Debug)]
pub(crate) struct Wire {
    framing: Framing,
    /// A whole message to the server, its numbers zero (masked, where it is masked).
    request: Vec<u8>,
    /// Where the numbers begin in `request`.
    request_numbers_at: usize,
    /// A whole message from the server, its numbers zero.
    reply: Vec<u8>,
    reply_numbers_at: usize,
}

impl Wire {
    /// Messages of `size_bytes` of payload.
    pub(crate) fn new(framing: Framing, size_bytes: usize) -> Result<Self> {
        ensure!(size_bytes >= NUMBERS_BYTES, "a payload has at least {NUMBERS_BYTES} bytes");
        let [before, after] = framing.envelope();
        let payload = (0..size_bytes)
            .map(|index| if index < NUMBERS_BYTES { 0 } else { framing.pattern(index) });
        let mut body = before.to_vec();
        body.extend(payload);
        body.extend_from_slice(after);
        let (request, reply) = match framing {
            Framing::None => (body.clone(), body.clone()),
            Framing::WebSocket => (masked(FINAL_BINARY, &body)?, unmasked(FINAL_BINARY, &body)?),
            Framing::SocketIo => (masked(FINAL_TEXT, &body)?, unmasked(FINAL_TEXT, &body)?),
        };
        let numbers_at = |message: &[u8]| message.len() - body.len() + before.len();
        Ok(Self {
            framing,
            request_numbers_at: numbers_at(&request),
            request,
            reply_numbers_at: numbers_at(&reply),
            reply,
        })
    }

    /// How connections begin.
    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    /// Length of a message from the server.
    pub(crate) fn reply_bytes(&self) -> usize {
        self.reply.len()
    }

    /// Appends message `number` of `connection` to `output`.
    pub(crate) fn write(&self, connection: u32, number: u64, output: &mut Vec<u8>) {
        let start = output.len() + self.request_numbers_at;
        output.extend_from_slice(&self.request);
        let masked = output[start..].iter_mut().zip(self.framing.numbers(connection, number));
        for (byte, number) in masked {
            // The template holds masked zeroes, which is the mask; so this masks the number.
            *byte ^= number;
        }
    }

    /// What `bytes` begin with, and its length; nothing while it is not whole.
    pub(crate) fn first(&self, bytes: &[u8]) -> Option<(Arrival, usize)> {
        if self.framing == Framing::SocketIo && bytes.starts_with(ENGINE_PING) {
            return Some((Arrival::Ping, ENGINE_PING.len()));
        }
        (bytes.len() >= self.reply.len()).then_some((Arrival::Reply, self.reply.len()))
    }

    /// The answer to a ping.
    pub(crate) fn pong(&self) -> Vec<u8> {
        match self.framing {
            Framing::SocketIo => text_request(ENGINE_PONG),
            Framing::None | Framing::WebSocket => Vec::new(),
        }
    }

    /// Compares what came back with what must come back; `reply` is as long as [`reply_bytes`](Self::reply_bytes).
    pub(crate) fn check(&self, connection: u32, number: u64, reply: &[u8]) -> Result<()> {
        let (before, payload) = reply.split_at(self.reply_numbers_at);
        let (expected_before, expected) = self.reply.split_at(self.reply_numbers_at);
        let exact = before == expected_before
            && payload[..NUMBERS_BYTES] == self.framing.numbers(connection, number)
            && payload[NUMBERS_BYTES..] == expected[NUMBERS_BYTES..];
        if !exact {
            let start = &reply[..reply.len().min(24)];
            bail!("connection {connection}: message {number} came back as {start:02x?}…");
        }
        Ok(())
    }
}

/// A short text to the server, in a frame of its own.
pub(crate) fn text_request(text: &[u8]) -> Vec<u8> {
    debug_assert!(text.len() < usize::from(LENGTH_16_BIT), "its length fits into the second byte");
    let mut frame = vec![FINAL_TEXT, MASKED | text.len() as u8];
    frame.extend(MASK);
    frame.extend(text.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

fn masked(kind: u8, body: &[u8]) -> Result<Vec<u8>> {
    let mut frame = header(kind, body.len(), MASKED)?;
    frame.extend(MASK);
    frame.extend(body.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    Ok(frame)
}

fn unmasked(kind: u8, body: &[u8]) -> Result<Vec<u8>> {
    let mut frame = header(kind, body.len(), 0)?;
    frame.extend_from_slice(body);
    Ok(frame)
}

/// The lowest digits of a number in base 64, the lowest first.
fn write_digits(mut number: u64, digits: &mut [u8]) {
    for digit in digits {
        *digit = DIGITS[(number % 64) as usize];
        number /= 64;
    }
}

fn header(kind: u8, size_bytes: usize, masked: u8) -> Result<Vec<u8>> {
    let mut header = vec![kind];
    match (u8::try_from(size_bytes), u16::try_from(size_bytes)) {
        (Ok(length), _) if length < LENGTH_16_BIT => header.push(masked | length),
        (_, Ok(length)) => {
            header.push(masked | LENGTH_16_BIT);
            header.extend(length.to_be_bytes());
        }
        _ => bail!("a message of a comparison has at most 65,535 bytes"),
    }
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an echo makes of a request: the mask is undone, the rest stays.
    fn echo(request: &[u8], body_bytes: usize) -> Vec<u8> {
        let mask_at = request.len() - body_bytes - MASK.len();
        assert_eq!(request[mask_at..mask_at + MASK.len()], MASK);
        let mut reply = request[..mask_at].to_vec();
        reply[1] &= !MASKED;
        let body = request[mask_at + MASK.len()..].iter().zip(MASK.iter().cycle());
        reply.extend(body.map(|(byte, mask)| byte ^ mask));
        reply
    }

    #[test]
    fn a_masked_message_unmasks_to_what_is_expected_back() {
        for framing in [Framing::WebSocket, Framing::SocketIo] {
            let around: usize = framing.envelope().map(<[u8]>::len).iter().sum();
            for size_bytes in [12, 64, 115, 116, 125, 126, 1_024] {
                let wire = Wire::new(framing, size_bytes).expect("the size is allowed");
                let mut request = Vec::new();
                wire.write(7, 0x0102_0304_0506, &mut request);
                let reply = echo(&request, size_bytes + around);
                assert_eq!(wire.first(&reply), Some((Arrival::Reply, reply.len())));
                assert_eq!(wire.first(&reply[..reply.len() - 1]), None);
                wire.check(7, 0x0102_0304_0506, &reply).expect("it is the echo");
                wire.check(7, 1, &reply).expect_err("another message");
                wire.check(8, 0x0102_0304_0506, &reply).expect_err("another connection's");
            }
        }
    }

    #[test]
    fn an_event_of_socket_io_is_json_and_pings_are_told_from_it() {
        let wire = Wire::new(Framing::SocketIo, 64).expect("the size is allowed");
        let mut request = Vec::new();
        wire.write(1, 64, &mut request);
        let reply = echo(&request, 74);
        assert_eq!(reply[..2], [FINAL_TEXT, 74]);
        let text = str::from_utf8(&reply[2..]).expect("it is text");
        let event = text.strip_prefix("42").expect("it is an event");
        let [name, payload]: [String; 2] = serde_json::from_str(event).expect("it is JSON");
        assert_eq!((name.as_str(), payload.len()), ("m", 64));
        assert!(payload.starts_with("ABAAAAAABAAA"), "{payload}");

        let both = [ENGINE_PING, &reply].concat();
        assert_eq!(wire.first(&both), Some((Arrival::Ping, 3)));
        assert_eq!(wire.first(&both[3..]), Some((Arrival::Reply, 76)));
        assert_eq!(wire.pong(), text_request(b"3"));
        assert_eq!(echo(&wire.pong(), 1), [FINAL_TEXT, 1, b'3']);
    }

    #[test]
    fn without_framing_the_payload_is_the_message() {
        let wire = Wire::new(Framing::None, 64).expect("the size is allowed");
        let mut request = Vec::new();
        wire.write(1, 2, &mut request);
        wire.write(1, 3, &mut request);
        assert_eq!(request.len(), 128);
        wire.check(1, 3, &request[64..]).expect("it is the echo");
    }
}
