//! Identifiers as newtypes, so that no two kinds of number can be swapped by accident.
//!
//! Ids of users and conversations come from database sequences and lie in 1 … 2^53−1: a JSON number holds them exactly.

use std::fmt;
use std::num::NonZeroU64;

/// The largest id: 2^53−1, the largest integer that an IEEE 754 double and so every JSON reader keeps exactly.
pub const MAX_ID: u64 = (1 << 53) - 1;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(NonZeroU64);

        impl $name {
            /// The id with this number; `None` outside 1 … 2^53−1.
            pub const fn new(number: u64) -> Option<Self> {
                if number > MAX_ID {
                    return None;
                }
                match NonZeroU64::new(number) {
                    Some(number) => Some(Self(number)),
                    None => None,
                }
            }

            /// The number itself.
            pub const fn get(self) -> u64 {
                self.0.get()
            }

            /// The number as databases keep it. Lossless, because ids stay below 2^53.
            pub const fn as_i64(self) -> i64 {
                self.0.get().cast_signed()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

id! {
    /// A person or program that takes part in conversations.
    UserId
}

id! {
    /// A direct conversation or a group: one log.
    ConversationId
}

/// The position of an entry in its conversation's log. The first entry is 1 and there are no gaps; 0 is "before the
/// first".
pub type Seq = u64;

/// How many messages a conversation holds up to and with some entry; unread counts are differences of these.
pub type MsgNo = u64;

/// Unix time in milliseconds.
pub type UnixMs = i64;

/// The longest `client_msg_id` and `device_id`, in bytes.
pub const MAX_CLIENT_ID_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_reject_what_json_readers_would_round() {
        assert!(UserId::new(0).is_none());
        assert_eq!(UserId::new(MAX_ID).map(UserId::get), Some(9_007_199_254_740_991));
        assert!(UserId::new(MAX_ID + 1).is_none());
    }
}
