//! The messages of a comparison: what is written, and the exact bytes that must come back.
//!
//! Hand-made, so that our own framing does not check itself. A payload is the message's number (8 bytes), the
//! connection's (4 bytes), then a fixed pattern.

use anyhow::{Result, bail, ensure};

const NUMBERS_BYTES: usize = 12;
/// RFC 6455 section 5.3 wants unpredictable keys; this one is only as costly as they are.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
/// FIN and opcode 2, binary.
const FINAL_BINARY: u8 = 0x82;
const MASKED: u8 = 0x80;
const LENGTH_16_BIT: u8 = 126;

/// How payloads are framed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Framing {
    /// Not at all: a stream of payloads.
    None,
    /// One binary WebSocket frame each.
    WebSocket,
}

/// The messages of one size in one framing.
#[derive(Debug)]
pub(crate) struct Wire {
    framing: Framing,
    /// A whole message to the server, its numbers zero (masked, where it is masked).
    request: Vec<u8>,
    /// Where the payload begins in `request`.
    request_header_bytes: usize,
    /// A whole message from the server, its numbers zero.
    reply: Vec<u8>,
    reply_header_bytes: usize,
}

impl Wire {
    /// Messages of `size_bytes` of payload.
    pub(crate) fn new(framing: Framing, size_bytes: usize) -> Result<Self> {
        ensure!(size_bytes >= NUMBERS_BYTES, "a payload has at least {NUMBERS_BYTES} bytes");
        let payload: Vec<u8> = (0..size_bytes)
            .map(|index| if index < NUMBERS_BYTES { 0 } else { (index * 31) as u8 })
            .collect();
        let (request_header, reply_header) = match framing {
            Framing::None => (Vec::new(), Vec::new()),
            Framing::WebSocket => {
                let mut request = header(size_bytes, MASKED)?;
                request.extend(MASK);
                (request, header(size_bytes, 0)?)
            }
        };
        let masked = payload.iter().enumerate().map(|(index, byte)| match framing {
            Framing::None => *byte,
            Framing::WebSocket => byte ^ MASK[index % 4],
        });
        Ok(Self {
            framing,
            request: request_header.iter().copied().chain(masked).collect(),
            request_header_bytes: request_header.len(),
            reply: reply_header.iter().chain(&payload).copied().collect(),
            reply_header_bytes: reply_header.len(),
        })
    }

    /// Whether connections begin with a WebSocket handshake.
    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    /// Length of a message from the server.
    pub(crate) fn reply_bytes(&self) -> usize {
        self.reply.len()
    }

    /// Appends message `number` of `connection` to `output`.
    pub(crate) fn write(&self, connection: u32, number: u64, output: &mut Vec<u8>) {
        let start = output.len() + self.request_header_bytes;
        output.extend_from_slice(&self.request);
        let masked = output[start..].iter_mut().zip(numbers(connection, number));
        for (byte, number) in masked {
            // The template holds masked zeroes, which is the mask; so this masks the number.
            *byte ^= number;
        }
    }

    /// Compares what came back with what must come back; `reply` is as long as [`reply_bytes`](Self::reply_bytes).
    pub(crate) fn check(&self, connection: u32, number: u64, reply: &[u8]) -> Result<()> {
        let (header, payload) = reply.split_at(self.reply_header_bytes);
        let (expected_header, expected) = self.reply.split_at(self.reply_header_bytes);
        let exact = header == expected_header
            && payload[..NUMBERS_BYTES] == numbers(connection, number)
            && payload[NUMBERS_BYTES..] == expected[NUMBERS_BYTES..];
        if !exact {
            let start = &reply[..reply.len().min(24)];
            bail!("connection {connection}: message {number} came back as {start:02x?}…");
        }
        Ok(())
    }
}

fn numbers(connection: u32, number: u64) -> [u8; NUMBERS_BYTES] {
    let mut numbers = [0; NUMBERS_BYTES];
    numbers[..8].copy_from_slice(&number.to_le_bytes());
    numbers[8..].copy_from_slice(&connection.to_le_bytes());
    numbers
}

fn header(size_bytes: usize, masked: u8) -> Result<Vec<u8>> {
    let mut header = vec![FINAL_BINARY];
    match (u8::try_from(size_bytes), u16::try_from(size_bytes)) {
        (Ok(length), _) if length < LENGTH_16_BIT => header.push(masked | length),
        (_, Ok(length)) => {
            header.push(masked | LENGTH_16_BIT);
            header.extend(length.to_be_bytes());
        }
        _ => bail!("a payload of a comparison has at most 65,535 bytes"),
    }
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_message_unmasks_to_what_is_expected_back() {
        for size_bytes in [12, 64, 125, 126, 1_024] {
            let wire = Wire::new(Framing::WebSocket, size_bytes).expect("the size is allowed");
            let mut request = Vec::new();
            wire.write(7, 0x0102_0304_0506, &mut request);
            let payload = request.len() - size_bytes;
            assert_eq!(request[payload - 4..payload], MASK);

            let mut reply = header(size_bytes, 0).expect("the size is allowed");
            assert_eq!(request[1] & !MASKED, reply[1]);
            reply.extend(request[payload..].iter().zip(MASK.iter().cycle()).map(|(a, b)| a ^ b));
            assert_eq!(reply.len(), wire.reply_bytes());
            wire.check(7, 0x0102_0304_0506, &reply).expect("it is the echo");
            wire.check(7, 1, &reply).expect_err("another message");
            wire.check(8, 0x0102_0304_0506, &reply).expect_err("another connection's");
        }
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
