//! One frame (RFC 6455 section 5): its header read and written, its payload masked.
//!
//! ```text
//!   ┌ FIN RSV opcode ┬ MASK length ┬ longer length ┬ mask key ┬ payload ┐
//!   │     1 byte     │   1 byte    │ 0, 2, 8 bytes │ 0, 4     │         │
//! ```
//!
//! Server frames carry no key, so a frame is encoded once and its bytes are shared by all recipients.

use bytes::{BufMut, Bytes, BytesMut};

use super::deflate::Deflater;
use super::{MessageKind, ProtocolError, Role};

/// The longest header: two bytes, a 64-bit length and a key.
pub(super) const MAX_HEADER_BYTES: usize = 14;
/// The largest payload of a control frame (section 5.5).
pub const MAX_CONTROL_BYTES: usize = 125;

const FIN: u8 = 0x80;
const RESERVED_BITS: u8 = 0x70;
/// Says that the message is compressed (RFC 7692 section 6).
const RSV1: u8 = 0x40;
const MASKED: u8 = 0x80;
/// A length that says: 16 bits follow.
const LENGTH_16: u8 = 126;
/// A length that says: 64 bits follow.
const LENGTH_64: u8 = 127;

/// The key a client masks a frame with.
pub type MaskKey = [u8; 4];

const TEXT: u8 = 1;
const BINARY: u8 = 2;

/// What a frame is (section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Opcode {
    Continuation = 0,
    Text = TEXT,
    Binary = BINARY,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    fn parse(number: u8) -> Result<Self, ProtocolError> {
        match number {
            0 => Ok(Self::Continuation),
            TEXT => Ok(Self::Text),
            BINARY => Ok(Self::Binary),
            8 => Ok(Self::Close),
            9 => Ok(Self::Ping),
            10 => Ok(Self::Pong),
            _ => Err(ProtocolError::ReservedOpcode(number)),
        }
    }

    pub(crate) const fn is_control(self) -> bool {
        self as u8 >= Self::Close as u8
    }
}

impl From<MessageKind> for Opcode {
    fn from(kind: MessageKind) -> Self {
        match kind {
            MessageKind::Text => Self::Text,
            MessageKind::Binary => Self::Binary,
        }
    }
}

/// A frame's header as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// The last, or only, frame of its message.
    pub(crate) fin: bool,
    pub(crate) opcode: Opcode,
    /// The first, or only, frame of a compressed message.
    pub(crate) compressed: bool,
    pub(crate) mask: Option<MaskKey>,
    /// How many bytes the header itself takes.
    pub(crate) head_bytes: usize,
    /// What the header claims; nothing may be allocated for it.
    pub(crate) payload_bytes: u64,
}

impl Header {
    /// Reads the header `bytes` begin with; `None` until all of it is there. Whatever can be refused is refused with
    /// the first byte that is wrong. `deflate`: compressed messages were agreed on.
    #[inline]
    pub(crate) fn parse(
        bytes: &[u8],
        receiver: Role,
        deflate: bool,
    ) -> Result<Option<Self>, ProtocolError> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        let compressed = first & RESERVED_BITS != 0;
        if compressed {
            let begins_message = matches!(first & 0x0f, TEXT | BINARY);
            if !(deflate && begins_message && first & RESERVED_BITS == RSV1) {
                return Err(ProtocolError::ReservedBits);
            }
        }
        let opcode = Opcode::parse(first & 0x0f)?;
        let fin = first & FIN != 0;
        if opcode.is_control() && !fin {
            return Err(ProtocolError::FragmentedControl);
        }

        let Some(&second) = bytes.get(1) else { return Ok(None) };
        let masked = second & MASKED != 0;
        match receiver {
            Role::Server if !masked => return Err(ProtocolError::NotMasked),
            Role::Client if masked => return Err(ProtocolError::Masked),
            _ => {}
        }
        let length = second & !MASKED;
        if opcode.is_control() && usize::from(length) > MAX_CONTROL_BYTES {
            return Err(ProtocolError::LongControl);
        }

        let rest = &bytes[2..];
        let (payload_bytes, rest) = match length {
            LENGTH_16 => {
                let Some((length, rest)) = rest.split_first_chunk() else { return Ok(None) };
                let length = u16::from_be_bytes(*length);
                if length < u16::from(LENGTH_16) {
                    return Err(ProtocolError::LengthNotMinimal);
                }
                (u64::from(length), rest)
            }
            LENGTH_64 => {
                let Some((length, rest)) = rest.split_first_chunk() else { return Ok(None) };
                let length = u64::from_be_bytes(*length);
                if length >> 63 != 0 {
                    return Err(ProtocolError::LengthTopBit);
                }
                if u16::try_from(length).is_ok() {
                    return Err(ProtocolError::LengthNotMinimal);
                }
                (length, rest)
            }
            short => (u64::from(short), rest),
        };

        let (mask, rest) = if masked {
            let Some((key, rest)) = rest.split_first_chunk() else { return Ok(None) };
            (Some(*key), rest)
        } else {
            (None, rest)
        };
        let head_bytes = bytes.len() - rest.len();
        Ok(Some(Self { fin, opcode, compressed, mask, head_bytes, payload_bytes }))
    }
}

/// Masks or unmasks, which is the same (section 5.3), eight bytes at a time; compilers make vectors of the loop.
#[inline]
pub fn apply_mask(payload: &mut [u8], key: MaskKey) {
    let key_word = u32::from_ne_bytes(key);
    let key_wide = u64::from(key_word) << 32 | u64::from(key_word);
    let (words, tail) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ key_wide).to_ne_bytes();
    }
    for (byte, key) in tail.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

/// The key for what follows after `masked_bytes` of a payload.
pub(crate) const fn advance_mask(key: MaskKey, masked_bytes: usize) -> MaskKey {
    u32::from_be_bytes(key).rotate_left(8 * (masked_bytes % 4) as u32).to_be_bytes()
}

/// Appends a header; FIN is always set, for nothing here sends fragments.
#[inline]
pub(crate) fn put_header(
    opcode: Opcode,
    payload_bytes: usize,
    mask: Option<MaskKey>,
    out: &mut BytesMut,
) {
    let first = FIN | opcode as u8;
    let masked = if mask.is_some() { MASKED } else { 0 };
    // Arrays, whose lengths the compiler knows: each is a store or two.
    match payload_bytes {
        0..126 => out.put_slice(&[first, masked | payload_bytes as u8]),
        126..=0xffff => {
            let [high, low] = (payload_bytes as u16).to_be_bytes();
            out.put_slice(&[first, masked | LENGTH_16, high, low]);
        }
        _ => {
            out.put_slice(&[first, masked | LENGTH_64]);
            out.put_slice(&(payload_bytes as u64).to_be_bytes());
        }
    }
    if let Some(key) = mask {
        out.put_slice(&key);
    }
}

/// Appends a whole frame, masked if there is a key.
#[inline]
pub(crate) fn put_frame(opcode: Opcode, payload: &[u8], mask: Option<MaskKey>, out: &mut BytesMut) {
    out.reserve(MAX_HEADER_BYTES + payload.len());
    put_header(opcode, payload.len(), mask, out);
    let start = out.len();
    out.put_slice(payload);
    if let Some(key) = mask {
        apply_mask(&mut out[start..], key);
    }
}

/// Appends a whole frame of a compressed message, masked if there is a key.
pub(crate) fn put_compressed_frame(
    kind: MessageKind,
    deflated: &[u8],
    mask: Option<MaskKey>,
    out: &mut BytesMut,
) {
    let start = out.len();
    put_frame(kind.into(), deflated, mask, out);
    out[start] |= RSV1;
}

/// The payload of a close frame: code and reason, cut to what a control frame holds.
pub(crate) fn close_payload(code: u16, reason: &str) -> ([u8; MAX_CONTROL_BYTES], usize) {
    let mut payload = [0; MAX_CONTROL_BYTES];
    let reason = &reason[..reason.floor_char_boundary(MAX_CONTROL_BYTES - 2)];
    payload[..2].copy_from_slice(&code.to_be_bytes());
    payload[2..2 + reason.len()].copy_from_slice(reason.as_bytes());
    (payload, 2 + reason.len())
}

/// A ping's payload, cut to what a control frame holds.
pub(crate) fn control_payload(payload: &[u8]) -> &[u8] {
    &payload[..payload.len().min(MAX_CONTROL_BYTES)]
}

/// One unmasked, unfragmented frame: encoded once, shared by all recipients.
pub fn server_frame(kind: MessageKind, payload: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    put_server_frame(kind, payload, &mut out);
    out.freeze()
}

/// Appends one unmasked, unfragmented frame.
pub fn put_server_frame(kind: MessageKind, payload: &[u8], out: &mut BytesMut) {
    put_frame(kind.into(), payload, None, out);
}

/// What a frame made by [`server_frame`] holds.
pub fn server_frame_payload(frame: &[u8]) -> &[u8] {
    let head_bytes = match frame.get(1) {
        Some(&LENGTH_16) => 4,
        Some(&LENGTH_64) => 10,
        _ => 2,
    };
    frame.get(head_bytes..).unwrap_or_default()
}

/// The frame of a message compressed, if that makes it smaller.
pub fn compressed_server_frame(
    kind: MessageKind,
    payload: &[u8],
    deflater: &mut Deflater,
) -> Option<Bytes> {
    let mut out = BytesMut::new();
    put_compressed_frame(kind, deflater.deflate(payload)?, None, &mut out);
    Some(out.freeze())
}

/// Appends one unmasked, unfragmented frame, compressed if that makes it smaller.
pub fn put_smaller_server_frame(
    kind: MessageKind,
    payload: &[u8],
    deflater: &mut Deflater,
    out: &mut BytesMut,
) {
    match deflater.deflate(payload) {
        Some(deflated) => put_compressed_frame(kind, deflated, None, out),
        None => put_server_frame(kind, payload, out),
    }
}

/// Appends the header of an unmasked, unfragmented frame; `payload_bytes` bytes of payload have to follow.
pub fn put_server_frame_header(kind: MessageKind, payload_bytes: usize, out: &mut BytesMut) {
    put_header(kind.into(), payload_bytes, None, out);
}

/// A server's close frame (section 5.5.1). A reason that does not fit is cut at a character.
pub fn server_close_frame(code: u16, reason: &str) -> Bytes {
    let (payload, payload_bytes) = close_payload(code, reason);
    let mut out = BytesMut::new();
    put_frame(Opcode::Close, &payload[..payload_bytes], None, &mut out);
    out.freeze()
}

/// A server's ping frame (section 5.5.2). Of the payload, 125 bytes are used.
pub fn server_ping_frame(payload: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    put_frame(Opcode::Ping, control_payload(payload), None, &mut out);
    out.freeze()
}
