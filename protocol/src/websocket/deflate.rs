//! Messages compressed and uncompressed: permessage-deflate without context takeover (RFC 7692).
//!
//! ```text
//!   payload ──► Deflater ──► smaller? ──► frame with RSV1, else a plain frame
//!   frames with RSV1 ──► whole compressed message ──► Inflater ──► payload, up to the limit
//! ```
//!
//! Each message is compressed for itself. So a connection keeps no window: an [`Inflater`] and a [`Deflater`] serve
//! every connection of a thread; one compressed frame serves all recipients; and what one message holds never shows in
//! the size of another.
//!
//! Invariants: inflating allocates no more than one byte above the limit (and, while the buffer grows, half as much
//! beside it), whatever the bytes claim to hold; a message has to end where its last block ends.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::{Limits, ProtocolError};

/// Our window, as a power of two: it reaches over most messages, and costs a shard 16 KiB instead of 256.
pub(super) const WINDOW_BITS: u8 = 12;
/// Of a page of entries level 1 leaves 19 % and this one 11 % in twice the time; the highest gain half a percent more.
const LEVEL: u32 = 4;
/// Smaller payloads are sent as they are: what they save is less than what it costs.
pub const WORTH_BYTES: usize = 256;
/// Buffers up to this size are kept for the next message.
const KEPT_BYTES: usize = 64 * 1024;
/// What a sync flush ends with. The sender leaves it out, the receiver adds it (sections 7.2.1 and 7.2.2).
const FLUSH_TAIL: &[u8] = &[0x00, 0x00, 0xff, 0xff];
/// That, and an empty last block, which tells a message that is complete from one that was cut off.
const END: &[u8] = &[0x00, 0x00, 0xff, 0xff, 0x03, 0x00];

/// Uncompresses messages, one after the other, of any number of connections. Empty, and without cost, until the first.
#[derive(Debug, Default)]
pub struct Inflater {
    engine: Option<Box<Decompress>>,
    inflated: Vec<u8>,
}

impl Inflater {
    /// The message that a payload was before it was compressed.
    pub(super) fn inflate(
        &mut self,
        payload: &[u8],
        limits: Limits,
    ) -> Result<&[u8], ProtocolError> {
        let Limits { max_message_bytes } = limits;
        let Self { engine, inflated } = self;
        inflated.clear();
        // Some libraries write nothing at all for an empty message, instead of the empty block of section 7.2.3.6.
        if payload.is_empty() {
            return Ok(inflated);
        }
        let engine = engine.get_or_insert_with(|| Box::new(Decompress::new(false)));
        engine.reset(false);
        for mut rest in [payload, END] {
            loop {
                make_room(inflated, payload.len(), max_message_bytes);
                let (used_before, inflated_before) = (engine.total_in(), inflated.len());
                let status = engine
                    .decompress_vec(rest, inflated, FlushDecompress::None)
                    .map_err(|_| ProtocolError::BadDeflate)?;
                let used = (engine.total_in() - used_before) as usize;
                rest = rest.get(used..).unwrap_or_default();
                if inflated.len() > max_message_bytes {
                    return Err(ProtocolError::TooLarge { max_message_bytes });
                }
                match status {
                    Status::StreamEnd if rest.is_empty() => return Ok(inflated),
                    // Blocks may follow one that says it is the last (section 7.2.3.4).
                    Status::StreamEnd => engine.reset(false),
                    Status::Ok | Status::BufError => {
                        if rest.is_empty() && inflated.len() < inflated.capacity() {
                            break;
                        }
                        if used == 0 && inflated.len() == inflated_before {
                            return Err(ProtocolError::BadDeflate);
                        }
                    }
                }
            }
        }
        Err(ProtocolError::BadDeflate)
    }

    /// Gives the memory of a large message back.
    pub(super) fn release(&mut self) {
        if self.inflated.capacity() > KEPT_BYTES {
            self.inflated = Vec::new();
        }
    }
}

/// Room for at least one more byte. It grows with what was inflated, and ends one byte above the limit, where a message
/// is found to be too large; the last step begins at half of that or below.
fn make_room(inflated: &mut Vec<u8>, payload_bytes: usize, max_message_bytes: usize) {
    if inflated.len() < inflated.capacity() {
        return;
    }
    let wanted = inflated.capacity().max(payload_bytes).saturating_mul(2).max(1_024);
    let most = max_message_bytes.saturating_add(1);
    let capacity = if wanted > most / 2 { most } else { wanted };
    inflated.reserve_exact(capacity.saturating_sub(inflated.len()).max(1));
}

/// Compresses messages, one after the other, of any number of connections. Empty, and without cost, until the first.
#[derive(Debug, Default)]
pub struct Deflater {
    engine: Option<Box<Compress>>,
    deflated: Vec<u8>,
}

impl Deflater {
    /// The payload compressed; `None`: it is better sent as it is.
    pub fn deflate(&mut self, payload: &[u8]) -> Option<&[u8]> {
        if payload.len() < WORTH_BYTES {
            return None;
        }
        let Self { engine, deflated } = self;
        if deflated.capacity() > KEPT_BYTES {
            *deflated = Vec::new();
        }
        deflated.clear();
        // What does not fit in here is not smaller.
        deflated.reserve_exact(payload.len() + FLUSH_TAIL.len());
        let engine = engine.get_or_insert_with(|| {
            Box::new(Compress::new_with_window_bits(Compression::new(LEVEL), false, WINDOW_BITS))
        });
        engine.reset();
        engine.compress_vec(payload, deflated, FlushCompress::Sync).ok()?;
        // With no room left there may be more to come.
        let is_whole =
            engine.total_in() == payload.len() as u64 && deflated.len() < deflated.capacity();
        let deflated = deflated.strip_suffix(FLUSH_TAIL).filter(|_| is_whole)?;
        (deflated.len() < payload.len()).then_some(deflated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { max_message_bytes: 1_000 };

    /// What a payload inflates to, with the same inflater as all others of the test.
    fn inflated(inflater: &mut Inflater, payload: &[u8]) -> Result<Vec<u8>, ProtocolError> {
        inflater.inflate(payload, LIMITS).map(<[u8]>::to_vec)
    }

    #[test]
    fn f1_payloads_of_the_rfc_inflate_to_what_it_says() {
        let hello = b"Hello".to_vec();
        let rows: [(&str, &[u8], &[u8]); 8] = [
            ("7.2.3.1", &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], &hello),
            ("7.2.3.3, not compressed", b"\x00\x05\x00\xfa\xffHello\x00", &hello),
            ("7.2.3.4, BFINAL", &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00], &hello),
            ("BFINAL and nothing behind it", &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], &hello),
            (
                "7.2.3.5, two blocks",
                &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
                &hello,
            ),
            ("7.2.3.6, empty block", &[0x00], b""),
            ("empty fixed block", &[0x02, 0x00], b""),
            ("nothing", &[], b""),
        ];
        let mut inflater = Inflater::default();
        for (name, payload, expected) in rows {
            assert_eq!(inflated(&mut inflater, payload).as_deref(), Ok(expected), "{name}");
        }
    }

    #[test]
    fn f4_what_is_not_deflate_or_cut_off_is_refused_and_leaves_nothing_behind() {
        let rows: [(&str, &[u8]); 7] = [
            ("block of type 3", &[0xff]),
            ("length and its complement differ", b"\x00\x05\x00\xfa\xfeHello\x00"),
            ("cut off in a stored block", b"\x00\x05\x00\xfa\xffHel"),
            ("cut off in a fixed block", &[0xf2, 0x48, 0xcd]),
            ("cut off in the header of a block", &[0x04]),
            ("distance before the start", &[0x02, 0x02, 0x00]),
            ("bytes behind the end", &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0xff]),
        ];
        let mut inflater = Inflater::default();
        for (name, payload) in rows {
            let outcome = inflated(&mut inflater, payload);
            assert_eq!(outcome, Err(ProtocolError::BadDeflate), "{name}");
            let hello = inflated(&mut inflater, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
            assert_eq!(hello.as_deref(), Ok(&b"Hello"[..]), "after {name}");
        }
    }

    #[test]
    fn only_what_gets_smaller_is_compressed_and_comes_back() {
        let (mut deflater, mut inflater) = (Deflater::default(), Inflater::default());
        let mut state = 1_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(5_000)
        .collect();
        assert_eq!(deflater.deflate(&noise), None);
        assert_eq!(deflater.deflate(&[b'a'; WORTH_BYTES - 1]), None);
        for bytes in [WORTH_BYTES, 1_000, 100_000, 1_000, 5_000_000, WORTH_BYTES] {
            let payload = b"\"conversation_id\":\"77\",".repeat(bytes / 23 + 1);
            let deflated = deflater.deflate(&payload).expect("it repeats itself").to_vec();
            assert!(deflated.len() < payload.len() / 2);
            let limits = Limits { max_message_bytes: payload.len() };
            assert_eq!(inflater.inflate(&deflated, limits), Ok(&payload[..]));
            let limits = Limits { max_message_bytes: payload.len() - 1 };
            assert!(matches!(
                inflater.inflate(&deflated, limits),
                Err(ProtocolError::TooLarge { .. })
            ));
        }
    }
}
