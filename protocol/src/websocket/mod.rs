//! RFC 6455 for both roles, without sockets: bytes in, messages out.
//!
//! ```text
//!   handshake   the HTTP/1.1 upgrade: request and response, parsed and written
//!   frame       one frame: header, mask
//!   utf8        UTF-8 that arrives in pieces
//!   deflate     messages compressed for themselves (RFC 7692)
//!   assembler   frames to messages: fragments, control frames between them, limits
//! ```
//!
//! The parts of `tungstenite` that need no socket are used where they fit (HTTP heads, accept keys, close codes). The
//! frame header is our own: four things have to be checked that tungstenite's parser lets pass (reserved bits, long or
//! fragmented control frames, lengths that are not minimal, the top bit of a length), and whoever checks them has
//! parsed the header already. Its parser alone takes as long as this whole layer (`bench/benches/frame.rs`). Tests and
//! a fuzz target hold the two against each other.
//!
//! Invariants: reserved bits are errors, except RSV1 where permessage-deflate was agreed on; checks follow the order of
//! the bytes, so the way the bytes are split cannot change what is reported.

pub mod assembler;
pub mod deflate;
pub mod frame;
pub mod handshake;
mod utf8;

pub use assembler::{Event, Input};

/// Which side of the connection this is (RFC 6455 section 1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Receives masked frames, sends unmasked ones.
    Server,
    /// Receives unmasked frames, sends masked ones.
    Client,
}

/// What a message is made of (RFC 6455 section 5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// UTF-8, checked before it is delivered.
    Text,
    /// Any bytes.
    Binary,
}

/// What a connection accepts from its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest message, all its fragments together, in bytes; no single frame may be larger either. It counts what
    /// a compressed message inflates to.
    pub max_message_bytes: usize,
}

impl Limits {
    /// How many bytes a message may take on the wire. Deflate may need nine bits for a byte that it cannot compress.
    const fn max_wire_bytes(self, compressed: bool) -> usize {
        let Self { max_message_bytes } = self;
        if compressed {
            max_message_bytes.saturating_add(max_message_bytes / 8 + 64)
        } else {
            max_message_bytes
        }
    }
}

/// What the peer did wrong. The connection ends with [`ProtocolError::close_code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// RSV1, RSV2 or RSV3 is set although no extension was agreed on that gives it a meaning there (section 5.2).
    #[error("reserved bits are set")]
    ReservedBits,
    /// The opcode is none of the six that are defined (section 5.2).
    #[error("opcode {0} is reserved")]
    ReservedOpcode(u8),
    /// A client's frame has to be masked (section 5.1).
    #[error("frame from a client is not masked")]
    NotMasked,
    /// A server's frame must not be masked (section 5.1).
    #[error("frame from a server is masked")]
    Masked,
    /// A control frame has to come in one piece (section 5.5).
    #[error("control frame is fragmented")]
    FragmentedControl,
    /// A control frame holds at most 125 bytes (section 5.5).
    #[error("control frame is longer than 125 bytes")]
    LongControl,
    /// The length would have fitted in fewer bytes (section 5.2).
    #[error("length is not in its shortest form")]
    LengthNotMinimal,
    /// The most significant bit of a 64-bit length has to be 0 (section 5.2).
    #[error("top bit of the length is set")]
    LengthTopBit,
    /// A continuation frame came while no message was open (section 5.4).
    #[error("continuation without a message to continue")]
    UnexpectedContinuation,
    /// A new message began before the one before it had ended (section 5.4).
    #[error("new message inside a fragmented one")]
    ExpectedContinuation,
    /// The payload of a close frame has one byte, which is half a code (section 5.5.1).
    #[error("close frame with half a code")]
    HalfCloseCode,
    /// The code in a close frame may not be sent (section 7.4).
    #[error("close code {0} may not be sent")]
    BadCloseCode(u16),
    /// Text, or the reason in a close frame, is not UTF-8 (section 8.1).
    #[error("text is not UTF-8")]
    InvalidUtf8,
    /// What a compressed message holds is not deflate, or ends in the middle (RFC 7692 section 7.2.2).
    #[error("compressed message is not deflate")]
    BadDeflate,
    /// A message or frame is larger than [`Limits::max_message_bytes`].
    #[error("message is larger than {max_message_bytes} bytes")]
    TooLarge {
        /// The limit that was passed.
        max_message_bytes: usize,
    },
}

impl ProtocolError {
    /// The code to close with: 1002, 1007 or 1009 (RFC 6455 section 7.4.1).
    pub const fn close_code(&self) -> u16 {
        match self {
            Self::InvalidUtf8 | Self::BadDeflate => 1007,
            Self::TooLarge { .. } => 1009,
            _ => 1002,
        }
    }
}
