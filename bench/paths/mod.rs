//! The hot paths, each as a small piece of work that can be repeated: what instruction counts, allocation counts and
//! micro-benchmarks share.
//!
//! ```text
//!   wire:     bytes ─► messages ─► commands, and back          machines: token, mailbox, conversation, fan-out
//!   room:     client bytes ─► shard ─► owner shard ─► append, committed ─► acks and pushes ─► sockets
//! ```
//!
//! Invariants: a run takes the same course every time, without a socket or a disk, and in `room` without a clock; what
//! a run came to is checked before the next one, where it does not count.

mod machines;
mod room;
mod wire;

/// Messages that a turn of a busy connection handles.
pub(crate) const BATCH: usize = 16;

/// Something that can be done again and again.
pub(crate) trait Work {
    /// Checks what the last run came to, and gets ready what the next one uses up.
    fn prepare(&mut self) {}

    /// What is measured.
    fn run(&mut self);
}

/// One hot path.
pub(crate) struct Path {
    /// As counts are recorded under.
    pub(crate) name: &'static str,
    /// Messages, or deliveries, of a run.
    pub(crate) messages: u64,
    work: Box<dyn Work>,
}

impl Path {
    fn new(name: &'static str, messages: usize, work: impl Work + 'static) -> Self {
        Self { name, messages: messages as u64, work: Box::new(work) }
    }

    /// Gets ready for a run.
    pub(crate) fn prepare(&mut self) {
        self.work.prepare();
    }

    /// Runs once.
    pub(crate) fn run(&mut self) {
        self.work.run();
    }
}

/// All of them, in the order in which a message meets them.
pub(crate) fn all() -> Vec<Path> {
    [wire::paths(), machines::paths(), room::paths()].into_iter().flatten().collect()
}
