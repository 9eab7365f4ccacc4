//! The sans-IO WebSocket connection: what is between the upgrade and the end of the TCP stream, in either role.
//!
//! ```text
//!   bytes read ──► Input ──► poll ──► Event …                 until it answers None
//!                             │
//!                             ▼ pongs, the answer to a close, the close after an error
//!   send, ping, close ──► output ──► bytes to write
//!
//!   Open ──close()──► Closing ──peer's close──► Closed        and from any state, an error: Closed
//!     └──────────peer's close───────────────────► ▲
//! ```
//!
//! Invariants: nothing is put into the output after a close frame; a connection that is idle holds no buffer but its
//! output; `poll` adds at most three bytes to the output for each byte it reads (a masked pong to an empty ping), so a
//! caller that stops reading while it cannot write is bounded.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use bytes::BytesMut;

use crate::websocket::assembler::Assembler;
use crate::websocket::deflate::Deflater;
use crate::websocket::frame::{self, MaskKey, Opcode};
use crate::websocket::{Limits, MessageKind, ProtocolError, Role};

pub use crate::websocket::{Event, Input};

/// One end of an open WebSocket.
#[derive(Debug)]
pub struct Connection {
    assembler: Assembler,
    outgoing: Outgoing,
}

/// The half that writes.
#[derive(Debug)]
struct Outgoing {
    state: State,
    /// `None` for a server, which does not mask.
    masks: Option<MaskKeys>,
    output: BytesMut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// Our close frame is in the output; the peer's has not come.
    Closing,
    /// Nothing more will be read or written.
    Closed,
}

impl Connection {
    /// A connection whose handshake is done. A client takes its mask keys from a randomly seeded generator.
    pub fn new(role: Role, limits: Limits) -> Self {
        match role {
            Role::Server => Self::with_masks(role, limits, None),
            Role::Client => Self::new_client(RandomState::new().build_hasher().finish(), limits),
        }
    }

    /// A client whose mask keys follow from `seed`, so that a run can be repeated byte by byte. The keys are spread
    /// well but can be foretold; a client that runs other people's scripts needs better ones (RFC 6455 section 10.3).
    pub fn new_client(seed: u64, limits: Limits) -> Self {
        Self::with_masks(Role::Client, limits, Some(MaskKeys(seed)))
    }

    fn with_masks(role: Role, limits: Limits, masks: Option<MaskKeys>) -> Self {
        let outgoing = Outgoing { state: State::Open, masks, output: BytesMut::new() };
        Self { assembler: Assembler::new(role, limits), outgoing }
    }

    /// The handshake agreed on permessage-deflate: messages of the peer may be compressed, and ours by
    /// [`Self::send_smaller`].
    #[must_use]
    pub fn with_deflate(mut self) -> Self {
        self.assembler.agree_on_deflate();
        self
    }

    /// Whether messages may be compressed.
    pub fn is_deflate_agreed(&self) -> bool {
        self.assembler.is_deflate_agreed()
    }

    /// The next event in the input; `Ok(None)` when the input is used up. Call it until then: that also frees what
    /// was delivered last. A whole unfragmented frame is delivered from the input, where it is unmasked in place;
    /// only fragments and an incomplete tail are copied. A compressed message is delivered from the input's inflater.
    ///
    /// A ping is answered and a close is answered before the event is told.
    ///
    /// # Errors
    /// The peer broke the protocol. The close frame that says so is in the output and the connection is closed:
    /// write the output, then close the socket.
    #[inline]
    pub fn poll<'a>(
        &'a mut self,
        input: &'a mut Input<'_>,
    ) -> Result<Option<Event<'a>>, ProtocolError> {
        if self.outgoing.state == State::Closed {
            self.assembler.release();
            input.discard();
            return Ok(None);
        }
        let event = self.assembler.poll(input);
        match &event {
            Ok(None | Some(Event::Message { .. } | Event::Pong(_))) => {}
            Ok(Some(Event::Ping(payload))) => self.outgoing.put(Opcode::Pong, payload),
            Ok(Some(Event::Close { code, .. })) => {
                // The code is given back (section 5.5.1), the reason is the peer's own.
                let code = code.map(u16::to_be_bytes);
                self.outgoing.put(Opcode::Close, code.as_ref().map_or(&[], |code| code));
                self.outgoing.state = State::Closed;
            }
            Err(error) => {
                self.outgoing.put(Opcode::Close, &error.close_code().to_be_bytes());
                self.outgoing.state = State::Closed;
            }
        }
        event
    }

    /// Puts a message into the output. Text has to be UTF-8. Does nothing once the connection is closing.
    #[inline]
    pub fn send(&mut self, kind: MessageKind, payload: &[u8]) {
        self.outgoing.put(kind.into(), payload);
    }

    /// [`Self::send`], compressed if that was agreed on and makes the message smaller.
    pub fn send_smaller(&mut self, kind: MessageKind, payload: &[u8], deflater: &mut Deflater) {
        let deflated = if self.is_deflate_agreed() { deflater.deflate(payload) } else { None };
        match deflated {
            Some(deflated) => self.outgoing.put_compressed(kind, deflated),
            None => self.outgoing.put(kind.into(), payload),
        }
    }

    /// Puts a ping into the output; 125 bytes of the payload are used. Does nothing once the connection is closing.
    pub fn ping(&mut self, payload: &[u8]) {
        self.outgoing.put(Opcode::Ping, frame::control_payload(payload));
    }

    /// Begins the close handshake: puts a close frame into the output, and nothing after it. What the peer sent
    /// before it saw the close is still delivered. A reason that does not fit is cut at a character. Does nothing once
    /// the connection is closing.
    pub fn close(&mut self, code: u16, reason: &str) {
        let (payload, payload_bytes) = frame::close_payload(code, reason);
        self.outgoing.put(Opcode::Close, &payload[..payload_bytes]);
        if self.outgoing.state == State::Open {
            self.outgoing.state = State::Closing;
        }
    }

    /// Bytes to write, in order. The caller removes what it has written, and replaces the buffer by an empty one when
    /// it wants the memory back.
    pub fn output(&mut self) -> &mut BytesMut {
        &mut self.outgoing.output
    }

    /// A close frame is, or was, in the output: nothing more can be sent.
    pub fn is_closing(&self) -> bool {
        self.outgoing.state != State::Open
    }

    /// Nothing more will be read: write the output, then close the socket.
    pub fn is_closed(&self) -> bool {
        self.outgoing.state == State::Closed
    }
}

impl Outgoing {
    /// Appends a frame, unless a close frame went before it.
    #[inline]
    fn put(&mut self, opcode: Opcode, payload: &[u8]) {
        if self.state == State::Open {
            let mask = self.masks.as_mut().map(MaskKeys::next);
            frame::put_frame(opcode, payload, mask, &mut self.output);
        }
    }

    /// Appends the frame of a compressed message, unless a close frame went before it.
    fn put_compressed(&mut self, kind: MessageKind, deflated: &[u8]) {
        if self.state == State::Open {
            let mask = self.masks.as_mut().map(MaskKeys::next);
            frame::put_compressed_frame(kind, deflated, mask, &mut self.output);
        }
    }
}

/// Mask keys, four bytes at a time from a SplitMix64 generator.
#[derive(Debug)]
struct MaskKeys(u64);

impl MaskKeys {
    fn next(&mut self) -> MaskKey {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed >> 32) as u32).to_ne_bytes()
    }
}
