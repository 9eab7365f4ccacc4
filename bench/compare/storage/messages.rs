//! The messages that every way of writing gets: many conversations, random client ids, 64 bytes of text.

use std::time::Instant;

use bytes::Bytes;
use ringwire_protocol::{ConversationId, Seq, UserId};
use ringwire_storage::append::{Append, Change};

/// Conversations that take turns.
pub(crate) const CONVERSATIONS: u64 = 1_000;
/// Who writes in each of them.
const SENDERS: u64 = 16;
/// A `SendBody` with 64 bytes of text and its few bytes of framing.
const BODY: [u8; 70] = [b'm'; 70];

/// Makes message after message, each the next of its conversation.
pub(crate) struct Messages {
    heads: Vec<u64>,
    /// Added to the number of a conversation.
    offset: u64,
    made: u64,
}

impl Messages {
    pub(crate) fn new() -> Self {
        Self::apart(0)
    }

    /// In conversations that no other number has; only those of number 0 are in the table of conversations.
    pub(crate) fn apart(number: u64) -> Self {
        Self { heads: vec![0; CONVERSATIONS as usize], offset: number * CONVERSATIONS, made: 0 }
    }

    /// How many were made, and so how many rows there are when everything was written.
    pub(crate) fn made(&self) -> u64 {
        self.made
    }

    /// The next message; its token is its number.
    pub(crate) fn next(&mut self) -> Append {
        let conversation = self.random() % CONVERSATIONS;
        let head = &mut self.heads[conversation as usize];
        *head += 1;
        let (id, seq) = (self.offset + conversation + 1, *head);
        self.at(ConversationId::new(id).expect("not zero, and small"), seq)
    }

    /// The next message, at this position of a conversation whose head somebody else minds.
    pub(crate) fn at(&mut self, conversation_id: ConversationId, seq: Seq) -> Append {
        let random = self.random();
        let token = self.made;
        self.made += 1;
        Append {
            conversation_id,
            seq,
            msg_no: seq,
            sender_id: UserId::new(1 + (random >> 32) % SENDERS),
            created_at: 1_795_000_000_000 + token as i64,
            client_msg_id: client_msg_id(random),
            body: Bytes::copy_from_slice(&BODY),
            command_hash: random as i64,
            change: Change::None,
            check_base: false,
            head_confirmed_at: Instant::now(),
            origin: 0,
            token,
            generation: 1,
        }
    }

    /// Different for every message of every number.
    fn random(&self) -> u64 {
        spread(self.made + (self.offset << 32))
    }
}

/// As long as 128 random bits in base64: 22 characters.
fn client_msg_id(random: u64) -> Box<str> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(22);
    for digit in 0..22 {
        let bits = random.rotate_left(digit * 4) & 15;
        text.push(char::from(DIGITS[bits as usize]));
    }
    text.into_boxed_str()
}

/// The finalizer of SplitMix64: a different number for each number.
pub(crate) fn spread(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}
