//! The keyed hash of a command, kept with its entry: tells a retry from another command under the same id, also when
//! the entry was edited, recalled or encrypted since. And the codes that let into groups, which no client can compute.

use std::hash::Hasher as _;

use prost::Message as _;
use ringwire_protocol::{ConversationId, Seq, UserId};
use siphasher::sip::SipHasher13;
use siphasher::sip128::{Hasher128 as _, SipHasher24};

use crate::conversation::Intent;

/// The key of a database (SipHash, Aumasson and Bernstein 2012): 1-3 for hashes that stay here and only have to keep
/// clients from choosing collisions, 2-4 with 128 bits for codes that are told.
#[derive(Clone, Copy)]
pub struct CommandKey([u8; 16]);

impl std::fmt::Debug for CommandKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CommandKey(***)")
    }
}

/// Letters and digits that are not mistaken for each other (RFC 4648 base32 in lower case).
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Of 5 bits each: 80 bits cannot be guessed over a network.
const CODE_LETTERS: u32 = 16;

impl CommandKey {
    /// The key as the store keeps it.
    pub const fn new(key: [u8; 16]) -> Self {
        Self(key)
    }

    /// The hash of what a command asks, without its id and its place among the sender's commands.
    pub fn hash(&self, intent: &Intent) -> i64 {
        let numbers = |kind: u8, numbers: &[u64], rest: &[u8]| {
            let numbers = numbers.iter().flat_map(|number| number.to_be_bytes());
            self.hash_bytes(kind, &numbers.chain(rest.iter().copied()).collect::<Vec<_>>())
        };
        let users = |kind, users: &[UserId]| {
            numbers(kind, &users.iter().map(|user| user.get()).collect::<Vec<_>>(), b"")
        };
        // 3 is `create_group`, which is hashed where it is carried out.
        match intent {
            Intent::Send { body, .. } => self.hash_bytes(0, body),
            Intent::Join { code, text } if code.is_empty() && text.is_empty() => {
                self.hash_bytes(1, b"")
            }
            Intent::Join { code, text } => {
                self.hash_bytes(1, [code.as_bytes(), text.as_bytes()].join(&0).as_slice())
            }
            Intent::Leave => self.hash_bytes(2, b""),
            Intent::Edit { target_seq, body, .. } => numbers(4, &[*target_seq], body),
            Intent::Recall { target_seq } => numbers(5, &[*target_seq], b""),
            Intent::React { target_seq, reaction, removed } => {
                numbers(6, &[*target_seq, (*removed).into()], reaction.as_bytes())
            }
            Intent::Pin { target_seq, removed } => {
                numbers(7, &[*target_seq, (*removed).into()], b"")
            }
            Intent::Update(settings) => self.hash_bytes(8, &settings.encode_to_vec()),
            Intent::Invite { users: invited } => users(9, invited),
            Intent::Remove { users: removed } => users(10, removed),
            Intent::SetRole { user, role } => numbers(11, &[user.get(), *role as u64], b""),
            Intent::Mute { user, until } => {
                numbers(12, &[user.map_or(0, UserId::get), until.cast_unsigned()], b"")
            }
            Intent::Ban { user, until } => numbers(13, &[user.get(), until.cast_unsigned()], b""),
            Intent::ResolveJoin { user, refuse } => {
                numbers(14, &[user.get(), (*refuse).into()], b"")
            }
            Intent::Dissolve => self.hash_bytes(15, b""),
        }
    }

    /// What lets into a group since the entry at `made_at`.
    pub fn join_code(&self, conversation: ConversationId, made_at: Seq) -> String {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write(b"join code");
        hasher.write_u64(conversation.get());
        hasher.write_u64(made_at);
        let hash = hasher.finish128().as_u128();
        let letter = |place: u32| char::from(BASE32[(hash >> (5 * place)) as usize % BASE32.len()]);
        (0..CODE_LETTERS).map(letter).collect()
    }

    /// The hash of the encoded form of a command of another kind.
    pub fn hash_bytes(&self, kind: u8, bytes: &[u8]) -> i64 {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write_u8(kind);
        hasher.write(bytes);
        hasher.finish().cast_signed()
    }
}
