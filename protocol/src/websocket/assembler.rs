//! Frames to messages (RFC 6455 sections 5.4 and 5.5, RFC 7692 section 6.2).
//!
//! ```text
//!   input ──► header ──► whole frame in the input? ──► unmask in place, deliver from the input
//!                              │ no, or a fragment
//!                              ▼
//!                        Pending (boxed): header so far, payload so far, message so far ──► deliver from there
//!
//!   a compressed message, whole ──► inflated into the buffer that came with the input ──► deliver from there
//! ```
//!
//! Invariants: nothing is allocated while no partial frame and no partial message is pending; what is pending holds no
//! more than about twice the bytes that have arrived, whatever the header claims; text that is not compressed has been
//! checked up to the last byte that arrived; nothing is inflated for a message that is not complete.

use std::ops::Range;

use tungstenite::protocol::frame::coding::CloseCode;

use super::deflate::Inflater;
use super::frame::{self, Header, MAX_HEADER_BYTES, MaskKey, Opcode};
use super::utf8;
use super::{Limits, MessageKind, ProtocolError, Role};

/// What the peer sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A complete message; text is UTF-8.
    Message {
        /// Text or binary.
        kind: MessageKind,
        /// All its fragments together.
        payload: &'a [u8],
    },
    /// A ping; the connection has answered it already.
    Ping(&'a [u8]),
    /// A pong, asked for or not.
    Pong(&'a [u8]),
    /// The peer wants to close, or answers our close. No event follows.
    Close {
        /// Why; `None` if the frame was empty.
        code: Option<u16>,
        /// For people.
        reason: &'a str,
    },
}

/// Bytes just received. They are unmasked in place, and messages are delivered out of them.
#[derive(Debug)]
pub struct Input<'b> {
    bytes: &'b mut [u8],
    /// Everything before it has been used.
    position: usize,
    inflater: Scratch<'b>,
}

/// Where compressed messages are inflated.
#[derive(Debug)]
enum Scratch<'b> {
    Own(Inflater),
    Lent(&'b mut Inflater),
}

impl<'b> Input<'b> {
    /// Wraps bytes in the order of their arrival.
    pub fn new(bytes: &'b mut [u8]) -> Self {
        Self { bytes, position: 0, inflater: Scratch::Own(Inflater::default()) }
    }

    /// [`Self::new`] with an inflater for compressed messages, which otherwise is made anew for the first of them.
    pub fn with_inflater(bytes: &'b mut [u8], inflater: &'b mut Inflater) -> Self {
        Self { bytes, position: 0, inflater: Scratch::Lent(inflater) }
    }

    /// How many bytes have not been used.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// Drops the rest: nothing that follows a close counts.
    pub(crate) fn discard(&mut self) {
        self.position = self.bytes.len();
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[self.position..]
    }

    fn take(&mut self, count: usize) -> &mut [u8] {
        let range = self.take_range(count);
        &mut self.bytes[range]
    }

    fn take_range(&mut self, count: usize) -> Range<usize> {
        let start = self.position;
        self.position += count;
        start..self.position
    }

    /// The bytes, and where what is compressed is inflated.
    fn parts(&mut self) -> (&[u8], &mut Inflater) {
        let inflater = match &mut self.inflater {
            Scratch::Own(inflater) => inflater,
            Scratch::Lent(inflater) => &mut **inflater,
        };
        (self.bytes, inflater)
    }
}

/// Puts messages together.
#[derive(Debug)]
pub(crate) struct Assembler {
    role: Role,
    /// Compressed messages were agreed on.
    deflate: bool,
    limits: Limits,
    pending: Option<Box<Pending>>,
}

/// What waits for more bytes.
#[derive(Debug, Default)]
struct Pending {
    /// A header of which only the start has arrived.
    header: [u8; MAX_HEADER_BYTES],
    header_bytes: usize,
    /// The frame whose payload is arriving.
    frame: Option<OpenFrame>,
    /// Payload of the control frame that is arriving or was delivered last; at most 125 bytes.
    control: Vec<u8>,
    /// The message that is arriving, or was delivered last.
    message: Option<OpenMessage>,
}

/// A frame whose payload has not arrived completely.
#[derive(Debug)]
struct OpenFrame {
    fin: bool,
    opcode: Opcode,
    /// Turned to the next byte.
    mask: Option<MaskKey>,
    missing_bytes: usize,
}

/// A message that has not arrived completely.
#[derive(Debug)]
struct OpenMessage {
    kind: MessageKind,
    compressed: bool,
    payload: Vec<u8>,
    utf8: utf8::Progress,
    complete: bool,
}

impl Assembler {
    pub(crate) fn new(role: Role, limits: Limits) -> Self {
        Self { role, deflate: false, limits, pending: None }
    }

    /// From now on messages may be compressed, in both directions.
    pub(crate) fn agree_on_deflate(&mut self) {
        self.deflate = true;
    }

    pub(crate) fn is_deflate_agreed(&self) -> bool {
        self.deflate
    }

    /// Frees what is pending: after an error or a close nothing will complete it.
    pub(crate) fn release(&mut self) {
        self.pending = None;
    }

    /// The next event, or `None` when the input is used up.
    #[inline]
    pub(crate) fn poll<'a>(
        &'a mut self,
        input: &'a mut Input<'_>,
    ) -> Result<Option<Event<'a>>, ProtocolError> {
        if self.pending.is_some() {
            self.release_delivered();
        }
        if self.deflate {
            input.parts().1.release();
        }
        if self.pending.is_none() {
            if input.remaining() == 0 {
                return Ok(None);
            }
            if let Some((opcode, compressed, payload)) = self.take_whole_frame(input)? {
                if compressed {
                    let (bytes, inflater) = input.parts();
                    return inflate(opcode, &bytes[payload], inflater, self.limits).map(Some);
                }
                return event(opcode, &input.bytes[payload]).map(Some);
            }
        }
        self.poll_pending(input)
    }

    /// Takes a frame that lies completely in the input and is not part of a fragmented message. Answers also whether
    /// its payload is compressed.
    #[inline]
    fn take_whole_frame(
        &self,
        input: &mut Input<'_>,
    ) -> Result<Option<(Opcode, bool, Range<usize>)>, ProtocolError> {
        let parsed = Header::parse(input.rest(), self.role, self.deflate)?;
        let Some(header) = parsed else { return Ok(None) };
        let payload_bytes = admit(&header, None, self.limits)?;
        if !header.fin || payload_bytes > input.remaining() - header.head_bytes {
            return Ok(None);
        }
        input.take_range(header.head_bytes);
        let payload = input.take_range(payload_bytes);
        if let Some(key) = header.mask {
            frame::apply_mask(&mut input.bytes[payload.clone()], key);
        }
        if header.opcode == Opcode::Text && !header.compressed {
            utf8::check(&input.bytes[payload.clone()])?;
        }
        Ok(Some((header.opcode, header.compressed, payload)))
    }

    /// Frees a message that was delivered, and everything when nothing else is pending.
    fn release_delivered(&mut self) {
        let Some(pending) = &mut self.pending else { return };
        if pending.message.as_ref().is_some_and(|message| message.complete) {
            pending.message = None;
        }
        if pending.header_bytes == 0 && pending.frame.is_none() && pending.message.is_none() {
            self.pending = None;
        }
    }

    #[cold]
    fn poll_pending<'a>(
        &'a mut self,
        input: &'a mut Input<'_>,
    ) -> Result<Option<Event<'a>>, ProtocolError> {
        let pending = self.pending.get_or_insert_default();
        loop {
            let mut frame = match pending.frame.take() {
                Some(frame) => frame,
                None => match pending.read_header(input, self.role, self.deflate)? {
                    Some(header) => pending.open(&header, self.limits)?,
                    None => return Ok(None),
                },
            };
            pending.read_payload(&mut frame, input)?;
            if frame.missing_bytes > 0 {
                pending.frame = Some(frame);
                return Ok(None);
            }
            if frame.opcode.is_control() {
                return event(frame.opcode, &pending.control).map(Some);
            }
            if frame.fin {
                break;
            }
        }
        let Some(message) = &mut pending.message else { return Ok(None) };
        message.complete = true;
        if message.compressed {
            let opcode = message.kind.into();
            return inflate(opcode, &message.payload, input.parts().1, self.limits).map(Some);
        }
        message.utf8.finish()?;
        Ok(Some(Event::Message { kind: message.kind, payload: &message.payload }))
    }
}

impl Pending {
    /// Reads a header that may begin in earlier input; keeps what there is of an incomplete one.
    fn read_header(
        &mut self,
        input: &mut Input<'_>,
        role: Role,
        deflate: bool,
    ) -> Result<Option<Header>, ProtocolError> {
        let earlier_bytes = self.header_bytes;
        let added = input.remaining().min(MAX_HEADER_BYTES - earlier_bytes);
        self.header[earlier_bytes..][..added].copy_from_slice(&input.rest()[..added]);
        let parsed = Header::parse(&self.header[..earlier_bytes + added], role, deflate)?;
        if let Some(header) = parsed {
            input.take_range(header.head_bytes - earlier_bytes);
            self.header_bytes = 0;
        } else {
            input.take_range(added);
            self.header_bytes += added;
        }
        Ok(parsed)
    }

    /// Makes room, as yet empty, for the payload of a frame.
    fn open(&mut self, header: &Header, limits: Limits) -> Result<OpenFrame, ProtocolError> {
        let missing_bytes = admit(header, self.message.as_ref(), limits)?;
        let message = |kind| Some(OpenMessage::new(kind, header.compressed));
        match header.opcode {
            Opcode::Text => self.message = message(MessageKind::Text),
            Opcode::Binary => self.message = message(MessageKind::Binary),
            Opcode::Continuation => {}
            Opcode::Close | Opcode::Ping | Opcode::Pong => self.control.clear(),
        }
        let Header { fin, opcode, mask, .. } = *header;
        Ok(OpenFrame { fin, opcode, mask, missing_bytes })
    }

    /// Moves as much payload as there is from the input to where the frame belongs.
    fn read_payload(
        &mut self,
        frame: &mut OpenFrame,
        input: &mut Input<'_>,
    ) -> Result<(), ProtocolError> {
        let count = frame.missing_bytes.min(input.remaining());
        let piece = input.take(count);
        frame.missing_bytes -= count;
        if let Some(key) = &mut frame.mask {
            frame::apply_mask(piece, *key);
            *key = frame::advance_mask(*key, count);
        }
        match &mut self.message {
            Some(message) if !frame.opcode.is_control() => message.add(piece),
            _ => {
                self.control.extend_from_slice(piece);
                Ok(())
            }
        }
    }
}

impl OpenMessage {
    fn new(kind: MessageKind, compressed: bool) -> Self {
        let utf8 = utf8::Progress::default();
        Self { kind, compressed, payload: Vec::new(), utf8, complete: false }
    }

    fn add(&mut self, piece: &[u8]) -> Result<(), ProtocolError> {
        if self.kind == MessageKind::Text && !self.compressed {
            self.utf8.feed(piece)?;
        }
        self.payload.extend_from_slice(piece);
        Ok(())
    }
}

/// Whether a frame may come now and is not too large; answers its size.
#[inline]
fn admit(
    header: &Header,
    message: Option<&OpenMessage>,
    limits: Limits,
) -> Result<usize, ProtocolError> {
    let (before_bytes, compressed) = match (header.opcode, message) {
        // Control frames come at any time and are small.
        (Opcode::Close | Opcode::Ping | Opcode::Pong, _) => {
            return Ok(header.payload_bytes as usize);
        }
        (Opcode::Continuation, None) => return Err(ProtocolError::UnexpectedContinuation),
        (Opcode::Text | Opcode::Binary, Some(_)) => {
            return Err(ProtocolError::ExpectedContinuation);
        }
        (Opcode::Continuation, Some(message)) => (message.payload.len(), message.compressed),
        (Opcode::Text | Opcode::Binary, None) => (0, header.compressed),
    };
    let most_bytes = limits.max_wire_bytes(compressed).saturating_sub(before_bytes);
    usize::try_from(header.payload_bytes)
        .ok()
        .filter(|&payload_bytes| payload_bytes <= most_bytes)
        .ok_or(ProtocolError::TooLarge { max_message_bytes: limits.max_message_bytes })
}

/// The message that was compressed.
#[cold]
fn inflate<'a>(
    opcode: Opcode,
    payload: &[u8],
    inflater: &'a mut Inflater,
    limits: Limits,
) -> Result<Event<'a>, ProtocolError> {
    let payload = inflater.inflate(payload, limits)?;
    if opcode == Opcode::Text {
        utf8::check(payload)?;
    }
    event(opcode, payload)
}

/// What a complete, unfragmented frame tells; text has been checked.
#[inline]
fn event(opcode: Opcode, payload: &[u8]) -> Result<Event<'_>, ProtocolError> {
    Ok(match opcode {
        Opcode::Text => Event::Message { kind: MessageKind::Text, payload },
        Opcode::Binary => Event::Message { kind: MessageKind::Binary, payload },
        Opcode::Ping => Event::Ping(payload),
        Opcode::Pong => Event::Pong(payload),
        Opcode::Close => return close_event(payload),
        // `admit` lets none pass without a message, and those of a message are delivered with it.
        Opcode::Continuation => return Err(ProtocolError::UnexpectedContinuation),
    })
}

/// Reads the payload of a close frame (sections 5.5.1 and 7.4).
fn close_event(payload: &[u8]) -> Result<Event<'_>, ProtocolError> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return match payload {
            [] => Ok(Event::Close { code: None, reason: "" }),
            _ => Err(ProtocolError::HalfCloseCode),
        };
    };
    let code = u16::from_be_bytes(*code);
    if !CloseCode::from(code).is_allowed() {
        return Err(ProtocolError::BadCloseCode(code));
    }
    let reason = std::str::from_utf8(reason).map_err(|_| ProtocolError::InvalidUtf8)?;
    Ok(Event::Close { code: Some(code), reason })
}
