//! What a seed decides before anything happens: how large the world is and what goes wrong in it.
//!
//! Each seed has some of the faults, not all: a world in which everything fails all the time hides what only shows when
//! things work for a while.

use crate::random::Random;

/// How often a fault comes, in milliseconds from one to the next on average; `None`: never in this world.
type Every = Option<u64>;

/// One world.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) shards: usize,
    pub(crate) users: u64,
    pub(crate) max_devices: u64,
    pub(crate) conversations: u64,
    /// How long clients act and things go wrong. After that everything heals.
    pub(crate) chaos_ms: u64,
    /// Pause between two actions of a client.
    pub(crate) think_ms: u64,
    /// Longest way through the network.
    pub(crate) network_ms: u64,
    /// Longest way to the database, and back.
    pub(crate) database_ms: u64,
    pub(crate) mailbox_shared: usize,
    pub(crate) credits: usize,
    pub(crate) service_queue: usize,
    pub(crate) writer_room: usize,
    pub(crate) socket_room_bytes: usize,
    /// One command of a session a second, and so many at once; 0: no limit.
    pub(crate) session_burst: u32,
    /// Texts are as long as this at times.
    pub(crate) text_bytes: usize,
    pub(crate) faults: Faults,
}

/// What goes wrong.
#[derive(Debug)]
pub(crate) struct Faults {
    /// A connection is reset.
    pub(crate) reset: Every,
    /// A connection carries nothing any more, and neither side learns of it.
    pub(crate) silence: Every,
    /// A client stops reading for a while.
    pub(crate) stall: Every,
    /// The node ends without a word and starts again.
    pub(crate) restart: Every,
    /// The database cannot be reached for a while.
    pub(crate) outage: Every,
    /// A shard does nothing for a while.
    pub(crate) freeze: Every,
    /// The wall clock steps.
    pub(crate) clock: Every,
    /// Another node writes to the same logs.
    pub(crate) rival: Every,
    /// Commits whose answer is lost, in a hundred.
    pub(crate) lost_answers: u64,
    /// Calls of the service that fail, in a hundred.
    pub(crate) failing_calls: u64,
    /// Messages that the database refuses, in a hundred.
    pub(crate) poison: u64,
}

impl Plan {
    /// Whether others write to the same logs; a node that ends may have written what the next one has not seen, too.
    pub(crate) fn has_rival(&self) -> bool {
        self.faults.rival.is_some() || self.faults.restart.is_some()
    }

    pub(crate) fn new(random: &mut Random) -> Self {
        let mut every = |chance: u64, least: u64, most: u64| {
            let interval = random.between(least, most);
            random.percent(chance).then_some(interval)
        };
        let faults = Faults {
            reset: every(70, 500, 6_000),
            silence: every(40, 2_000, 8_000),
            stall: every(50, 1_000, 6_000),
            restart: every(40, 3_000, 12_000),
            outage: every(40, 2_000, 10_000),
            freeze: every(40, 1_000, 8_000),
            clock: every(30, 2_000, 10_000),
            rival: every(50, 100, 4_000),
            lost_answers: every(40, 1, 25).unwrap_or(0),
            failing_calls: every(40, 1, 25).unwrap_or(0),
            poison: every(20, 1, 8).unwrap_or(0),
        };
        let mut one_of = |values: &[u64]| random.pick(values).copied().unwrap_or(1);
        Self {
            shards: one_of(&[1, 2, 3, 4]) as usize,
            users: one_of(&[2, 3, 4, 6]),
            max_devices: one_of(&[1, 2, 3]),
            conversations: one_of(&[1, 2, 3]),
            chaos_ms: one_of(&[5_000, 10_000, 20_000]),
            think_ms: one_of(&[200, 500, 1_500]),
            network_ms: one_of(&[1, 10, 80]),
            database_ms: one_of(&[1, 5, 40]),
            mailbox_shared: one_of(&[1, 2, 8, 1_000]) as usize,
            credits: one_of(&[2, 6, 40, 1_000]) as usize,
            service_queue: one_of(&[1, 3, 1_000]) as usize,
            writer_room: one_of(&[1, 4, 1_000]) as usize,
            socket_room_bytes: one_of(&[1_000, 5_000, 60_000]) as usize,
            session_burst: one_of(&[0, 0, 5, 50]) as u32,
            text_bytes: one_of(&[10, 10, 300, 6_000]) as usize,
            faults,
        }
    }
}
