//! Who asks what, of which node, in which order: everything that follows from the seed.

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use ringwire_protocol::UserId;

use crate::support::user;

/// The most nodes there are.
pub(super) const NODES: usize = 3;
pub(super) const USERS: u64 = 6;
/// What each of two nodes says in a conversation that is hot.
const HOT_MESSAGES: usize = 1_000;

/// What a command wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Say,
    Join,
    /// If the owner leaves, another inherits.
    Leave,
    /// A message that no database takes.
    Poison,
}

#[derive(Clone, Debug)]
pub(super) struct Command {
    /// Its place in the node's list.
    pub(super) number: usize,
    /// Which of the script's conversations.
    pub(super) conversation: usize,
    pub(super) sender: UserId,
    pub(super) id: String,
    /// Tells commands of one id apart.
    pub(super) hash: i64,
    pub(super) deed: Deed,
}

#[derive(Debug)]
pub(super) struct Script {
    pub(super) seed: u64,
    pub(super) conversations: usize,
    /// Entries of a conversation that a node has in flight at most.
    pub(super) depth: usize,
    /// Whether connections break meanwhile.
    pub(super) cuts: bool,
    /// The commands of each node, in order.
    pub(super) nodes: Vec<Vec<Command>>,
}

impl Script {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut script = Self {
            seed,
            conversations: rng.random_range(1..=3),
            depth: rng.random_range(1..=10),
            cuts: rng.random_ratio(1, 4),
            nodes: vec![Vec::new(); rng.random_range(2..=NODES)],
        };
        let mut asked: Vec<Command> = Vec::new();
        for number in 0..rng.random_range(60..=240) {
            let node = rng.random_range(0..script.nodes.len());
            let command = script.command(number, &asked, &mut rng);
            let command = Command { number: script.nodes[node].len(), ..command };
            asked.push(command.clone());
            script.nodes[node].push(command);
        }
        script
    }

    /// Two nodes that say all they can in one conversation at the same time.
    pub(super) fn hot() -> Self {
        let says = |node: usize| {
            (0..HOT_MESSAGES).map(move |number| Command {
                number,
                conversation: 0,
                sender: user(1 + node as u64),
                id: format!("{node}-{number}"),
                hash: (node * HOT_MESSAGES + number) as i64,
                deed: Deed::Say,
            })
        };
        let nodes = (0..2).map(|node| says(node).collect()).collect();
        Self { seed: 0, conversations: 1, depth: 8, cuts: false, nodes }
    }

    /// The next command: mostly a new one, now and then an earlier one again, or its id for something else.
    fn command(&self, number: usize, asked: &[Command], rng: &mut StdRng) -> Command {
        let fresh = Command {
            number,
            conversation: rng.random_range(0..self.conversations),
            sender: user(rng.random_range(1..=USERS)),
            id: format!("m{number}"),
            hash: number as i64,
            deed: Deed::Say,
        };
        // Lately asked ones are likelier to be still in flight.
        let newest = asked.len().min(12);
        let earlier = |rng: &mut StdRng| asked[asked.len() - rng.random_range(1..=newest)].clone();
        match rng.random_range(0..100) {
            0..8 if newest > 0 => earlier(rng),
            8..13 if newest > 0 => {
                let other = earlier(rng);
                let deed = if other.deed == Deed::Poison { Deed::Poison } else { Deed::Say };
                Command { hash: -fresh.hash - 1, deed, ..other }
            }
            // User 1 always stays, so that somebody may read the list.
            13..28 if fresh.sender != user(1) => Command { deed: Deed::Join, ..fresh },
            28..34 if fresh.sender != user(1) => Command { deed: Deed::Leave, ..fresh },
            34..37 => {
                Command { id: format!("{number}{}", "x".repeat(65)), deed: Deed::Poison, ..fresh }
            }
            _ => fresh,
        }
    }
}
