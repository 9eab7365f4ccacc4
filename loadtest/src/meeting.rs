//! How the members of a conversation find each other across threads, and how threads wait for each other.
//!
//! ```text
//!   every member: connected ──► arrived          all arrived ──► the first member opens the conversation
//!   every lane:   sweep ◄── opened (id, head) ◄──────────────────┘
//!                 acknowledged ──► head: how far all members have to get before the drain is over; where there is no
//!                 log, how many messages they have to have
//!
//!   Gate:  every lane arrives ──► somebody who sees them all opens ──► every lane goes on
//! ```
//!
//! A conversation whose members sit in several processes has a meeting in each; `relay` keeps them alike.
//!
//! Invariants: a conversation is opened once, after all of its members exist at the server; a gate opens once.

use std::sync::OnceLock;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};

use ringwire_protocol::Seq;
use serde::{Deserialize, Serialize};

/// A conversation that is open at the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Opened {
    /// Its id there.
    pub(crate) conversation_id: u64,
    /// Its newest entry when all members were in it: what follows counts.
    pub(crate) head: Seq,
}

/// What the members of one conversation know of each other.
#[derive(Debug, Default)]
pub(crate) struct Meeting {
    arrived: AtomicU32,
    /// Members in other processes, as far as they were heard of.
    arrived_elsewhere: AtomicU32,
    opened: OnceLock<Opened>,
    head: AtomicU64,
    /// Acknowledgements without a seq, here and elsewhere.
    said: AtomicU64,
    said_elsewhere: AtomicU64,
}

impl Meeting {
    /// A member exists at the server.
    pub(crate) fn arrive(&self) {
        self.arrived.fetch_add(1, Release);
    }

    /// How many of those in this process do.
    pub(crate) fn arrived(&self) -> u32 {
        self.arrived.load(Acquire)
    }

    /// So many in other processes do.
    pub(crate) fn arrived_elsewhere(&self, members: u32) {
        self.arrived_elsewhere.store(members, Release);
    }

    /// All `members` do.
    pub(crate) fn is_complete(&self, members: u32) -> bool {
        self.arrived() + self.arrived_elsewhere.load(Acquire) >= members
    }

    /// The conversation is open.
    pub(crate) fn open(&self, opened: Opened) {
        self.note(opened.head);
        // A repeated opening says the same.
        let _ = self.opened.set(opened);
    }

    /// The conversation, once it is open.
    pub(crate) fn opened(&self) -> Option<Opened> {
        self.opened.get().copied()
    }

    /// An entry of this seq exists.
    pub(crate) fn note(&self, seq: Seq) {
        self.head.fetch_max(seq, Relaxed);
    }

    /// A message was acknowledged, under this seq if there is a log.
    pub(crate) fn acknowledged(&self, seq: Option<Seq>) {
        match seq {
            Some(seq) => self.note(seq),
            None => drop(self.said.fetch_add(1, Relaxed)),
        }
    }

    /// How many were, in this process, without a seq.
    pub(crate) fn said(&self) -> u64 {
        self.said.load(Relaxed)
    }

    /// So many were in other processes.
    pub(crate) fn said_elsewhere(&self, messages: u64) {
        self.said_elsewhere.store(messages, Relaxed);
    }

    /// The highest seq that any member was told of by an acknowledgement.
    pub(crate) fn head(&self) -> Seq {
        self.head.load(Relaxed)
    }

    /// How far every member has to get: to the head, or to as many messages.
    pub(crate) fn goal(&self) -> Seq {
        self.head().max(self.said() + self.said_elsewhere.load(Relaxed))
    }
}

/// Where lanes wait until all of them are there.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    arrived: AtomicU32,
    open: AtomicBool,
}

impl Gate {
    /// A lane is there.
    pub(crate) fn arrive(&self) {
        self.arrived.fetch_add(1, Release);
    }

    /// How many are.
    pub(crate) fn arrived(&self) -> u32 {
        self.arrived.load(Acquire)
    }

    /// Lets all go on.
    pub(crate) fn open(&self) {
        self.open.store(true, Release);
    }

    /// They may.
    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Acquire)
    }
}
