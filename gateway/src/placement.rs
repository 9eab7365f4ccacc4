//! Which shard a user's sessions and a conversation's log live on.

use ringwire_protocol::{ConversationId, UserId};

/// A shard of this process.
pub type ShardId = u16;

/// Spreads ids over shards. Ids come in rising blocks, so the bits are mixed first (the finalizer of splitmix64,
/// Steele, Lea and Flood 2014).
fn spread(id: u64, shards: usize) -> ShardId {
    let mut mixed = id.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    (mixed % shards as u64) as ShardId
}

/// Where all sessions of a user live.
pub fn home_shard(user: UserId, shards: usize) -> ShardId {
    spread(user.get(), shards)
}

/// Where a conversation's log is decided.
pub fn owner_shard(conversation: ConversationId, shards: usize) -> ShardId {
    spread(conversation.get(), shards)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consecutive_ids_spread_evenly() {
        for shards in [1, 2, 3, 8] {
            let mut counts = vec![0_u32; shards];
            for id in 1..=10_000 {
                counts[usize::from(home_shard(UserId::new(id).unwrap(), shards))] += 1;
            }
            let fair = 10_000 / shards as u32;
            assert!(counts.iter().all(|&count| count.abs_diff(fair) < fair / 10), "{counts:?}");
        }
    }
}
