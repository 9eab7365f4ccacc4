//! Where shards post their numbers, and where they are read.
//!
//! A shard stores into a block of its own, relaxed, on cache lines that no other shard writes to. A reader may see some
//! numbers of one post and some of the next; none is torn.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam::utils::CachePadded;

use super::figures::{Figures, SLOTS};
use crate::placement::ShardId;

/// A shard that posted nothing for this long counts as stuck; it posts every second at least.
pub const STUCK_AFTER: Duration = Duration::from_secs(10);

/// A queue between threads, and how to learn its length.
pub struct Queue {
    /// What it is called.
    pub name: &'static str,
    /// Whose it is, if it is a shard's.
    pub shard: Option<ShardId>,
    /// What it holds at most.
    pub capacity: usize,
    /// What waits in it.
    pub waiting: Box<dyn Fn() -> usize + Send + Sync>,
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Block {
    slots: [AtomicU64; SLOTS],
    /// When it was posted, in milliseconds since the board was made; 0: never.
    posted_ms: AtomicU64,
}

/// The numbers of all shards.
#[derive(Debug)]
pub struct Board {
    made: Instant,
    blocks: Vec<CachePadded<Block>>,
    queues: Vec<Queue>,
}

impl Board {
    /// A board for so many shards, at this time.
    pub fn new(shards: usize, queues: Vec<Queue>, now: Instant) -> Self {
        let block =
            || Block { slots: [const { AtomicU64::new(0) }; SLOTS], posted_ms: AtomicU64::new(0) };
        let blocks = (0..shards).map(|_| CachePadded::new(block())).collect();
        Self { made: now, blocks, queues }
    }

    /// A shard posts its numbers.
    pub fn post(&self, shard: ShardId, figures: &Figures, now: Instant) {
        let Some(block) = self.blocks.get(usize::from(shard)) else { return };
        for (slot, value) in block.slots.iter().zip(figures.slots()) {
            slot.store(*value, Ordering::Relaxed);
        }
        block.posted_ms.store(self.since(now), Ordering::Relaxed);
    }

    /// What each shard posted last.
    pub fn read(&self) -> Vec<Figures> {
        let load = |block: &CachePadded<Block>| {
            let mut figures = Figures::default();
            for (value, slot) in figures.slots_mut().iter_mut().zip(&block.slots) {
                *value = slot.load(Ordering::Relaxed);
            }
            figures
        };
        self.blocks.iter().map(load).collect()
    }

    /// The shards that have posted nothing for too long.
    pub fn stuck(&self, now: Instant) -> Vec<ShardId> {
        let now = self.since(now);
        let is_stuck = |block: &CachePadded<Block>| {
            let posted = block.posted_ms.load(Ordering::Relaxed);
            now.saturating_sub(posted) > STUCK_AFTER.as_millis() as u64
        };
        let blocks = self.blocks.iter().enumerate();
        blocks.filter(|(_, block)| is_stuck(block)).map(|(shard, _)| shard as ShardId).collect()
    }

    /// The queues between threads.
    pub fn queues(&self) -> &[Queue] {
        &self.queues
    }

    /// How long the board has been there.
    pub fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.made)
    }

    fn since(&self, now: Instant) -> u64 {
        self.age(now).as_millis() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::figures::Figure;

    #[test]
    fn what_a_shard_posts_is_read_and_a_silent_one_is_stuck() {
        let start = Instant::now();
        let later = |seconds| start + Duration::from_secs(seconds);
        let board = Board::new(2, Vec::new(), start);
        let mut figures = Figures::default();
        figures.add(Figure::Turns, 7);
        board.post(1, &figures, later(5));
        // Of no shard: nothing happens.
        board.post(9, &figures, later(5));
        let turns: Vec<u64> = board.read().iter().map(|shard| shard.get(Figure::Turns)).collect();
        assert_eq!(turns, [0, 7]);
        assert!(board.stuck(later(10)).is_empty());
        assert_eq!(board.stuck(later(11)), [0]);
        board.post(0, &figures, later(12));
        assert!(board.stuck(later(15)).is_empty());
        assert_eq!(board.stuck(later(16)), [1]);
    }
}
